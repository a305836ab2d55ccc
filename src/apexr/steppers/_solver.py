"""Steppers as parts of what is trained: constants that map whole batches."""

import abc
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from apexr._parts import Constant, Structure
from apexr._typing import Step
from apexr.spectral import Grid, fft, ifft
from apexr.steppers._arrays import on_device
from apexr.steppers._stepper import Kernel, Stepper

States = Float[Array, "channel batch *space"]
ReceptiveField = tuple[tuple[float, float], ...]


class Solver(Constant):
    """A solver inside a corrected emulator or a loss.

    It is no part of what is trained: gradients flow through its states, none to its own arrays.
    All leaves are arrays, so that solvers of equal shapes share compiled code.
    """

    @abc.abstractmethod
    def batched(self, states: States) -> States:
        """Return every state of a batch one step later."""

    def receptive_field(self, grid: Grid) -> ReceptiveField:
        """Return, for each axis, how many points (back, forward) one output point sees."""
        return ((float("inf"), float("inf")),) * grid.num_spatial_dims

    def __call__(self, state: Float[Array, "channel *space"]) -> Float[Array, "channel *space"]:
        """Return one state one step later."""
        return self.batched(state[:, None])[:, 0]


class SpectralSolver(Solver):
    """A :class:`Stepper` without its metadata; sees the whole domain."""

    kernel: Kernel
    grid: Grid = eqx.field(static=True)

    def batched(self, states: States) -> States:
        """Return every state one step later; there is one Fourier transform for all."""
        kernel = jax.lax.stop_gradient(self.kernel)
        spectra = fft(states, self.grid.num_spatial_dims)
        return ifft(jax.vmap(kernel, in_axes=1, out_axes=1)(spectra), self.grid)


class ForeignSolver(Solver):
    """Any function of one state, such as a model of another package."""

    arrays: Any
    structure: Structure = eqx.field(static=True)

    @property
    def _step(self) -> Any:
        return self.structure.filled(jax.lax.stop_gradient(self.arrays))

    def batched(self, states: States) -> States:
        """Return every state one step later."""
        return jax.vmap(self._step, in_axes=1, out_axes=1)(states)  # type: ignore[no-any-return]

    def receptive_field(self, grid: Grid) -> ReceptiveField:
        """Return what the function's own ``receptive_field(grid)`` gives, else everything."""
        own = getattr(self._step, "receptive_field", super().receptive_field)
        return own(grid)  # type: ignore[no-any-return]


def as_solver(stepper: Step) -> Solver:
    """Return a stepper of apexr, or any function of one state, as a constant of batches."""
    if isinstance(stepper, Solver):
        return stepper
    if isinstance(stepper, Stepper):
        return SpectralSolver(stepper.kernel, stepper.grid)
    placed = jax.tree.map(lambda x: on_device(x) if isinstance(x, np.ndarray) else x, stepper)
    arrays, static = eqx.partition(placed, eqx.is_array)
    leaves, treedef = jax.tree.flatten(static)
    return ForeignSolver(arrays, Structure(tuple(leaves), treedef))
