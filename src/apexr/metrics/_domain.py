"""Metrics that depend on the domain: on the lengths of its axes and on what the channels mean."""

import abc
import dataclasses
from typing import Literal, TypeVar

from jaxtyping import Array, Float

from apexr.metrics._kind import Metric
from apexr.spectral import Grid, grid_of

M = TypeVar("M", bound=Metric)

ChannelKind = Literal["scalars", "velocity", "vorticity"]
"""The meaning of the channels of a state: independent scalars, one component a dimension, or a
vorticity (one channel in 2D, three in 3D)."""


@dataclasses.dataclass(frozen=True)
class Fields:
    """Facts about the states that a metric measures.

    Parameters
    ----------
    grid
        The grid of the states.
    num_channels
        Channels of a state.
    kind
        The meaning of the channels; None where it is not known.
    """

    grid: Grid
    num_channels: int
    kind: ChannelKind | None = None

    @property
    def single(self) -> "Fields":
        """One channel of these."""
        kind: ChannelKind | None = self.kind if self.num_channels == 1 else "scalars"
        return Fields(self.grid, 1, kind)


class DomainMetric(Metric):
    """A metric of states on a domain; without one, each axis has the extent 1."""

    @abc.abstractmethod
    def error_on(
        self,
        prediction: Float[Array, "channel *space"],
        target: Float[Array, "channel *space"],
        fields: Fields,
    ) -> Float[Array, ""]:
        """Return the error of one predicted state on a domain."""

    def check(self, fields: Fields) -> None:
        """Refuse states for which the metric means nothing.

        Raises
        ------
        SpecError
            Naming what would be needed.
        """

    def on(self, fields: Fields) -> Metric:
        """Return the metric of these states."""
        self.check(fields)
        return OnDomain(self, fields)

    def sample_error(
        self, prediction: Float[Array, "channel *space"], target: Float[Array, "channel *space"]
    ) -> Float[Array, ""]:
        """Return the error of one predicted state on axes of extent 1."""
        fields = Fields(grid_of(target), target.shape[0])
        self.check(fields)
        return self.error_on(prediction, target, fields)


@dataclasses.dataclass(frozen=True)
class OnDomain(Metric):
    """A metric with the domain that it measures on."""

    metric: DomainMetric
    fields: Fields

    def sample_error(
        self, prediction: Float[Array, "channel *space"], target: Float[Array, "channel *space"]
    ) -> Float[Array, ""]:
        """Return the error of one predicted state."""
        return self.metric.error_on(prediction, target, self.fields)


def on_domain(metric: Metric, fields: Fields) -> Metric:
    """Return a metric as it measures these states.

    Raises
    ------
    SpecError
        If it means nothing for them.
    """
    bind = getattr(metric, "on", None)
    bound: Metric = metric if bind is None else bind(fields)
    return bound
