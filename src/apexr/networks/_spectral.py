"""The spectral convolution of Fourier neural operators."""

import itertools
from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, PRNGKeyArray

from apexr.kernels import factors, summed


class SpectralConv(eqx.Module):
    """Mixes the channels of the lowest Fourier modes, each with its own complex matrix.

    Parameters
    ----------
    num_spatial_dims, channels, modes
        Sizes. The first ``modes`` wavenumbers of the halved last axis are kept, and of the
        other axes the first and the last ``modes``.
    key
        Split in two: real part, imaginary part, each normal with deviation 1/channels².

    References
    ----------
    Li et al. (2021), "Fourier Neural Operator for Parametric Partial Differential Equations",
    ICLR, eq. 5.
    """

    weight_real: Float[Array, "block out in *modes"]
    weight_imag: Float[Array, "block out in *modes"]

    def __init__(
        self, num_spatial_dims: int, channels: int, modes: int, *, key: PRNGKeyArray
    ) -> None:
        real_key, imag_key = jax.random.split(key)
        blocks = 2 ** (num_spatial_dims - 1)
        shape = (blocks, channels, channels, *(modes,) * num_spatial_dims)
        scale = 1 / (channels * channels)
        self.weight_real = scale * jax.random.normal(real_key, shape)
        self.weight_imag = scale * jax.random.normal(imag_key, shape)

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the batch with its low modes mixed and all others removed."""
        if x.ndim == 3:
            return self._by_matrix(x)
        return self._by_fft(x)

    def _by_matrix(self, x: Float[Array, "in batch x"]) -> Float[Array, "out batch x"]:
        """1D: transform only the kept modes, as real matrix products."""
        forward, backward = pruned_dft(x.shape[-1], self.weight_real.shape[-1], str(x.dtype))
        modes = jnp.einsum("cbx,xrm->rmcb", x, forward)
        mixed = _mix_real(modes, self.weight_real[0], self.weight_imag[0])
        return jnp.einsum("rmob,rmx->obx", mixed, backward)

    def _by_fft(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        axes = tuple(range(2, x.ndim))
        spectrum = jnp.fft.rfftn(x, axes=axes)
        weight = jax.lax.complex(self.weight_real, self.weight_imag)
        mixed = jnp.zeros((weight.shape[1], *spectrum.shape[1:]), spectrum.dtype)
        for block, corner in enumerate(_corners(len(axes), weight.shape[-1])):
            mixed = mixed.at[corner].set(mix(weight[block], spectrum[corner]))
        return jnp.fft.irfftn(mixed, s=x.shape[2:], axes=axes)


def mix(
    weight: Complex[Array, "out in *modes"], modes: Complex[Array, "in batch *modes"]
) -> Complex[Array, "out batch *modes"]:
    weight, modes = factors(weight, modes)
    return summed(jnp.einsum("oi...,ib...->ob...", weight, modes))


def _mix_real(
    modes: Float[Array, "2 mode in batch"],
    real: Float[Array, "out in mode"],
    imag: Float[Array, "out in mode"],
) -> Float[Array, "2 mode out batch"]:
    """Return the complex product of weights and modes by one real product a mode."""
    rows = jnp.concatenate([real, imag], axis=0)  # (2 out, in, mode)
    turned = jnp.concatenate([-imag, real], axis=0)
    weight = jnp.moveaxis(jnp.concatenate([rows, turned], axis=1), 2, 0)  # (mode, 2 out, 2 in)
    stacked = jnp.moveaxis(modes, 0, 1).reshape(modes.shape[1], -1, modes.shape[-1])
    weight, stacked = factors(weight, stacked)
    mixed = summed(jnp.matmul(weight, stacked))
    return jnp.moveaxis(mixed.reshape(modes.shape[1], 2, real.shape[0], -1), 1, 0)


def _corners(num_spatial_dims: int, modes: int) -> Iterator[tuple[slice, ...]]:
    """Yield the index of each kept corner of the spectrum; the first axis varies fastest."""
    whole = slice(None)
    for signs in itertools.product((False, True), repeat=num_spatial_dims - 1):
        lead = (slice(-modes, None) if minus else slice(modes) for minus in reversed(signs))
        yield (whole, whole, *lead, slice(modes))


def pruned_dft(num_points: int, modes: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrices of the lowest modes of the real Fourier transform and its inverse.

    Returns
    -------
    forward
        ``(point, 2, mode)``: real and imaginary part of mode ``k`` of ``rfft``.
    backward
        ``(2, mode, point)``: the inverse transform of those modes, all others zero.
    """
    points, wavenumbers = np.arange(num_points), np.arange(modes)
    angle = 2 * np.pi * (np.outer(points, wavenumbers) % num_points) / num_points
    forward = np.stack([np.cos(angle), -np.sin(angle)], axis=1)
    once = (wavenumbers == 0) | (2 * wavenumbers == num_points)
    weight = np.where(once, 1.0, 2.0) / num_points
    backward = np.stack([(weight * np.cos(angle)).T, (-weight * np.sin(angle)).T])
    backward[1, once] = 0.0
    return forward.astype(dtype), backward.astype(dtype)
