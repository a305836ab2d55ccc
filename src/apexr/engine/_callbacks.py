"""Callbacks: what a training records on its way, by config string."""

import abc
import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, dataclass_transform

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr._grammar import Kind, PositiveInt
from apexr._parts import split
from apexr.engine._evaluate import Evaluated, evaluate
from apexr.engine._weights import flat_weights
from apexr.errors import SpecError
from apexr.metrics import Metric
from apexr.training import Moment, Streamed

S = TypeVar("S")


@dataclasses.dataclass
class TestSet:
    """The test of emulators while they are trained: as in the end.

    Attributes
    ----------
    trajectories
        Reference trajectories; frame 0 is the initial state.
    metrics
        Metrics by config string.
    num_kept
        How many trajectories are kept whole.
    valid
        The same of the trajectories for validation; None where there are none.
    """

    __test__ = False  # no test of pytest's

    trajectories: Float[Array, "test_sample frame channel *space"] | Streamed
    metrics: dict[str, Metric]
    num_kept: int
    valid: "TestSet | None" = dataclasses.field(default=None, init=False)

    def __post_init__(self) -> None:
        self._last: tuple[Moment, Evaluated] | None = None

    def evaluated(self, moment: Moment) -> Evaluated:
        """Return the rollouts of a moment's emulators, made once for all callbacks."""
        if self._last is None or self._last[0] is not moment:
            chosen = (self.trajectories, self.metrics, self.num_kept)
            self._last = moment, evaluate(moment.emulators, *chosen)
        return self._last[1]


class Callback(abc.ABC):
    """A record before some updates, to which ``weight_norm;100`` parses.

    Leaves are decorated with :func:`callback`; their fields are the arguments of the string, of
    which the first is EVERY: it looks at updates 0, EVERY, 2 EVERY, …

    Attributes
    ----------
    dims
        Dimensions of its arrays besides ``seed``, which comes first: dimensions of the result, with
        ``space`` for those of the grid.
    needs_valid_data
        Whether it looks at ``test.valid``, so that there must be data for validation.
    """

    dims: ClassVar[tuple[str, ...]] = ()

    needs_valid_data: ClassVar[bool] = False

    every: int

    @abc.abstractmethod
    def measure(self, moment: Moment, test: TestSet) -> Any:
        """Return an array ``(seed, *dims)``, or several by key: results call them ``NAME_KEY``.

        Parameters
        ----------
        moment
            Update step, losses, weights, gradients and emulators before the update.
        test
            Gives the test rollouts of the moment.
        """

    @property
    def name(self) -> str:
        """The first word of the config string; results call the record so."""
        return str(type(self).__config_name__)  # type: ignore[attr-defined]


CALLBACKS: Kind[Callback] = Kind("callback", "apexr.callbacks", case_sensitive=True)
"""Every callback by its name in config strings."""


@dataclass_transform(frozen_default=True)
def callback(name: str) -> Callable[[type[S]], type[S]]:
    """Return the decorator that registers a callback under ``name``.

    Examples
    --------
    >>> @callback("largest_weight")
    ... class LargestWeight(Callback):
    ...     '''largest_weight;EVERY - magnitude of the largest weight of the first layer.'''
    ...
    ...     every: int
    ...
    ...     def measure(self, moment, test):
    ...         weight = moment.emulators.layers[0].weight
    ...         return abs(weight).reshape(len(weight), -1).max(axis=1)
    """
    return CALLBACKS.register(name)  # type: ignore[return-value, arg-type]


@dataclasses.dataclass(frozen=True)
class Recorder:
    """A callback as a hook of the training loop."""

    callback: Callback
    test: TestSet

    @property
    def every(self) -> int:
        """The interval in updates."""
        return self.callback.every

    def __call__(self, moment: Moment) -> Mapping[str, Any]:
        """Return what the callback measures, by ``NAME/`` or ``NAME/KEY``."""
        measured = self.callback.measure(moment, self.test)
        several = measured if isinstance(measured, Mapping) else {"": measured}
        return {f"{self.callback.name}/{key}": values for key, values in several.items()}


