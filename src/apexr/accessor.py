"""``ds.apexr``: the functions of apexr on a result, as methods.

Every method is one line; the function it calls is the documented one.
"""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ApexrAccessor", "ApexrPlots"]


class ApexrPlots:
    """``ds.apexr.plot``: pictures of a result; see :mod:`apexr.plots`."""

    def __init__(self, ds: xr.Dataset) -> None:
        self._ds = ds

    def loss(self, by: str | None = None, band: str = "range") -> Any:
        """Return :func:`apexr.plots.loss` of this result."""
        from apexr import plots

        return plots.loss(self._ds, by=by, band=band)

    def metric(
        self,
        variable: str = "mean_nRMSE",
        by: str | None = None,
        band: str = "range",
        logy: bool = False,
    ) -> Any:
        """Return :func:`apexr.plots.metric` of this result."""
        from apexr import plots

        return plots.metric(self._ds, variable, by=by, band=band, logy=logy)

    def spacetime(
        self,
        seed: int | None = None,
        sample: int = 0,
        channel: Hashable = 0,
        times: Sequence[int] | None = None,
    ) -> Any:
        """Return :func:`apexr.plots.spacetime` of this result."""
        from apexr import plots

        return plots.spacetime(self._ds, seed=seed, sample=sample, channel=channel, times=times)


@xr.register_dataset_accessor("apexr")  # type: ignore[no-untyped-call]
class ApexrAccessor:
    """``ds.apexr``: tables, plots and checks of a result."""

    def __init__(self, ds: xr.Dataset) -> None:
        self._ds = ds

    @property
    def plot(self) -> ApexrPlots:
        """The plots of this result."""
        return ApexrPlots(self._ds)

    def to_long(self, variable: str) -> "pd.DataFrame":
        """Return :func:`apexr.analysis.to_long` of this result."""
        from apexr import analysis

        return analysis.to_long(self._ds, variable)

    def to_wide(self) -> "pd.DataFrame":
        """Return :func:`apexr.analysis.to_wide` of this result."""
        from apexr import analysis

        return analysis.to_wide(self._ds)

    def melt_loss(self, loss_name: str = "train_loss") -> "pd.DataFrame":
        """Return :func:`apexr.analysis.melt_loss` of this result."""
        from apexr import analysis

        return analysis.melt_loss(self._ds, loss_name)

    def melt_metrics(self, metric_name: str | Sequence[str] = "mean_nRMSE") -> "pd.DataFrame":
        """Return :func:`apexr.analysis.melt_metrics` of this result."""
        from apexr import analysis

        return analysis.melt_metrics(self._ds, metric_name)

    def melt_sample_rollouts(self) -> "pd.DataFrame":
        """Return :func:`apexr.analysis.melt_sample_rollouts` of this result."""
        from apexr import analysis

        return analysis.melt_sample_rollouts(self._ds)

    def correlation_time(
        self, threshold: float = 0.9, variable: str = "correlation"
    ) -> xr.DataArray:
        """Return :func:`apexr.analysis.correlation_time` of this result."""
        from apexr import analysis

        return analysis.correlation_time(self._ds, threshold, variable)

    def valid_prediction_time(self, bound: float = 0.4, variable: str = "nRMSE") -> xr.DataArray:
        """Return :func:`apexr.analysis.valid_prediction_time` of this result."""
        from apexr import analysis

        return analysis.valid_prediction_time(self._ds, bound, variable)

    def stability_horizon(self, bound: float = 10.0, variable: str = "nRMSE") -> xr.DataArray:
        """Return :func:`apexr.analysis.stability_horizon` of this result."""
        from apexr import analysis

        return analysis.stability_horizon(self._ds, bound, variable)

    def spectra(self) -> xr.Dataset:
        """Return :func:`apexr.analysis.spectra` of this result."""
        from apexr import analysis

        return analysis.spectra(self._ds)

    def validate(self) -> None:
        """Check this result with :func:`apexr.schema.validate`."""
        from apexr import schema

        schema.validate(self._ds)
