"""Errors summed over the wavenumbers of a band, of the fields or of their derivatives.

For each channel the aggregate of a field s with the coefficients ŝ of its real transform is

    F(s) = Σ_d (N⁻ᴰ Σ_k w_k (|2π k_d|^m |ŝ_k|)ᵖ / Nᴰ)^q

on a domain of extent 1, where d counts the components of the derivative of order m and w_k is 2
where an entry stands for two conjugate wavenumbers, else 1. The band is LOW <= max_d |k_d| <=
HIGH. For p = 2 the sum over all wavenumbers, without derivative, is the one over the points
(Parseval). Coefficients below 10⁻⁵ are taken as zero: they are what rounding leaves.
"""

from functools import lru_cache
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr.errors import SpecError
from apexr.metrics._kind import Metric
from apexr.spectral import Grid, fft, grid_of, low_pass_mask, scaling, wavenumbers

_NOISE = 1e-5


class SpectralMetric(Metric):
    """What the families below share; a leaf states the two exponents and whether it is relative.

    Metrics that are scored in one program share the transforms of the error and of the reference.
    """

    inner: ClassVar[int]
    outer: ClassVar[float]
    relative: ClassVar[bool]

    def band_error(
        self,
        prediction: Float[Array, "channel *space"],
        target: Float[Array, "channel *space"],
        band: tuple[int, int],
        order: float | None,
    ) -> Float[Array, ""]:
        """Return the error within a band, summed over channels.

        Parameters
        ----------
        prediction, target
            One state.
        band
            Lowest and highest wavenumber.
        order
            Order of the derivative; None for the field itself.
        """
        grid = grid_of(target)
        weights, scale = _weights(grid, *band, order, self.inner)
        error = self._aggregate(prediction - target, weights)
        if self.relative:
            return jnp.sum(error / self._aggregate(target, weights))
        return jnp.sum(error) * scale**self.outer

    def _aggregate(
        self, field: Float[Array, "channel *space"], weights: Float[np.ndarray, "dim *spectrum"]
    ) -> Float[Array, " channel"]:
        coefficients = fft(field, field.ndim - 1)
        power = coefficients.real**2 + coefficients.imag**2
        power = jnp.where(power < _NOISE**2, 0, power)  # written so that NaN stays
        size = jnp.sqrt(power) if self.inner == 1 else power
        sums = jnp.einsum("c...,d...->cd", size, jnp.asarray(weights, size.dtype))
        return jnp.sum(sums**self.outer, axis=1)


@lru_cache(maxsize=64)
def _weights(
    grid: Grid, low: int, high: int, order: float | None, power: int
) -> tuple[Float[np.ndarray, "dim *spectrum"], float]:
    """Return the weight of each entry in the sum of ``|ŝ|^power``, and what to multiply it by.

    The largest weight is one, so that high derivatives do not overflow where they divide out.
    """
    band = low_pass_mask(grid, high) & ~low_pass_mask(grid, low - 1)
    weights = band / (scaling(grid, "reconstruction") * grid.size)
    if order is not None:
        weights = weights * np.abs(2 * np.pi * wavenumbers(grid)) ** (order * power)
    scale = float(weights.max()) or 1.0
    weights = weights / scale
    weights.setflags(write=False)
    return weights, scale


def check_band(low: int, high: int) -> None:
    """Refuse a band that holds nothing.

    Raises
    ------
    SpecError
        If its bounds are the wrong way round.
    """
    if low > high:
        raise SpecError(f"LOW must be at most HIGH, got {low} and {high}")
