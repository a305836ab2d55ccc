"""Training: optimizers, mini-batches and the compiled loop over many seeds."""

from apexr._doors import check_all
from apexr.training._base import Optimizer, Schedule
from apexr.training._batched import as_batched, objective_for, of_predicted
from apexr.training._batches import count_windows
from apexr.training._checkpoint import Keeper
from apexr.training._clock import Clock
from apexr.training._footprint import Footprint, Preparation, prepare
from apexr.training._interrupt import ask_to_stop, asked_to_stop
from apexr.training._loop import Attendance, Report, train
from apexr.training._mesh import seed_mesh
from apexr.training._modified_optimizers import (
    AveragedWeights,
    ClippedNorm,
    ClippedValues,
    WeightDecay,
    WithOptions,
)
from apexr.training._moment import Hook, Moment, Tracker, check_trackers, tracker
from apexr.training._named_optimizers import NAMED_OPTIMIZERS
from apexr.training._optimizers import OPTIMIZERS, OwnOptimizer, optimizer
from apexr.training._plan import TrainingPlan
from apexr.training._records import NEVER, Record
from apexr.training._result import Trained, Validated
from apexr.training._schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    ExponentialDecay,
    Linear,
    OneCycle,
    Piecewise,
    Polynomial,
    Restarts,
    WarmupConstant,
    WarmupCosine,
    WarmupExponential,
    schedule,
)
from apexr.training._singly import Singly
from apexr.training._standing import Validation
from apexr.training._stream import Streamed, check_loader
from apexr.training._trainer import Trainer

__all__ = [
    "NAMED_OPTIMIZERS",
    "NEVER",
    "OPTIMIZERS",
    "SCHEDULES",
    "Attendance",
    "AveragedWeights",
    "ClippedNorm",
    "ClippedValues",
    "Clock",
    "Constant",
    "Cosine",
    "ExponentialDecay",
    "Footprint",
    "Hook",
    "Keeper",
    "Linear",
    "Moment",
    "OneCycle",
    "Optimizer",
    "OwnOptimizer",
    "Piecewise",
    "Polynomial",
    "Preparation",
    "Record",
    "Report",
    "Restarts",
    "Schedule",
    "Singly",
    "Streamed",
    "Tracker",
    "Trained",
    "Trainer",
    "TrainingPlan",
    "Validated",
    "Validation",
    "WarmupConstant",
    "WarmupCosine",
    "WarmupExponential",
    "WeightDecay",
    "WithOptions",
    "as_batched",
    "ask_to_stop",
    "asked_to_stop",
    "check_loader",
    "check_trackers",
    "count_windows",
    "objective_for",
    "of_predicted",
    "optimizer",
    "prepare",
    "schedule",
    "seed_mesh",
    "tracker",
    "train",
]

check_all(globals())
