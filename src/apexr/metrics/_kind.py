"""The interface of metrics: a frozen spec with a config string and the error of one sample."""

import abc
import re
from collections.abc import Callable
from typing import ClassVar, TypeVar, dataclass_transform

from jaxtyping import Array, Float

from apexr._grammar import Kind
from apexr.errors import SpecError

S = TypeVar("S")

_CALLED = re.compile(r"^per_channel\((.*)\)$")


class Metric(abc.ABC):
    """An error measure: what ``mean_nRMSE`` parses to.

    Leaves are decorated with :func:`metric`; their fields are the arguments of the string. A
    metric gives one number a sample, or one a channel; results hold these and their mean over the
    test samples.
    It never raises for values: NaN in a field gives NaN, a division by zero what IEEE says.

    Attributes
    ----------
    formula, span
        The metric's formula and the range of its values, as the documentation shows them. In
        formulas u is the prediction, r the reference, c counts channels, ⟨·⟩ is the mean over
        the points of the grid.
    best
        The value of a perfect prediction; NaN where that depends on the reference.
    dims
        Dimensions of what :meth:`sample_error` returns: none for one number, ``("channel",)`` for
        one a channel.
    """

    dims: ClassVar[tuple[str, ...]] = ()
    formula: ClassVar[str] = ""
    span: ClassVar[str] = "0 … ∞"
    best: ClassVar[float] = 0.0

    @abc.abstractmethod
    def sample_error(
        self, prediction: Float[Array, "channel *space"], target: Float[Array, "channel *space"]
    ) -> Float[Array, "..."]:
        """Return the error of one predicted state: one number, or what :attr:`dims` says."""


METRICS: Kind[Metric] = Kind("metric", "apexr.metrics", case_sensitive=True)
"""Every metric by its name in config strings."""


@dataclass_transform(frozen_default=True)
def metric(name: str) -> Callable[[type[S]], type[S]]:
    """Return the decorator that registers a metric under ``name``."""
    return METRICS.register(name)  # type: ignore[return-value, arg-type]


def parse_metrics(text: str) -> dict[str, Metric]:
    """Return the metrics of a comma-separated list, by their config strings.

    Raises
    ------
    SpecError
        If one is unknown, misspelled or named twice, or the list is empty.
    """
    configs = [_CALLED.sub(r"per_channel;\1", config) for config in text.split(",")]
    padded = next((config for config in configs if config != config.strip()), None)
    if padded is not None:
        raise SpecError(
            f"report_metrics {text!r}: remove the blank in {padded!r};"
            " metrics are separated by commas alone"
        )
    if "" in configs:
        wanted = "name at least one metric" if text == "" else "remove the spare comma"
        raise SpecError(f"report_metrics {text!r}: {wanted} (known: {', '.join(METRICS.names())})")
    repeated = next((config for config in configs if configs.count(config) > 1), None)
    if repeated is not None:
        raise SpecError(f"report_metrics {text!r}: {repeated!r} is named twice")
    return {config: METRICS.parse(config) for config in configs}
