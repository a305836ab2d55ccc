"""Scenarios: frozen recipes for the data, training and test of emulators of one equation."""

from apexr._doors import check_all, check_class
from apexr.scenarios import difficulty, normalized, physical
from apexr.scenarios._align import Expected, aligned
from apexr.scenarios._base import BaseScenario
from apexr.scenarios._coefficients import CoefficientSet, Parametrisations, describe_coefficients
from apexr.scenarios._curation import CURATION
from apexr.scenarios._data import data_attributes, finite_trajectories, labelled_reference
from apexr.scenarios._from_equation import EquationScenario
from apexr.scenarios._guaranteed import GUARANTEED_FINITE
from apexr.scenarios._identity import CONFIGS, check_storable, meaning, specification
from apexr.scenarios._pieces import Request, emulator_plan, plan, run
from apexr.scenarios._registry import SCENARIOS, scenario, scenario_dict
from apexr.scenarios._resolve import resolve
from apexr.scenarios._score import score
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
