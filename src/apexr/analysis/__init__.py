"""Tables and reductions of results: lazy on Datasets, tidy in pandas.

The table functions take a result, a study, a tree of rollouts or a wide table. Nothing here drops
a diverged (NaN) entry without saying so.
"""

from apexr.analysis._helpers import (
    aggregate_gmean,
    read_in_kwargs,
    relative_by_config,
    split_train,
)
from apexr.analysis._horizons import correlation_time, stability_horizon, valid_prediction_time
from apexr.analysis._labelled import band, count_diverged, geometric_mean, relative
from apexr.analysis._long import available, melt_data, melt_loss, melt_metrics, to_long
from apexr.analysis._rollouts import melt_sample_rollouts
from apexr.analysis._spectra import spectra, spectrum
from apexr.analysis._wide import to_wide

__all__ = [
    "aggregate_gmean",
    "available",
    "band",
    "correlation_time",
    "count_diverged",
    "geometric_mean",
    "melt_data",
    "melt_loss",
    "melt_metrics",
    "melt_sample_rollouts",
    "read_in_kwargs",
    "relative",
    "relative_by_config",
    "spectra",
    "spectrum",
    "split_train",
    "stability_horizon",
    "to_long",
    "to_wide",
    "valid_prediction_time",
]
