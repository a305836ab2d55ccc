"""From plain parts to named arrays: emulators, their training and their evaluation."""

from apexr.engine._emulators import (
    EmulatorPlan,
    count_parameters,
    draw_emulators,
    select_seed,
    skeleton,
)
from apexr.engine._evaluate import Evaluated, evaluate, score_rollouts
from apexr.engine._tasks import MODES, TASKS, Correct, Corrected, Predict, Task, task
from apexr.engine._weights import named_weights, with_weights

__all__ = [
    "MODES",
    "TASKS",
    "Correct",
    "Corrected",
    "EmulatorPlan",
    "Evaluated",
    "Predict",
    "Task",
    "count_parameters",
    "draw_emulators",
    "evaluate",
    "named_weights",
    "score_rollouts",
    "select_seed",
    "skeleton",
    "task",
    "with_weights",
]
