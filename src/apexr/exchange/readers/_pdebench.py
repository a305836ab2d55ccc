"""PDEBench: four layouts of its HDF5 files.

References
----------
Takamoto et al. (2022), "PDEBench: An Extensive Benchmark for Scientific Machine Learning", NeurIPS
Datasets and Benchmarks, arXiv:2210.07182.
"""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from apexr.errors import SpecError
from apexr.exchange.readers._hdf5 import Hdf5, read
from apexr.exchange.readers._recording import (
    Axis,
    Constant,
    Field,
    Recording,
    axis_of,
    check_frame,
    component_labels,
    numbered,
    step_of,
)
from apexr.exchange.readers._registry import Reader, reader

FIRST_TENTH = "first;0.1"
"""How the benchmark splits a single file: the first tenth is for testing."""

MOST_TEXT = 2**16
"""Letters of a configuration above which it is not read."""

_FLOW = ("density", "pressure", "Vx", "Vy", "Vz")


@reader
class PDEBench(Reader):
    """``tensor (N, T, X…)`` with ``x-coordinate`` and ``t-coordinate``."""

    name = "pdebench"

    def recognises(self, file: Hdf5) -> bool:
        """Tell whether there is one array of all trajectories, with its coordinates."""
        return file.is_dataset("tensor") and file.is_dataset("x-coordinate")

    def recordings(self, file: Hdf5) -> list[Recording]:
        """Return the trajectories of the file."""
        shape = file.dataset("tensor").shape
        return [_recording(self.name, file, {"tensor": ("u",)}, shape)]


@reader
class PDEBenchFlow(Reader):
    """Compressible flow: ``density``, ``pressure``, ``Vx``, … ``(N, T, X…)``."""

    name = "pdebench_flow"

    def recognises(self, file: Hdf5) -> bool:
        """Tell whether the fields of a compressible flow are there."""
        return file.is_dataset("density") and file.is_dataset("Vx")

    def recordings(self, file: Hdf5) -> list[Recording]:
        """Return the trajectories of the file."""
        shape = file.dataset("density").shape
        names = [name for name in _FLOW if file.is_dataset(name)]
        wrong = [name for name in names if file.dataset(name).shape != shape]
        if wrong:
            raise SpecError(f"{file.where}: {wrong[0]} has another shape than density, {shape}")
        return [_recording(self.name, file, {name: (name,) for name in names}, shape)]


def _recording(
    layout: str, file: Hdf5, fields: Mapping[str, tuple[str, ...]], shape: tuple[int, ...]
) -> Recording:
    """Return trajectories of whole arrays ``(N, T, *space)``."""
    if not 3 <= len(shape) <= 5:
        raise SpecError(f"{file.where}: expected arrays (N, T, X…), got the shape {shape}")
    check_frame(shape[2:], 8, file.where)
    axes = tuple(
        _axis(file, name, f"{name}-coordinate", count)
        for name, count in zip("xyz", shape[2:], strict=False)
    )
    times = file.small("t-coordinate")  # often one longer than the trajectories
    return Recording(
        layout=layout,
        where=file.where,
        num_trajectories=shape[0],
        num_frames=shape[1],
        axes=axes,
        fields=tuple(
            Field(labels[0], labels, _frames_of(file, path)) for path, labels in fields.items()
        ),
        constants=_numbers(file.attributes()),
        dt=step_of(times, f"{file.where}: t-coordinate", shape[1]) if shape[1] > 1 else None,
        usual_split=FIRST_TENTH,
    )


def _axis(file: Hdf5, name: str, path: str, count: int) -> Axis:
    if not file.is_dataset(path):
        return Axis(name, count)
    axis = axis_of(name, file.small(path), f"{file.where}: {path}")
    if axis.num_points != count:
        raise SpecError(f"{file.where}: {path} has {axis.num_points} entries for {count} points")
    return axis


def _frames_of(file: Hdf5, path: str) -> Any:
    def frames(sample: int, first: int, last: int) -> np.ndarray:
        return read(file.dataset(path), (sample, slice(first, last)), file.where)[:, None]

    return frames


def _numbers(attributes: Mapping[str, Any]) -> tuple[Constant, ...]:
    """Return the numbers among attributes, as constants of all trajectories."""
    return tuple(
        Constant(name, (name,), functools.partial(_same, np.asarray([value], np.float64)))
        for name, value in attributes.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    )


def _same(value: np.ndarray, sample: int) -> np.ndarray:
    return value


