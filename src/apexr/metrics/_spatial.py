"""Errors summed over the points of the grid.

For each channel the aggregate of a field s is A(s) = (Δxᴰ Σ |s|ᵖ)^q on a domain of extent 1;
the error of a sample is the sum over channels of

- absolute: A(u − r),
- normalized: A(u − r) / A(r),
- symmetric: 2 A(u − r) / (A(u) + A(r)).

Joint errors have one aggregate of all channels together, the mean over points and channels, in
place of that sum: an error of a quarter in each of two channels is a quarter. Fields are scaled
before they are squared, so that neither their size nor that of their error matters.
"""

import abc
from typing import ClassVar, Literal

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.metrics._kind import Metric, metric
from apexr.metrics._scale import scales

Mode = Literal["absolute", "normalized", "symmetric"]


class SpatialMetric(Metric):
    """The common form; a leaf states the two exponents and the mode."""

    inner: ClassVar[int]
    outer: ClassVar[float]
    mode: ClassVar[Mode]
    joint: ClassVar[bool] = False

    def sample_error(
        self, prediction: Float[Array, "channel *space"], target: Float[Array, "channel *space"]
    ) -> Float[Array, ""]:
        """Return the error of one predicted state, summed over channels unless it is joint."""
        if self.joint:  # as if the channels lay side by side
            prediction, target = prediction.reshape(1, -1), target.reshape(1, -1)
        units = {"normalized": (target,), "symmetric": (prediction, target)}.get(self.mode, ())
        return jnp.sum(self.relative(prediction - target, *units))

    def relative(
        self, error: Float[Array, "channel *space"], *units: Float[Array, "channel *space"]
    ) -> Float[Array, " channel"]:
        """Return the aggregate of an error, over the mean of those of some fields."""
        own, held = scales(error, *units)
        size = self._aggregate(error / own)
        if units:
            size = len(units) * size / sum(self._aggregate(field / held) for field in units)
        return size * (own / held).reshape(-1) ** round(self.inner * self.outer)

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


@metric("mean_joint_MAE")
class JointMAE(_MAE):
    """mean_joint_MAE - mean absolute error over points and channels."""

    mode, joint = "absolute", True
    formula = "⟨|u − r|⟩_c"


@metric("mean_joint_nMAE")
class JointNormalizedMAE(_MAE):
    """mean_joint_nMAE - mean absolute error over that of zero, all channels together."""

    mode, joint = "normalized", True
    formula = "⟨|u − r|⟩_c / ⟨|r|⟩_c"


@metric("mean_joint_MSE")
class JointMSE(_MSE):
    """mean_joint_MSE - mean squared error over points and channels."""

    mode, joint = "absolute", True
    formula = "⟨(u − r)²⟩_c"


@metric("mean_joint_nMSE")
class JointNormalizedMSE(_MSE):
    """mean_joint_nMSE - mean squared error over that of zero, all channels together."""

    mode, joint = "normalized", True
    formula = "⟨(u − r)²⟩_c / ⟨r²⟩_c"


@metric("mean_joint_RMSE")
class JointRMSE(_RMSE):
    """mean_joint_RMSE - root of the mean squared error over points and channels."""

    mode, joint = "absolute", True
    formula = "⟨(u − r)²⟩_c^½"


@metric("mean_joint_nRMSE")
class JointNormalizedRMSE(_RMSE):
    """mean_joint_nRMSE - root of the mean squared error over that of zero, in one norm."""

    mode, joint = "normalized", True
    formula = "⟨(u − r)²⟩_c^½ / ⟨r²⟩_c^½"
