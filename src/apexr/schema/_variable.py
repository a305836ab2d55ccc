"""The form of a variable's declaration."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

SPATIAL_DIMS = ("x", "y", "z")
"""Names of the axes of space, in order."""

CHANNEL_UNITS = "channel_units"
"""Attribute of the coordinate ``channel``: JSON of the units of channels, by name, where known."""

CONVENTIONS = "CF-1.11"
"""The conventions that attributes follow: https://cfconventions.org."""

Kind = Literal["float", "int", "bool", "text", "text or int"]
KINDS: Mapping[Kind, str] = {
    "float": "f",
    "int": "iu",
    "bool": "b",
    "text": "OTU",
    "text or int": "OTUiu",
}


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One declared variable or coordinate.

    Parameters
    ----------
    name
        Name in the Dataset; a pattern declaration is given its name by :func:`mean_metric` and
        :func:`trajectory_metric`.
    dims
        Dimension names in order; ``"space"`` stands for the first D of ``x, y, z``.
    kind
        Kind of the values. Floats keep their precision (float32, or float64 with x64 on).
    long_name, description
        A label for an axis, and one sentence.
    units
        Unit, ``"1"`` where dimensionless.
    first
        First value of a counting coordinate.
    optional
        Dimensions that may be absent (one number for all seeds).
    config
        The metric's config string, for metrics only.
    standard_name, axis
        Its name in the CF conventions, and the axis that it is, if any.
    """

    name: str
    dims: tuple[str, ...]
    kind: Kind
    long_name: str
    description: str
    units: str = "1"
    first: int | None = None
    optional: tuple[str, ...] = ()
    config: str | None = None
    standard_name: str | None = None
    axis: str | None = None

    def dims_for(self, num_spatial_dims: int) -> tuple[str, ...]:
        """Return the dimension names on a grid of ``num_spatial_dims`` dimensions."""
        space = SPATIAL_DIMS[:num_spatial_dims]
        return tuple(d for dim in self.dims for d in (space if dim == "space" else (dim,)))

    @property
    def attrs(self) -> dict[str, str]:
        """The attributes that a labeled array of this variable carries, as CF has them."""
        attrs = {"long_name": self.long_name, "description": self.description}
        if self.kind != "text":
            attrs["units"] = self.units
        for key, value in (
            ("standard_name", self.standard_name),
            ("axis", self.axis),
            ("config", self.config),
        ):
            if value is not None:
                attrs[key] = value
        return attrs


def table(*entries: Variable) -> dict[str, Variable]:
    """Return declarations by name."""
    return {entry.name: entry for entry in entries}


def label_of(config: str) -> str:
    """Return the words for a metric's config string."""
    name, *fields = config.split(";")
    return name.replace("_", " ") + (f" ({', '.join(fields)})" if fields else "")


TRAIN_SOLVER = "train_solver_"
"""The prefix, before the metric's name, of errors of the solver of the training data."""


def train_solver_metric(metric: Variable | None) -> Variable | None:
    """Return the declaration of the errors of the solver that made the training data.

    Parameters
    ----------
    metric
        The declaration of the emulators' errors, whose mean or whose twin it is; None for none.
    """
    if metric is None:
        return None
    return replace(
        metric,
        name=f"{TRAIN_SOLVER}{metric.name}",
        dims=tuple(dim for dim in metric.dims if dim != "seed"),
        long_name=f"{metric.long_name} of the solver of the training data",
        description="Error of that solver, from the test states, against the solver of the tests.",
    )