@reader
class PDEBenchGroups(Reader):
    """A group a trajectory, ``0000``, …: ``data (T, X…, V)`` and ``grid/x``, ``grid/t``."""

    name = "pdebench_groups"

    def recognises(self, file: Hdf5) -> bool:
        """Tell whether all names are numbers, with data below them."""
        keys = file.keys()
        return bool(keys) and all(map(str.isdigit, keys)) and file.is_dataset(f"{keys[0]}/data")

    def recordings(self, file: Hdf5) -> list[Recording]:
        """Return the trajectories of the file."""
        keys = file.keys()
        shape = file.dataset(f"{keys[0]}/data").shape
        if not 3 <= len(shape) <= 5:
            raise SpecError(f"{file.where}: expected data (T, X…, V), got the shape {shape}")
        check_frame(shape[1:], 8, file.where)

        def frames(sample: int, first: int, last: int) -> np.ndarray:
            node = file.dataset(f"{keys[sample]}/data")
            if node.shape != shape:
                raise SpecError(
                    f"{file.where}: {keys[sample]}/data has the shape {node.shape}, that of"
                    f" {keys[0]} is {shape}"
                )
            return np.moveaxis(read(node, slice(first, last), file.where), -1, 1)

        grid = f"{keys[0]}/grid"
        axes = tuple(
            _axis(file, name, f"{grid}/{name}", count)
            for name, count in zip("xyz", shape[1:-1], strict=False)
        )
        times = file.small(f"{grid}/t")
        labels = numbered("data", shape[-1])
        return [
            Recording(
                layout=self.name,
                where=file.where,
                num_trajectories=len(keys),
                num_frames=shape[0],
                axes=axes,
                fields=(Field("data", labels, frames),),
                constants=_configured(file, keys),
                dt=step_of(times, f"{file.where}: {grid}/t", shape[0]) if shape[0] > 1 else None,
                usual_split=FIRST_TENTH,
            )
        ]


def _configured(file: Hdf5, keys: list[str]) -> tuple[Constant, ...]:
    """Return the numbers of the configuration that stands at each trajectory."""

    @functools.lru_cache(maxsize=len(keys))
    def numbers(sample: int) -> dict[str, float]:
        return _numbers_of_yaml(file.attributes(keys[sample]).get("config"))

    def value(name: str, sample: int) -> np.ndarray:
        held = numbers(sample)
        if name not in held:
            raise SpecError(f"{file.where}: the configuration of {keys[sample]} lacks {name!r}")
        return np.asarray([held[name]])

    return tuple(Constant(name, (name,), functools.partial(value, name)) for name in numbers(0))


def _numbers_of_yaml(text: Any) -> dict[str, float]:
    """Return the numbers of a configuration by name; it is data, and nothing of it is run."""
    if not isinstance(text, str) or len(text) > MOST_TEXT:
        return {}
    import yaml  # reading recordings alone needs it

    try:
        told = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    tables = [told, *told.values()] if isinstance(told, dict) else []
    return {
        str(name): float(value)
        for table in tables
        if isinstance(table, dict)
        for name, value in table.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


@reader
class PDEBenchIncompressible(Reader):
    """Incompressible flow: ``velocity (B, T, X, Y, 2)``, ``particles``, ``force``, ``t (B, T)``."""

    name = "pdebench_incompressible"

    def recognises(self, file: Hdf5) -> bool:
        """Tell whether velocities with their components in the end are there, and times."""
        return (
            file.is_dataset("velocity")
            and file.is_dataset("t")
            and len(file.dataset("velocity").shape) == 5
        )

    def recordings(self, file: Hdf5) -> list[Recording]:
        """Return the trajectories of the file."""
        shape = file.dataset("velocity").shape
        check_frame(shape[2:], 8, file.where)
        times = np.atleast_2d(file.small("t"))
        steps = [step_of(row, f"{file.where}: t", shape[1]) for row in times]
        if max(steps) - min(steps) > 1e-3 * steps[0]:
            raise SpecError(f"{file.where}: dt varies from {min(steps)} to {max(steps)}")
        fields = [_last_axis(file, "velocity", component_labels("velocity", shape[-1]))]
        if file.is_dataset("particles"):
            count = file.dataset("particles").shape[-1]
            fields.append(_last_axis(file, "particles", numbered("particles", count)))
        return [
            Recording(
                layout=self.name,
                where=file.where,
                num_trajectories=shape[0],
                num_frames=shape[1],
                axes=tuple(Axis(name, count) for name, count in zip("xy", shape[2:4], strict=True)),
                fields=tuple(fields),
                constants=_force(file),
                dt=steps[0],
                usual_split=FIRST_TENTH,
            )
        ]


def _last_axis(file: Hdf5, path: str, labels: tuple[str, ...]) -> Field:
    def frames(sample: int, first: int, last: int) -> np.ndarray:
        values = read(file.dataset(path), (sample, slice(first, last)), file.where)
        return np.moveaxis(values, -1, 1)

    return Field(path, labels, frames)


def _force(file: Hdf5) -> tuple[Constant, ...]:
    if not file.is_dataset("force"):
        return ()
    labels = component_labels("force", file.dataset("force").shape[-1])

    def state(sample: int) -> np.ndarray:
        return np.moveaxis(read(file.dataset("force"), sample, file.where), -1, 0)

    return (Constant("force", labels, state),)
