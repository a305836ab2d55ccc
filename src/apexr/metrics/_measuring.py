"""The metrics of a list, ready for the states of one scenario and checked before any work."""

import functools

import jax

from apexr.errors import SpecError
from apexr.kernels import prepare_host_devices
from apexr.metrics._domain import Fields, on_domain
from apexr.metrics._kind import Metric, parse_metrics


def measuring(text: str, fields: Fields) -> dict[str, Metric]:
    """Return the metrics of a comma-separated list as they measure some states.

    Raises
    ------
    SpecError
        If one cannot be read, means nothing for these states, or returns something else than one
        number, or one a channel where it says so.
    """
    made = {}
    for config, metric in parse_metrics(text).items():
        try:
            made[config] = on_domain(metric, fields)
        except SpecError as error:
            raise SpecError(f"report_metrics {text!r}: {error}") from None
        if not _is_own(made[config]):
            _check_result(config, made[config], fields)
    return made


def _is_own(metric: Metric) -> bool:
    """Tell whether a metric, and the one within it, is apexr's and known to return what it says."""
    inner = getattr(metric, "metric", None)
    own = type(metric).__module__.startswith("apexr.")
    return own and (not isinstance(inner, Metric) or _is_own(inner))


@functools.lru_cache(maxsize=128)
def _check_result(config: str, metric: Metric, fields: Fields) -> None:
    """Refuse a metric that returns something else than it says.

    Raises
    ------
    SpecError
        With the shape, and what to declare.
    """
    if metric.dims not in ((), ("channel",)):
        raise SpecError(
            f"metric {config!r}: dims must be () for one number a state or ('channel',) for one a"
            f" channel, got {metric.dims!r}"
        )
    prepare_host_devices()
    shape = (fields.num_channels, *fields.grid.shape)
    state = jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(float))
    made = jax.eval_shape(metric.sample_error, state, state)
    given = getattr(made, "shape", None)
    if given == (fields.num_channels,) * len(metric.dims):
        return
    wanted = "one number" if not metric.dims else f"one number for each of {fields.num_channels}"
    advice = "" if metric.dims else "; one number a channel takes dims = ('channel',) in its class"
    raise SpecError(
        f"metric {config!r} must return {wanted}{' channels' if metric.dims else ''}, got"
        f" {'an array of shape ' + str(given) if given is not None else type(made).__name__}"
        f"{advice}"
    )
