"""Training: optimisers, mini-batches and the compiled loop over many seeds."""

from apexr.training._batched import as_batched
from apexr.training._batches import count_windows
from apexr.training._chunk import NEVER
from apexr.training._clock import Clock
from apexr.training._loop import Report, Trained, TrainingPlan, train
from apexr.training._mesh import prepare_host_devices, seed_mesh
from apexr.training._optimizers import (
    OPTIMIZERS,
    SCHEDULES,
    Adam,
    Constant,
    ExponentialDecay,
    Optimizer,
    Schedule,
    WarmupCosine,
    optimizer,
    schedule,
)
from apexr.training._trainer import Trainer

__all__ = [
    "NEVER",
    "OPTIMIZERS",
    "SCHEDULES",
    "Adam",
    "Clock",
    "Constant",
    "ExponentialDecay",
    "Optimizer",
    "Report",
    "Schedule",
    "Trained",
    "Trainer",
    "TrainingPlan",
    "WarmupCosine",
    "as_batched",
    "count_windows",
    "optimizer",
    "prepare_host_devices",
    "schedule",
    "seed_mesh",
    "train",
]
