"""Experiments: planned from a recipe, run on its data, scored, and the scenario that does it."""

from apexr._doors import check_all
from apexr.experiment._align import Expected, aligned
from apexr.experiment._attend import Attendants, Watch
from apexr.experiment._data import data_attributes, finite_trajectories, labelled_reference
from apexr.experiment._execute import (
    Sources,
    circumstances,
    execute,
    machine,
    metric_arrays,
    operations,
)
from apexr.experiment._experiment import Experiment
from apexr.experiment._plan import emulator_plan, plan
from apexr.experiment._run import run
from apexr.experiment._scenario import BaseScenario, scenario_dict
from apexr.experiment._score import score
from apexr.recipe import Choice

__all__ = [
    "Attendants",
    "BaseScenario",
    "Choice",
    "Expected",
    "Experiment",
    "Sources",
    "Watch",
    "aligned",
    "circumstances",
    "data_attributes",
    "emulator_plan",
    "execute",
    "finite_trajectories",
    "labelled_reference",
    "machine",
    "metric_arrays",
    "operations",
    "plan",
    "run",
    "scenario_dict",
    "score",
]

# A key is asked for last, after what a config string lacks; this holds for all scenarios.
check_all(globals(), own={"BaseScenario": ("key",)})
