"""Errors of a field and of its slopes together."""

import abc
import dataclasses

from jaxtyping import Array, Float

from apexr._grammar import MOST, Count
from apexr.metrics._domain import Fields
from apexr.metrics._kind import metric
from apexr.metrics._spectral import SpectralMetric, check_band


@dataclasses.dataclass(frozen=True)
class SobolevMetric(SpectralMetric):
    """The common form: the error of the field plus that of its gradient.

    Each is aggregated (and in relative metrics divided) on its own before they are added, so this
    is not the classical norm. LOW and HIGH bound the wavenumbers.
    """

    low: Count = 0
    high: Count = MOST

    def __post_init__(self) -> None:
        """Check the band."""
        check_band(self.low, self.high)

    def error_on(
        self,
        prediction: Float[Array, "channel *space"],
        target: Float[Array, "channel *space"],
        fields: Fields,
    ) -> Float[Array, ""]:
        """Return the error of one predicted state, summed over channels."""
        band = (self.low, self.high)
        field = self.band_error(prediction, target, band, None, fields)
        return field + self.band_error(prediction, target, band, 1, fields)


class _MAE(SobolevMetric, abc.ABC):
    inner, outer = 1, 1.0


class _MSE(SobolevMetric, abc.ABC):
    inner, outer = 2, 1.0


class _RMSE(SobolevMetric, abc.ABC):
    inner, outer = 2, 0.5


@metric("mean_H1_MAE")
class H1MAE(_MAE):
    """mean_H1_MAE - MAE of coefficients plus that of the gradient."""

    relative = False
    formula = "Σ_c F₀(u − r) + Σ_c F₁(u − r)"


@metric("mean_H1_nMAE")
class H1NormalizedMAE(_MAE):
    """mean_H1_nMAE - MAE of coefficients plus that of the gradient, relative."""

    relative = True
    formula = "Σ_c F₀(u − r) / F₀(r) + Σ_c F₁(u − r) / F₁(r)"


@metric("mean_H1_MSE")
class H1MSE(_MSE):
    """mean_H1_MSE - MSE plus that of the gradient."""

    relative = False
    formula = "Σ_c F₀(u − r) + Σ_c F₁(u − r)"


@metric("mean_H1_nMSE")
class H1NormalizedMSE(_MSE):
    """mean_H1_nMSE - MSE plus that of the gradient, relative."""

    relative = True
    formula = "Σ_c F₀(u − r) / F₀(r) + Σ_c F₁(u − r) / F₁(r)"


@metric("mean_H1_RMSE")
class H1RMSE(_RMSE):
    """mean_H1_RMSE - RMSE plus that of the gradient."""

    relative = False
    formula = "Σ_c F₀(u − r) + Σ_c F₁(u − r)"


@metric("mean_H1_nRMSE")
class H1NormalizedRMSE(_RMSE):
    """mean_H1_nRMSE - RMSE plus that of the gradient, relative."""

    relative = True
    formula = "Σ_c F₀(u − r) / F₀(r) + Σ_c F₁(u − r) / F₁(r)"