def parse_callbacks(text: str) -> tuple[Callback, ...]:
    """Return the callbacks of a comma-separated list; empty entries are skipped.

    Raises
    ------
    SpecError
        If one is unknown, misspelled or named twice.
    """
    configs = [config.strip() for config in text.split(",") if config.strip()]
    callbacks = tuple(CALLBACKS.parse(config) for config in configs)
    names = [one.name for one in callbacks]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise SpecError(f"callbacks {text!r}: {repeated!r} is named twice; each has one interval")
    return callbacks


# --- the registered ones ---------------------------------------------------------------------


@jax.jit
def _norms(tree: Any) -> Float[Array, " seed"]:
    """Return ``√Σ|w|²`` over all arrays of each seed."""
    squares = [jnp.sum(jnp.abs(a.reshape(len(a), -1)) ** 2, axis=1) for a in jax.tree.leaves(tree)]
    return jnp.sqrt(functools.reduce(jnp.add, squares))


@callback("loss")
class LossOf(Callback):
    """loss;EVERY - the loss of the mini-batch before the update."""

    every: PositiveInt

    def measure(self, moment: Moment, test: TestSet) -> Float[Array, " seed"]:
        """Return the losses, which the training computes anyway."""
        return moment.losses


@callback("weight_norm")
class WeightNorm(Callback):
    """weight_norm;EVERY - √Σw² over all weights of the network."""

    every: PositiveInt

    def measure(self, moment: Moment, test: TestSet) -> Float[Array, " seed"]:
        """Return the norm of each seed's weights; a corrected solver has none."""
        return _norms(moment.weights)


@callback("grad_norm")
class GradNorm(Callback):
    """grad_norm;EVERY - √Σg² over the gradient of the mini-batch's loss."""

    every: PositiveInt

    def measure(self, moment: Moment, test: TestSet) -> Float[Array, " seed"]:
        """Return the norm of each seed's gradient."""
        return _norms(moment.gradients)


@callback("net")
class Net(Callback):
    """net;EVERY - the weights of the network, as one vector."""

    dims: ClassVar[tuple[str, ...]] = ("parameter",)

    every: PositiveInt

    def measure(self, moment: Moment, test: TestSet) -> dict[str, Float[Array, "seed parameter"]]:
        """Return the weights; :func:`apexr.load_networks` makes networks of them again."""
        return {"weights": flat_weights(split(moment.emulators).own)}


@callback("metrics")
class Metrics(Callback):
    """metrics;EVERY - the scenario's metrics of the test rollouts, mean over the test samples."""

    dims: ClassVar[tuple[str, ...]] = ("time",)

    every: PositiveInt

    def measure(
        self, moment: Moment, test: TestSet
    ) -> dict[str, Float[np.ndarray, "seed time *metric"]]:
        """Return each metric by its config string."""
        return _means(test.evaluated(moment))


def _means(evaluated: Evaluated) -> dict[str, Float[np.ndarray, "seed time *metric"]]:
    """Return the mean of each metric over the samples."""
    return {config: values.mean(axis=1) for config, values in evaluated.errors.items()}


@callback("valid_metrics")
class ValidMetrics(Callback):
    """valid_metrics;EVERY - the scenario's metrics of rollouts on the data for validation."""

    dims: ClassVar[tuple[str, ...]] = ("valid_time",)
    needs_valid_data: ClassVar[bool] = True

    every: PositiveInt

    def measure(
        self, moment: Moment, test: TestSet
    ) -> dict[str, Float[np.ndarray, "seed time *metric"]]:
        """Return each metric by its config string, mean over the samples."""
        if test.valid is None:
            raise SpecError("valid_metrics needs data for validation: give num_valid_samples")
        return _means(test.valid.evaluated(moment))


@callback("sample_rollout")
class SampleRollout(Callback):
    """sample_rollout;EVERY - the first test rollouts, as a result holds them in the end."""

    dims: ClassVar[tuple[str, ...]] = ("sample", "time", "channel", "space")

    every: PositiveInt

    def measure(self, moment: Moment, test: TestSet) -> dict[str, np.ndarray]:
        """Return the rollouts; the initial states are those of the result."""
        return {"history": test.evaluated(moment).rollouts}
