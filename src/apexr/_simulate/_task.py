"""Trajectories computed block by block, into memory or into a store."""

import dataclasses
from collections.abc import Callable, Iterator

import jax
import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from apexr import labels
from apexr._simulate._cut import Cut, Size, cut_for_memory, cut_for_store
from apexr._simulate._solver import Solver
from apexr._simulate._states import Start
from apexr._typing import PathInput
from apexr.errors import warn
from apexr.experiment import machine
from apexr.experiment._resolution import look_at
from apexr.steppers import March, blocks

Sink = Callable[[slice, slice, np.ndarray], None]
"""Takes the values of a block of samples and frames."""


@dataclasses.dataclass(frozen=True)
class Lengths:
    """How many steps are made and which of them are kept."""

    steps: int
    warmup: int
    every: int
    include_init: bool

    @property
    def kept(self) -> np.ndarray:
        """The numbers of the steps that are kept."""
        first = 0 if self.include_init else self.every
        return np.arange(first, self.steps + 1, self.every)


@dataclasses.dataclass(frozen=True)
class Task:
    """Trajectories that are about to be computed."""

    solver: Solver
    start: Start
    lengths: Lengths
    march: March
    devices: tuple[jax.Device, ...]
    progress: bool

    @property
    def size(self) -> Size:
        """How much there is to compute."""
        states = self.start.states
        at_once = None if self.march.together else max(1, len(self.devices))
        frames = len(self.lengths.kept)
        return Size(len(states), frames, states.shape[1:], states.dtype.itemsize, at_once)

    def in_memory(self, budget: int) -> xr.DataArray:
        """Return the trajectories as an array in memory."""
        cut = cut_for_memory(self.size, budget)
        values: np.ndarray | None = None

        def sink(samples: slice, frames: slice, block: np.ndarray) -> None:
            nonlocal values
            if block.shape == self._shape:
                values = np.require(block, requirements="W")
                return
            values = self._nothing() if values is None else values
            values[samples, frames] = block

        diverged = self._fill(cut, sink)
        values = self._nothing() if values is None else values
        return self._looked_at(self._labeled(values, diverged))

    def _nothing(self) -> np.ndarray:
        return np.full(self._shape, np.nan, self.start.states.dtype)

    def in_store(self, budget: int, store: PathInput, overwrite: bool) -> xr.DataArray:
        """Return the trajectories, written to a store, lazily."""
        from apexr import store as stores  # Zarr is slow to import

        cut, size = cut_for_store(self.size, budget), self.size
        stores.check_trajectories(store, size.result, overwrite=overwrite)
        nothing = np.broadcast_to(np.zeros((), self.start.states.dtype), self._shape)
        template = self._labeled(nothing, np.full(size.num_samples, -1))
        with stores.writing_trajectories(
            template, store, cut.chunks, overwrite=overwrite
        ) as writer:
            diverged = self._fill(cut, writer.write)
            writer.set_coordinate("diverged_at", diverged)
        return self._looked_at(stores.open_trajectories(store))

    def _looked_at(self, made: xr.DataArray) -> xr.DataArray:
        """Return trajectories, with a warning where a scenario's are not resolved."""
        if self.solver.scenario is not None:
            look_at(self.solver.scenario, self.solver.step, made)
        return made

    @property
    def _shape(self) -> tuple[int, ...]:
        states = self.start.states
        return (len(states), len(self.lengths.kept), *states.shape[1:])

    def _labeled(self, values: np.ndarray, diverged: np.ndarray) -> xr.DataArray:
        kept = {"num_warmup_steps": self.lengths.warmup, "save_every": self.lengths.every}
        return labels.trajectories(
            values,
            self.solver.axes,
            attrs={**self.solver.attrs, **self.start.attrs, **kept, **machine()},
            steps=self.lengths.kept,
            samples=self.start.samples,
            diverged_at=diverged,
        )

    def _fill(self, cut: Cut, sink: Sink) -> np.ndarray:
        """Compute all blocks into the sink; return at which step each sample diverged, or -1."""
        steps = self.lengths.kept
        diverged = np.full(cut.size.num_samples, -1)
        for samples, frames, block, finite in self._blocks(cut):
            sink(samples, frames, block)
            lost = ~finite.all(axis=1) & (diverged[samples] < 0)
            found = steps[frames][np.argmin(finite, axis=1)]
            diverged[samples] = np.where(lost, found, diverged[samples])
        self._warn(diverged)
        return diverged

    def _blocks(self, cut: Cut) -> Iterator[tuple[slice, slice, np.ndarray, np.ndarray]]:
        total = cut.size.num_samples * cut.size.num_frames
        shown = self.progress and cut.group * cut.block < total
        with tqdm(total=total, desc="simulate", unit="frame", disable=not shown) as bar:
            for samples in cut.groups():
                first = 0
                for block, finite in self._of(samples, cut):
                    frames = slice(first, first + block.shape[1])
                    yield samples, frames, block, finite
                    first = frames.stop
                    bar.update(finite.size)

    def _of(self, samples: slice, cut: Cut) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return blocks(
            self.march,
            self.start.states[samples],
            cut.size.num_frames,
            cut.block,
            num_warmup_steps=self.lengths.warmup,
            include_init=self.lengths.include_init,
            devices=self.devices,
        )

    def _warn(self, diverged: np.ndarray) -> None:
        lost = np.flatnonzero(diverged >= 0)
        if not len(lost):
            return
        sample = lost[np.argmin(diverged[lost])]
        step, dt = diverged[sample], self.solver.axes.dt
        time = "" if dt is None else f" (time {step * dt:g})"
        where = "in the warm-up" if step == 0 else f"by step {step}{time}"
        warn(
            f"{len(lost)} of {len(diverged)} trajectories diverged, the first, sample {sample},"
            f" {where}; what came before is kept, the rest is NaN or infinite. Take a smaller"
            " time step (dt, or num_substeps), a higher order, or more points"
        )
