"""Tables and reductions of results: lazy on Datasets, tidy in pandas.

The table functions take a result, a study, a tree of rollouts or a wide table. Nothing here drops
a diverged (NaN) entry without saying so.
"""

from apexr._doors import check_all
from apexr.analysis._aggregates import (
    interquartile_mean,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
)
from apexr.analysis._bands import band, bootstrap_band
from apexr.analysis._better import probability_better
from apexr.analysis._breakeven import breakeven
from apexr.analysis._ensemble import (
    coverage,
    crps,
    energy_score,
    rank_histogram,
    spread_skill,
)
from apexr.analysis._entries import finite_fraction
from apexr.analysis._helpers import (
    aggregate_gmean,
    read_in_kwargs,
    relative_by_config,
    split_train,
)
from apexr.analysis._horizons import correlation_time, stability_horizon, valid_prediction_time
from apexr.analysis._labelled import count_diverged, geometric_mean, relative
from apexr.analysis._literals import read_keywords
from apexr.analysis._long import available, melt_data, melt_loss, melt_metrics, to_long
from apexr.analysis._paired import paired_difference, paired_ratio
from apexr.analysis._power import seeds_needed
from apexr.analysis._rollouts import melt_sample_rollouts
from apexr.analysis._scaling import scaling_fit
from apexr.analysis._spectra import spectra, spectrum
from apexr.analysis._stream import write_table
from apexr.analysis._superiority import superiority
from apexr.analysis._table import rank_table, table
from apexr.analysis._tabled import Table
from apexr.analysis._verdict import summarise_comparison
from apexr.analysis._well import to_well
from apexr.analysis._wide import to_wide

__all__ = [
    "Table",
    "aggregate_gmean",
    "available",
    "band",
    "bootstrap_band",
    "breakeven",
    "correlation_time",
    "count_diverged",
    "coverage",
    "crps",
    "energy_score",
    "finite_fraction",
    "geometric_mean",
    "interquartile_mean",
    "melt_data",
    "melt_loss",
    "melt_metrics",
    "melt_sample_rollouts",
    "optimality_gap",
    "paired_difference",
    "paired_ratio",
    "performance_profile",
    "probability_better",
    "probability_of_improvement",
    "rank_histogram",
    "rank_table",
    "read_in_kwargs",
    "read_keywords",
    "relative",
    "relative_by_config",
    "scaling_fit",
    "seeds_needed",
    "spectra",
    "spectrum",
    "split_train",
    "spread_skill",
    "stability_horizon",
    "summarise_comparison",
    "superiority",
    "table",
    "to_long",
    "to_well",
    "to_wide",
    "valid_prediction_time",
    "write_table",
]

check_all(
    globals(),
    filled=True,
    own={
        "stability_horizon": ("bound",),
    },
)
