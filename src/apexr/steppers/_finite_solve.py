"""Linear systems on a periodic grid: three bands, few bands, or any operator.

One axis and stencils of three points give three bands and two corners, which cost O(N). Wider
stencils on one axis are solved by a dense LU decomposition. On several axes a dense matrix would
have N^2D entries: there the system is solved by BiCGSTAB without a matrix, preconditioned by the
part with constant coefficients, which the Fourier transform inverts.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from apexr.spectral import Grid, fft, ifft

FEWEST_FOR_BANDS = 8
MOST_FOR_DENSE = 1024
"""Points up to which a matrix of few bands is decomposed as a dense one."""
_MOST_ITERATIONS = 200
_ROUNDING_UNITS = 20.0
Operator = Callable[[Array], Array]


def solve_bands(
    bands: dict[int, Float[Array, " x"]], right: Float[Array, "channel x"]
) -> Float[Array, "channel x"]:
    """Return the solution on one axis; band ``m`` multiplies the value ``m`` points ahead."""
    points = right.shape[-1]
    if max(map(abs, bands)) > 1 or points < FEWEST_FOR_BANDS:
        matrix = sum(jnp.roll(jnp.diag(band), m, axis=1) for m, band in bands.items())
        return jnp.linalg.solve(matrix, right.T).T
    return _cyclic(bands[-1], bands[0], bands[1], right)


def _cyclic(
    lower: Float[Array, " x"],
    middle: Float[Array, " x"],
    upper: Float[Array, " x"],
    right: Float[Array, "channel x"],
) -> Float[Array, "channel x"]:
    """Return the solution for three bands and two corners (Sherman and Morrison 1950)."""
    first_corner, last_corner = lower[0], upper[-1]
    shift = -middle[0]
    inner = middle.at[0].add(-shift).at[-1].add(-first_corner * last_corner / shift)
    ends = jnp.zeros_like(middle).at[0].set(shift).at[-1].set(last_corner)
    solved = jax.lax.linalg.tridiagonal_solve(
        lower.at[0].set(0), inner, upper.at[-1].set(0), jnp.vstack([right, ends]).T
    ).T
    plain, correction = solved[:-1], solved[-1]
    weight = first_corner / shift
    seen = plain[:, 0] + weight * plain[:, -1]
    share = seen / (1 + correction[0] + weight * correction[-1])
    return plain - share[:, None] * correction


def solve_operator(
    operator: Operator,
    right: Float[Array, "channel *space"],
    guess: Float[Array, "channel *space"],
    inverse: Complex[Array, "1 *spectrum"],
    grid: Grid,
) -> Float[Array, "channel *space"]:
    """Return the solution for any operator, up to rounding.

    Parameters
    ----------
    operator
        The matrix, as a function.
    right, guess
        The right-hand side, and where the iteration begins.
    inverse
        Symbol of the preconditioner, an approximate inverse.
    grid
        Of the states.
    """

    def precondition(u: Array) -> Array:
        return ifft(inverse * fft(u, grid.num_spatial_dims), grid)

    tolerance = _ROUNDING_UNITS * float(np.finfo(right.dtype).eps)
    options: Any = {"tol": tolerance, "maxiter": _MOST_ITERATIONS, "M": precondition}
    solution, _ = jax.scipy.sparse.linalg.bicgstab(operator, right, x0=guess, **options)
    return solution
