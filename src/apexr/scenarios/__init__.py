"""Scenarios: the equations of the benchmark by three interfaces, and recorded trajectories."""

from apexr._doors import check_all, check_class
from apexr.experiment import (
    BaseScenario,
    Expected,
    aligned,
    data_attributes,
    disk_cache,
    emulator_plan,
    finite_trajectories,
    labelled_reference,
    plan,
    run,
    scenario_dict,
    score,
)
from apexr.recipe import (
    CONFIGS,
    SCENARIOS,
    Request,
    check_storable,
    meaning,
    resolve,
    scenario,
    specification,
)
from apexr.scenarios import difficulty, normalized, physical
from apexr.scenarios._coefficients import CoefficientSet, Parametrisations, describe_coefficients
from apexr.scenarios._curation import CURATION
from apexr.scenarios._from_equation import EquationScenario
from apexr.scenarios._guaranteed import GUARANTEED_FINITE
from apexr.scenarios.recorded import Recorded, inspect, layout

__all__ = [
    "CONFIGS",
    "CURATION",
    "GUARANTEED_FINITE",
    "SCENARIOS",
    "BaseScenario",
    "CoefficientSet",
    "EquationScenario",
    "Expected",
    "Parametrisations",
    "Recorded",
    "Request",
    "aligned",
    "check_storable",
    "data_attributes",
    "describe_coefficients",
    "difficulty",
    "disk_cache",
    "emulator_plan",
    "finite_trajectories",
    "inspect",
    "labelled_reference",
    "layout",
    "meaning",
    "normalized",
    "physical",
    "plan",
    "resolve",
    "run",
    "scenario",
    "scenario_dict",
    "score",
    "specification",
]

check_all(globals(), own={"describe_coefficients": ("domain_extent",)})
for _scenario in SCENARIOS.loaded().values():
    check_class(_scenario)
