"""PDEArena: a group for each part of a split, with one array a field.

References
----------
Gupta & Brandstetter (2023), "Toward Multi-spatiotemporal-scale Generalized PDE Modeling", TMLR,
arXiv:2209.15616.
"""

import functools
import re

import numpy as np

from apexr.errors import SpecError
from apexr.exchange.readers._hdf5 import Hdf5, read
from apexr.exchange.readers._recording import (
    PARTS,
    Axis,
    Constant,
    Field,
    Part,
    Recording,
    axis_of,
    check_frame,
    equal_step,
    shortest,
    step_of,
)
from apexr.exchange.readers._registry import Reader, reader

_IN_1D = re.compile(r"pde_\d+-\d+")
_COORDINATES = ("t", "dt", "x", "dx", "y", "dy", "z", "dz")


@reader
class PDEArena(Reader):
    """Groups ``train``, ``valid``, ``test`` of arrays ``(N, T, X…)``, ``dt``, ``dx``."""

    name = "pdearena"

    def recognises(self, file: Hdf5) -> bool:
        """Tell whether there is nothing but groups of the parts, with times in them."""
        keys = file.keys()
        return bool(keys) and all(
            key in PARTS and {"t", "dt"} & set(file.keys(key)) for key in keys
        )

    def recordings(self, file: Hdf5) -> list[Recording]:
        """Return the trajectories of each part."""
        return [self._of_part(file, part) for part in PARTS if file.keys(part)]

    def _of_part(self, file: Hdf5, part: Part) -> Recording:
        shapes = {
            name: tuple(file.dataset(f"{part}/{name}").shape)
            for name in file.keys(part)
            if name not in _COORDINATES and file.is_dataset(f"{part}/{name}")
        }
        fields = {name: shape for name, shape in shapes.items() if len(shape) >= 3}
        shape = next(iter(fields.values()), ())
        wrong = [name for name, other in fields.items() if other != shape]
        if wrong or not shape:
            what = f"{wrong[0]} has another shape than {shape}" if wrong else "no fields (N, T, X…)"
            raise SpecError(f"{file.where}: {part}: {what}")
        check_frame(shape[2:], 8, file.where)
        numbers = [name for name, other in shapes.items() if other in ((), (shape[0],))]
        return Recording(
            layout=self.name,
            where=f"{file.where}: {part}",
            num_trajectories=shape[0],
            num_frames=shape[1],
            axes=tuple(
                _axis(file, part, name, count)
                for name, count in zip("xyz", shape[2:], strict=False)
            ),
            fields=tuple(_field(file, part, name) for name in fields),
            constants=tuple(_number(file, f"{part}/{name}", name) for name in numbers),
            dt=_dt(file, part, shape[1]),
            part=part,
        )


def _field(file: Hdf5, part: Part, name: str) -> Field:
    called = "u" if _IN_1D.fullmatch(name) else name

    def frames(sample: int, first: int, last: int) -> np.ndarray:
        index = (sample, slice(first, last))
        return read(file.dataset(f"{part}/{name}"), index, file.where)[:, None]

    return Field(called, (called,), frames)


def _number(file: Hdf5, path: str, name: str) -> Constant:
    @functools.cache
    def values() -> np.ndarray:
        return np.atleast_1d(file.small(path).astype(np.float64))

    def value(sample: int) -> np.ndarray:
        held = values()
        return held[[sample if len(held) > 1 else 0]]

    return Constant(name, (name,), value)


def _dt(file: Hdf5, part: Part, num_frames: int) -> float:
    if file.is_dataset(f"{part}/dt"):
        return equal_step(file.small(f"{part}/dt"), f"{file.where}: {part}/dt")
    where = f"{file.where}: {part}/t"
    rows = np.atleast_2d(file.small(f"{part}/t"))
    return equal_step([step_of(row, where, num_frames) for row in rows], where)


def _axis(file: Hdf5, part: Part, name: str, count: int) -> Axis:
    """Return an axis, whose length may be another one for each trajectory of some sets."""
    if file.is_dataset(f"{part}/{name}"):
        points = file.small(f"{part}/{name}")
        row = points[0] if points.ndim == 2 else points
        if len(row) == count:
            return axis_of(name, row, f"{file.where}: {part}/{name}")
    if file.is_dataset(f"{part}/d{name}"):
        steps = np.atleast_1d(file.small(f"{part}/d{name}"))
        if np.ptp(steps) <= 1e-3 * abs(steps[0]):
            return Axis(name, count, shortest(float(steps[0]), steps.dtype))
    return Axis(name, count)
