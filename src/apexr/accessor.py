"""``ds.apexr``: the functions of apexr on a result, as methods.

Every method is one line; the function it calls is the documented one.
"""

import os
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

if TYPE_CHECKING:
    import pandas as pd

    from apexr.analysis import Table
    from apexr.analysis._bootstrap import Method, Statistic
    from apexr.analysis._entries import Better, Diverged
    from apexr.analysis._layout import Names
    from apexr.analysis._numbers import Steps
    from apexr.analysis._paired import Interval

__all__ = ["ApexrAccessor", "ApexrPlots"]

_PARTS = ("reference", "prediction", "error")


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
        horizon: bool = True,
    ) -> Any:
        """Return :func:`apexr.plots.metric` of this result."""
        from apexr import plots

        return plots.metric(
            self._ds, variable=variable, by=by, band=band, logy=logy, horizon=horizon
        )

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

    def state(
        self,
        part: str = "prediction",
        times: Sequence[int] | None = None,
        seed: int | None = None,
        sample: int = 0,
        channel: Hashable = 0,
        view: str = "slices",
    ) -> Any:
        """Return :func:`apexr.plots.state` of this result."""
        from apexr import plots

        return plots.state(
            self._ds, part=part, times=times, seed=seed, sample=sample, channel=channel, view=view
        )

    def compare(
        self,
        time: int | None = None,
        seed: int | None = None,
        sample: int = 0,
        channel: Hashable = 0,
        view: str = "slices",
    ) -> Any:
        """Return :func:`apexr.plots.compare` of this result."""
        from apexr import plots

        return plots.compare(
            self._ds, time=time, seed=seed, sample=sample, channel=channel, view=view
        )

    def facets(
        self,
        over: str = "sample",
        part: str = "prediction",
        labels: Sequence[Hashable] | None = None,
        time: int | None = None,
        seed: int | None = None,
        sample: int = 0,
        channel: Hashable = 0,
        columns: int = 4,
    ) -> Any:
        """Return :func:`apexr.plots.facets` of this result."""
        from apexr import plots

        return plots.facets(
            self._ds,
            over=over,
            part=part,
            labels=labels,
            time=time,
            seed=seed,
            sample=sample,
            channel=channel,
            columns=columns,
        )

    def spectra(
        self,
        times: Sequence[int] | None = None,
        seed: int | None = None,
        sample: int | None = None,
        channel: Hashable = 0,
    ) -> Any:
        """Return :func:`apexr.plots.spectra` of this result."""
        from apexr import plots

        return plots.spectra(self._ds, times=times, seed=seed, sample=sample, channel=channel)

    def error_spectrum(
        self, seed: int | None = None, sample: int | None = None, channel: Hashable = 0
    ) -> Any:
        """Return :func:`apexr.plots.error_spectrum` of this result."""
        from apexr import plots

        return plots.error_spectrum(self._ds, seed=seed, sample=sample, channel=channel)

    def heatmap(
        self,
        variable: str = "mean_nRMSE",
        x: str = "scenario",
        y: str = "net",
        step: int | None = None,
        up_to: int = 100,
    ) -> Any:
        """Return :func:`apexr.plots.heatmap` of this result."""
        from apexr import plots

        return plots.heatmap(self._ds, variable=variable, x=x, y=y, step=step, up_to=up_to)

    def pareto(
        self,
        variable: str = "mean_nRMSE",
        cost: str = "num_parameters",
        by: str | None = None,
        step: int | None = None,
        up_to: int = 100,
    ) -> Any:
        """Return :func:`apexr.plots.pareto` of this result."""
        from apexr import plots

        return plots.pareto(self._ds, variable=variable, cost=cost, by=by, step=step, up_to=up_to)

    def sizes(
        self,
    ) -> Any:
        """Return :func:`apexr.plots.sizes` of this result."""
        from apexr import plots

        return plots.sizes(
            self._ds,
        )

    def overview(
        self,
    ) -> Any:
        """Return :func:`apexr.plots.overview` of this result."""
        from apexr import plots

        return plots.overview(
            self._ds,
        )

    def explore(
        self, parts: Sequence[str] = _PARTS, view: str = "slices", limit: float | None = None
    ) -> Any:
        """Return :func:`apexr.plots.explore` of this result."""
        from apexr import plots

        return plots.explore(self._ds, parts=parts, view=view, limit=limit)

    def animate(
        self,
        path: str | os.PathLike[str],
        parts: Sequence[str] = _PARTS,
        seed: int | None = None,
        sample: int = 0,
        channel: Hashable = 0,
        times: Sequence[int] | None = None,
        view: str = "slices",
        limit: float | None = None,
        fps: float = 20,
        panel: int = 320,
    ) -> Path:
        """Write and return :func:`apexr.plots.animate` of this result."""
        from apexr import plots

        return plots.animate(
            self._ds,
            path=path,
            parts=parts,
            seed=seed,
            sample=sample,
            channel=channel,
            times=times,
            view=view,
            limit=limit,
            fps=fps,
            panel=panel,
        )


