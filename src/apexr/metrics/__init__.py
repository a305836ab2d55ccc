"""Error measures of predicted states, by config string."""

from apexr.metrics._correlation import Correlation
from apexr.metrics._kind import METRICS, Metric, metric, parse_metrics
from apexr.metrics._spatial import (
    MAE,
    MSE,
    RMSE,
    NormalizedMAE,
    NormalizedMSE,
    NormalizedRMSE,
    SpatialMetric,
    SymmetricMAE,
    SymmetricMSE,
    SymmetricRMSE,
)

__all__ = [
    "MAE",
    "METRICS",
    "MSE",
    "RMSE",
    "Correlation",
    "Metric",
    "NormalizedMAE",
    "NormalizedMSE",
    "NormalizedRMSE",
    "SpatialMetric",
    "SymmetricMAE",
    "SymmetricMSE",
    "SymmetricRMSE",
    "metric",
    "parse_metrics",
]
