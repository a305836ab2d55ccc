"""Errors within a band of wavenumbers, of the fields or of their derivatives."""

import abc
import dataclasses

from jaxtyping import Array, Float

from apexr._grammar import Count, NonNegativeFloat
from apexr.metrics._domain import Fields
from apexr.metrics._kind import metric
from apexr.metrics._spectral import SpectralMetric, check_band


@dataclasses.dataclass(frozen=True)
class FourierMetric(SpectralMetric):
    """The common form: the band LOW … HIGH of the derivative of order DERIVATIVE_ORDER.

    Order 0 counts the field once for each dimension; fractional orders are allowed.
    """

    low: Count
    high: Count
    derivative_order: NonNegativeFloat

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
        return self.band_error(prediction, target, band, self.derivative_order, fields)


class _MAE(FourierMetric, abc.ABC):
    inner, outer = 1, 1.0


class _MSE(FourierMetric, abc.ABC):
    inner, outer = 2, 1.0


class _RMSE(FourierMetric, abc.ABC):
    inner, outer = 2, 0.5


@metric("mean_fourier_MAE")
class FourierMAE(_MAE):
    """mean_fourier_MAE;LOW;HIGH;DERIVATIVE_ORDER - MAE of coefficients in a band."""

    relative = False
    formula = "Σ_c F(u − r)"


@metric("mean_fourier_nMAE")
class FourierNormalizedMAE(_MAE):
    """mean_fourier_nMAE;LOW;HIGH;DERIVATIVE_ORDER - MAE of coefficients in a band, relative."""

    relative = True
    formula = "Σ_c F(u − r) / F(r)"


@metric("mean_fourier_MSE")
class FourierMSE(_MSE):
    """mean_fourier_MSE;LOW;HIGH;DERIVATIVE_ORDER - MSE in a band."""

    relative = False
    formula = "Σ_c F(u − r)"


@metric("mean_fourier_nMSE")
class FourierNormalizedMSE(_MSE):
    """mean_fourier_nMSE;LOW;HIGH;DERIVATIVE_ORDER - MSE in a band, relative."""

    relative = True
    formula = "Σ_c F(u − r) / F(r)"


@metric("mean_fourier_RMSE")
class FourierRMSE(_RMSE):
    """mean_fourier_RMSE;LOW;HIGH;DERIVATIVE_ORDER - RMSE in a band."""

    relative = False
    formula = "Σ_c F(u − r)"


@metric("mean_fourier_nRMSE")
class FourierNormalizedRMSE(_RMSE):
    """mean_fourier_nRMSE;LOW;HIGH;DERIVATIVE_ORDER - RMSE in a band, relative."""

    relative = True
    formula = "Σ_c F(u − r) / F(r)"
