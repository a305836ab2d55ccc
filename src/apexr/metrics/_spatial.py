"""Errors summed over the points of the grid.

For each channel the aggregate of a field s is A(s) = (Δxᴰ Σ |s|ᵖ)^q on a domain of extent 1;
the error of a sample is the sum over channels of

- absolute: A(u − r),
- normalised: A(u − r) / A(r),
- symmetric: 2 A(u − r) / (A(u) + A(r)).
"""

import abc
from typing import ClassVar, Literal

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.metrics._kind import Metric, metric

Mode = Literal["absolute", "normalized", "symmetric"]


class SpatialMetric(Metric):
    """The common form; a leaf states the two exponents and the mode."""

    inner: ClassVar[int]
    outer: ClassVar[float]
    mode: ClassVar[Mode]

    def sample_error(
        self, prediction: Float[Array, "channel *space"], target: Float[Array, "channel *space"]
    ) -> Float[Array, ""]:
        """Return the error of one predicted state, summed over channels."""
        error = self._aggregate(prediction - target)
        if self.mode == "normalized":
            error = error / self._aggregate(target)
        elif self.mode == "symmetric":
            error = 2 * error / (self._aggregate(prediction) + self._aggregate(target))
        return jnp.sum(error)

    def _aggregate(self, field: Float[Array, "channel *space"]) -> Float[Array, " channel"]:
        size = jnp.abs(field) if self.inner == 1 else field * field
        return jnp.mean(size, axis=tuple(range(1, field.ndim))) ** self.outer


class _MAE(SpatialMetric, abc.ABC):
    inner, outer = 1, 1.0


class _MSE(SpatialMetric, abc.ABC):
    inner, outer = 2, 1.0


class _RMSE(SpatialMetric, abc.ABC):
    inner, outer = 2, 0.5


@metric("mean_MAE")
class MAE(_MAE):
    """mean_MAE - mean absolute error."""

    mode = "absolute"
    formula = "Σ_c ⟨|u − r|⟩"


@metric("mean_nMAE")
class NormalizedMAE(_MAE):
    """mean_nMAE - mean absolute error over that of zero."""

    mode = "normalized"
    formula = "Σ_c ⟨|u − r|⟩ / ⟨|r|⟩"


@metric("mean_sMAE")
class SymmetricMAE(_MAE):
    """mean_sMAE - mean absolute error over the mean of both magnitudes."""

    mode = "symmetric"
    formula = "Σ_c 2 ⟨|u − r|⟩ / (⟨|u|⟩ + ⟨|r|⟩)"
    span = "0 … 2 a channel"


@metric("mean_MSE")
class MSE(_MSE):
    """mean_MSE - mean squared error."""

    mode = "absolute"
    formula = "Σ_c ⟨(u − r)²⟩"


@metric("mean_nMSE")
class NormalizedMSE(_MSE):
    """mean_nMSE - mean squared error over that of zero."""

    mode = "normalized"
    formula = "Σ_c ⟨(u − r)²⟩ / ⟨r²⟩"


@metric("mean_sMSE")
class SymmetricMSE(_MSE):
    """mean_sMSE - mean squared error over the mean of both energies."""

    mode = "symmetric"
    formula = "Σ_c 2 ⟨(u − r)²⟩ / (⟨u²⟩ + ⟨r²⟩)"
    span = "0 … 4 a channel"


@metric("mean_RMSE")
class RMSE(_RMSE):
    """mean_RMSE - root of the mean squared error."""

    mode = "absolute"
    formula = "Σ_c ⟨(u − r)²⟩^½"


@metric("mean_nRMSE")
class NormalizedRMSE(_RMSE):
    """mean_nRMSE - root of the mean squared error over that of zero: the field's standard."""

    mode = "normalized"
    formula = "Σ_c ⟨(u − r)²⟩^½ / ⟨r²⟩^½"


@metric("mean_sRMSE")
class SymmetricRMSE(_RMSE):
    """mean_sRMSE - root of the mean squared error over the mean of both norms."""

    mode = "symmetric"
    formula = "Σ_c 2 ⟨(u − r)²⟩^½ / (⟨u²⟩^½ + ⟨r²⟩^½)"
    span = "0 … 2 a channel"
