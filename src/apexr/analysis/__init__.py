"""Tables and reductions of results: lazy on Datasets, tidy in pandas.

The table functions take a result, a study, a tree of rollouts or a wide table. Nothing here drops
a diverged (NaN) entry without saying so.
"""

from apexr._doors import check_all
from apexr.analysis.frames._benchmark import (
    aggregate_gmean,
    read_in_kwargs,
    relative_by_config,
    split_train,
)
from apexr.analysis.frames._long import available, melt_data, melt_loss, melt_metrics, to_long
from apexr.analysis.frames._wide import melt_sample_rollouts, to_wide
from apexr.analysis.reductions._cost import breakeven
from apexr.analysis.reductions._ensemble import (
    coverage,
    crps,
    energy_score,
    rank_histogram,
    spread_skill,
)
from apexr.analysis.reductions._horizons import (
    correlation_time,
    stability_horizon,
    valid_prediction_time,
)
from apexr.analysis.reductions._means import (
    count_diverged,
    finite_fraction,
    geometric_mean,
    relative,
    superiority,
)
from apexr.analysis.reductions._spectra import spectra, spectrum
from apexr.analysis.statistics._aggregates import (
    interquartile_mean,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
)
from apexr.analysis.statistics._bands import band, bootstrap_band
from apexr.analysis.statistics._comparison import (
    paired_difference,
    paired_ratio,
    probability_better,
)
from apexr.analysis.statistics._power import seeds_needed
from apexr.analysis.statistics._scaling import scaling_fit
from apexr.analysis.statistics._verdict import summarise_comparison
from apexr.analysis.tables._table import rank_table, table
from apexr.analysis.tables._written import Table
from apexr.exchange._tables import write_table
from apexr.exchange._well import to_well
from apexr.exchange.benchmark._cells import read_keywords

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
