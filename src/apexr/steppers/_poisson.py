"""The Poisson equation, solved exactly by one division in Fourier space."""

from functools import partial
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Complex, Float

from apexr.errors import ShapeError, SpecError
from apexr.spectral import Grid, fft, ifft, laplacian
from apexr.steppers._arrays import check_count, default_float, on_device


class Poisson(eqx.Module):
    """Solves ``-Σ_d ∂_d^order u = f`` for the solution of zero mean, channel by channel.

    A periodic solution exists only for a right-hand side of zero mean: the mean of ``f`` is
    ignored. Callable like a stepper, it takes ``f`` to ``u``; it knows no time.

    Parameters
    ----------
    grid
        The grid of ``f`` and ``u``.
    order
        An even number of at least 2. Order 2 is the Laplacian; axes are not mixed above it.

    Raises
    ------
    SpecError
        If ``order`` is odd, below 2 or not whole.

    Examples
    --------
    >>> grid = Grid(1, 32, 2 * np.pi)
    >>> u = Poisson(grid)(np.sin(3 * grid.coordinates))  # sin(3 x) / 9
    """

    grid: Grid = eqx.field(static=True)
    order: int = eqx.field(static=True)
    inverse: Complex[Array, "1 *spectrum"]

    def __init__(self, grid: Grid, order: int = 2) -> None:
        check_count("order", order, minimum=2)
        if order % 2:
            raise SpecError(f"order of a Poisson equation must be even, got {order}")
        symbol = laplacian(grid, int(order))
        solvable = symbol != 0
        self.grid, self.order = grid, int(order)
        self.inverse = on_device(np.where(solvable, -1 / np.where(solvable, symbol, 1), 0))

    def step_fourier(self, f_hat: Complex[Array, "any *spectrum"]) -> Array:
        """Return the spectrum of ``u`` from that of ``f``."""
        return self.inverse * f_hat

    def __call__(self, f: Float[Any, "any *space"]) -> Float[Array, "any *space"]:
        """Return ``u``.

        Raises
        ------
        ShapeError
            If ``f`` is not ``(any, *space)`` of this grid.
        """
        if len(given := np.shape(f)) == 0 or given[1:] != self.grid.shape:
            sizes = ", ".join(map(str, ("any", *self.grid.shape)))
            raise ShapeError(f"expected a shape (channel, *space) = ({sizes}), got {given}")
        return _solve(self.inverse, self.grid, on_device(f, default_float()))


@partial(jax.jit, static_argnums=1)
def _solve(inverse: Array, grid: Grid, f: Array) -> Array:
    return ifft(inverse * fft(f, grid.num_spatial_dims), grid)
