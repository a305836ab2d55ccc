"""The result schema: every variable and coordinate of a result Dataset, declared once, as data.

``labels`` builds Datasets from these declarations, ``store`` takes its chunks from them,
``validate`` checks against them, plots take names and units from them, and ``testing`` makes
mock results from them.

Three things keep a result plain: text is held as Python strings in object arrays, attributes are
strings, numbers and flat lists, and what identifies an experiment (scenario, task, net, train,
scenario_kwargs) is a set of scalar coordinates, so that ``xr.concat`` lines results up along
``experiment`` and ``to_dataframe`` makes columns of them.
"""

from apexr._doors import check_all
from apexr.schema._climate import BIN, CLIMATE, LAG, WAVENUMBER
from apexr.schema._comparisons import (
    CLOCK,
    DECOMPOSITION,
    ENSEMBLE,
    INTERVAL,
    LADDER,
    LYAPUNOV,
    MEMBER_RANK,
    RANK,
    REFERENCE_ERROR,
    RUNG,
    ladder_metrics,
)
from apexr.schema._declared import (
    CHUNK_BYTES,
    CONFIG_COORDS,
    COORDINATES,
    DIVERGED,
    MEAN_METRIC,
    SCHEMA_VERSION,
    TRAJECTORY_METRIC,
    VARIABLES,
    chunk_shape,
    declaration,
    diverged_seeds,
    identifier,
    mean_metric,
    metric_curves,
    metric_identifiers,
    metric_names,
    presence_name,
    trajectory_metric,
    trajectory_name,
)
from apexr.schema._records import CALLBACK, RECORDS, record, record_dim, step_dim
from apexr.schema._validate import plain_attrs, validate
from apexr.schema._variable import (
    CHANNEL_UNITS,
    CONVENTIONS,
    SPATIAL_DIMS,
    TRAIN_SOLVER,
    Variable,
    train_solver_metric,
)

__all__ = [
    "BIN",
    "CALLBACK",
    "CHANNEL_UNITS",
    "CHUNK_BYTES",
    "CLIMATE",
    "CLOCK",
    "CONFIG_COORDS",
    "CONVENTIONS",
    "COORDINATES",
    "DECOMPOSITION",
    "DIVERGED",
    "ENSEMBLE",
    "INTERVAL",
    "LADDER",
    "LAG",
    "LYAPUNOV",
    "MEAN_METRIC",
    "MEMBER_RANK",
    "RANK",
    "RECORDS",
    "REFERENCE_ERROR",
    "RUNG",
    "SCHEMA_VERSION",
    "SPATIAL_DIMS",
    "TRAIN_SOLVER",
    "TRAJECTORY_METRIC",
    "VARIABLES",
    "WAVENUMBER",
    "Variable",
    "chunk_shape",
    "declaration",
    "diverged_seeds",
    "identifier",
    "ladder_metrics",
    "mean_metric",
    "metric_curves",
    "metric_identifiers",
    "metric_names",
    "plain_attrs",
    "presence_name",
    "record",
    "record_dim",
    "step_dim",
    "train_solver_metric",
    "trajectory_metric",
    "trajectory_name",
    "validate",
]

check_all(globals())
