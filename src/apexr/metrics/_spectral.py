"""Errors summed over the wavenumbers of a band, of the fields or of their derivatives.

For each channel the aggregate of a field s with the coefficients ŝ of its real transform is

    F(s) = Σ_d (N⁻ᴰ Σ_k w_k (|2π k_d|^m |ŝ_k|)ᵖ / Nᴰ)^q

on a domain whose longest axis has the extent 1, where d counts the components of the derivative
of order m and w_k is 2 where an entry stands for two conjugate wavenumbers, else 1. The band is
LOW <= max_d |k_d| <= HIGH, the k_d being in units of 2π over the longest axis. For p = 2 the sum
over all wavenumbers, without derivative, is the one over the points (Parseval). Coefficients below
10⁻⁵, of fields smaller than 1 below 10⁻⁵ of their size, are taken as zero: they are what rounding
leaves.
"""

from functools import lru_cache
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr.errors import SpecError
from apexr.metrics._domain import DomainMetric, Fields
from apexr.metrics._kind import Metric
from apexr.metrics._scale import scale_of, scales
from apexr.spectral import Grid, fft, scaling, wave_vectors

_NOISE = 1e-5
_ROUNDING = 1e-9  # of ratios of lengths


class SpectralMetric(DomainMetric):
    """The common part of these families; a leaf states two exponents and whether it is relative.

    Metrics that are scored in one program share the transforms of the error and of the reference.
    """

    inner: ClassVar[int]
    outer: ClassVar[float]
    relative: ClassVar[bool]

    def on(self, fields: Fields) -> Metric:
        """Return the metric of these states: itself where all axes are equally long."""
        return super().on(fields) if isinstance(fields.grid.domain_extent, tuple) else self

    def band_error(
        self,
        prediction: Float[Array, "channel *space"],
        target: Float[Array, "channel *space"],
        band: tuple[int, int],
        order: float | None,
        fields: Fields,
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
        fields
            Of which only the ratios of the lengths of the axes matter.
        """
        weights, unit = _weights(fields.grid, *band, order, self.inner)
        error = prediction - target
        own, held = scales(error, *((target,) if self.relative else ()))
        size = self._aggregate(error, weights)
        ratio = (own / held).reshape(-1) ** round(self.inner * self.outer)
        if self.relative:
            return jnp.sum(size / self._aggregate(target, weights) * ratio)
        return jnp.sum(size * ratio) * unit**self.outer

    def _aggregate(
        self, field: Float[Array, "channel *space"], weights: Float[np.ndarray, "dim *spectrum"]
    ) -> Float[Array, " channel"]:
        """Return the aggregate of a field divided by its scale.

        The scale is the field's own, whatever it is compared with, so that metrics share the
        transform.
        """
        scale = scale_of(field)
        scale = jnp.where(scale == 0, 1, scale)
        coefficients = fft(field / scale, field.ndim - 1)
        power = coefficients.real**2 + coefficients.imag**2
        noise = (_NOISE / jnp.maximum(scale, 1)) ** 2
        power = jnp.where(power < noise, 0, power)  # written so that NaN stays
        size = jnp.sqrt(power) if self.inner == 1 else power
        sums = jnp.einsum(
            "c...,d...->cd", size, jnp.asarray(weights, size.dtype), precision="highest"
        )
        return jnp.sum(sums**self.outer, axis=1)


@lru_cache(maxsize=64)
def _weights(
    grid: Grid, low: int, high: int, order: float | None, power: int
) -> tuple[Float[np.ndarray, "dim *spectrum"], float]:
    """Return the weight of each entry in the sum of ``|ŝ|^power``, and what to multiply it by.

    The largest weight is one, so that high derivatives do not overflow where they divide out.
    """
    vectors = wave_vectors(grid)
    longest = np.max(np.abs(vectors), axis=0, keepdims=True)
    band = (longest >= low - _ROUNDING) & (longest <= high + _ROUNDING)
    weights = band / (scaling(grid, "reconstruction") * grid.size)
    if order is not None:
        weights = weights * np.abs(2 * np.pi * vectors) ** (order * power)
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