@xr.register_dataset_accessor("apexr")  # type: ignore[no-untyped-call]
class ApexrAccessor:
    """``ds.apexr``: tables, statistics, plots and checks of a result."""

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

    def bootstrap_band(
        self,
        variable: str = "mean_nRMSE",
        *,
        statistic: "Statistic" = "median",
        confidence: float = 0.95,
        method: "Method" = "percentile",
        num_resamples: int = 9999,
        random_seed: int = 0,
        diverged: "Diverged" = "worst",
        better: "Better | None" = None,
        dim: str = "seed",
    ) -> xr.Dataset:
        """Return :func:`apexr.analysis.bootstrap_band` of this result."""
        from apexr import analysis

        return analysis.bootstrap_band(
            self._ds,
            variable,
            statistic=statistic,
            confidence=confidence,
            method=method,
            num_resamples=num_resamples,
            random_seed=random_seed,
            diverged=diverged,
            better=better,
            dim=dim,
        )

    def finite_fraction(self, variable: str = "mean_nRMSE", dim: str = "seed") -> xr.DataArray:
        """Return :func:`apexr.analysis.finite_fraction` of this result."""
        from apexr import analysis

        return analysis.finite_fraction(self._ds, variable, dim)

    def count_diverged(self, variable: str, dim: str = "seed") -> xr.DataArray:
        """Return :func:`apexr.analysis.count_diverged` of this result."""
        from apexr import analysis

        return analysis.count_diverged(self._ds, variable, dim)

    def geometric_mean(
        self, variable: str = "mean_nRMSE", up_to: int = 100, dim: str = "time"
    ) -> xr.DataArray:
        """Return :func:`apexr.analysis.geometric_mean` of this result."""
        from apexr import analysis

        return analysis.geometric_mean(self._ds, variable, up_to, dim)

    def paired_difference(
        self,
        variable: str = "mean_nRMSE",
        *,
        other: xr.Dataset | xr.DataArray | None = None,
        statistic: "Statistic" = "mean",
        interval: "Interval | None" = None,
        confidence: float = 0.95,
        diverged: "Diverged" = "worst",
        better: "Better | None" = None,
        num_resamples: int = 9999,
        random_seed: int = 0,
        **select: Any,
    ) -> xr.Dataset:
        """Return :func:`apexr.analysis.paired_difference` of this result."""
        from apexr import analysis

        return analysis.paired_difference(
            self._ds,
            variable,
            other=other,
            statistic=statistic,
            interval=interval,
            confidence=confidence,
            diverged=diverged,
            better=better,
            num_resamples=num_resamples,
            random_seed=random_seed,
            **select,
        )

    def paired_ratio(
        self,
        variable: str = "mean_nRMSE",
        *,
        other: xr.Dataset | xr.DataArray | None = None,
        statistic: "Statistic" = "mean",
        interval: "Interval | None" = None,
        confidence: float = 0.95,
        diverged: "Diverged" = "worst",
        better: "Better | None" = None,
        num_resamples: int = 9999,
        random_seed: int = 0,
        **select: Any,
    ) -> xr.Dataset:
        """Return :func:`apexr.analysis.paired_ratio` of this result."""
        from apexr import analysis

        return analysis.paired_ratio(
            self._ds,
            variable,
            other=other,
            statistic=statistic,
            interval=interval,
            confidence=confidence,
            diverged=diverged,
            better=better,
            num_resamples=num_resamples,
            random_seed=random_seed,
            **select,
        )

    def probability_better(
        self,
        variable: str = "mean_nRMSE",
        *,
        other: xr.Dataset | xr.DataArray | None = None,
        paired: bool = False,
        confidence: float = 0.95,
        diverged: "Diverged" = "worst",
        better: "Better | None" = None,
        **select: Any,
    ) -> xr.Dataset:
        """Return :func:`apexr.analysis.probability_better` of this result."""
        from apexr import analysis

        return analysis.probability_better(
            self._ds,
            variable,
            other=other,
            paired=paired,
            confidence=confidence,
            diverged=diverged,
            better=better,
            **select,
        )

    def summarise_comparison(
        self,
        variable: str = "mean_nRMSE",
        *,
        other: xr.Dataset | xr.DataArray | None = None,
        steps: int | Sequence[int] | None = None,
        confidence: float = 0.95,
        diverged: "Diverged" = "worst",
        better: "Better | None" = None,
        **select: Any,
    ) -> str:
        """Return :func:`apexr.analysis.summarise_comparison` of this result."""
        from apexr import analysis

        return analysis.summarise_comparison(
            self._ds,
            variable,
            other=other,
            steps=steps,
            confidence=confidence,
            diverged=diverged,
            better=better,
            **select,
        )

    def table(
        self,
        variable: str | Sequence[str] = "mean_nRMSE",
        *,
        rows: "Names" = None,
        columns: "Names" = None,
        steps: "Steps" = None,
        up_to: int = 100,
        quantiles: tuple[float, float] | None = (0.25, 0.75),
        relative_to: Mapping[str, Any] | None = None,
        compare: str | None = None,
        digits: int = 3,
        diverged: "Diverged" = "worst",
        better: "Better | None" = None,
        **select: Any,
    ) -> "Table":
        """Return :func:`apexr.analysis.table` of this result."""
        from apexr import analysis

        return analysis.table(
            self._ds,
            variable,
            rows=rows,
            columns=columns,
            steps=steps,
            up_to=up_to,
            quantiles=quantiles,
            relative_to=relative_to,
            compare=compare,
            digits=digits,
            diverged=diverged,
            better=better,
            **select,
        )

    def rank_table(
        self,
        variable: str = "mean_nRMSE",
        *,
        of: str = "net",
        steps: "Steps" = "gmean",
        up_to: int = 100,
        digits: int = 2,
        diverged: "Diverged" = "worst",
        better: "Better | None" = None,
        **select: Any,
    ) -> "Table":
        """Return :func:`apexr.analysis.rank_table` of this result."""
        from apexr import analysis

        return analysis.rank_table(
            self._ds,
            variable,
            of=of,
            steps=steps,
            up_to=up_to,
            digits=digits,
            diverged=diverged,
            better=better,
            **select,
        )

    def validate(self) -> None:
        """Check this result with :func:`apexr.schema.validate`."""
        from apexr import schema

        schema.validate(self._ds)
