"""Spectral convolutions along one axis, as real matrix products with the kept waves alone."""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr.kernels import factors, summed
from apexr.networks._spectral import pruned_dft


def mix_lines(
    x: Float[Array, "in batch *space"],
    real: Float[Array, "out in mode"],
    imag: Float[Array, "out in mode"],
    *,
    axis: int = 0,
    num_points: int | None = None,
) -> Float[Array, "out batch *space_out"]:
    """Return the batch with the lowest waves along an axis mixed and all others removed.

    Parameters
    ----------
    x
        Fields.
    real, imag
        The complex matrix of each wave, from the constant on.
    axis
        Along which axis of space.
    num_points
        Points along the axis of the result, if they are others than those of ``x``.
    """
    waves, given = real.shape[-1], x.shape[2 + axis]
    points = num_points or given
    forward, backward = _matrices(given, points, waves, str(x.dtype))
    letters = "uvw"[: x.ndim - 2]
    rest = letters.replace(letters[axis], "")
    parts = jnp.einsum(f"{letters[axis]}mr,cb{letters}->mrcb{rest}", forward, x)
    matrices, stacked = factors(
        _real_matrices(real, imag), parts.reshape(waves, 2 * x.shape[0], -1)
    )
    mixed = summed(jnp.matmul(matrices, stacked))
    mixed = mixed.reshape(waves, 2, real.shape[0], *parts.shape[3:])
    return jnp.einsum(f"mrob{rest},mr{letters[axis]}->ob{letters}", mixed, backward)


def _real_matrices(
    real: Float[Array, "out in mode"], imag: Float[Array, "out in mode"]
) -> Float[Array, "mode out2 in2"]:
    """Return the matrices that act on real and imaginary parts, one upon the other."""
    rows = jnp.concatenate([real, imag], axis=0)
    turned = jnp.concatenate([-imag, real], axis=0)
    return jnp.moveaxis(jnp.concatenate([rows, turned], axis=1), 2, 0)


@functools.cache
def _matrices(given: int, points: int, waves: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return transform ``(point, wave, 2)`` and inverse ``(wave, 2, point)``, on two grids."""
    forward, _ = pruned_dft(given, waves, dtype)
    _, backward = pruned_dft(points, waves, dtype)
    scale = np.asarray(points / given, dtype)
    return np.ascontiguousarray(forward.swapaxes(1, 2)), scale * backward.swapaxes(0, 1)
