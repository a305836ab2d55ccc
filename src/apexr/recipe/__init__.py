"""Recipes: a problem and a protocol as frozen, checked data, and what identifies an experiment."""

from apexr.recipe._base import LATER, Recipe
from apexr.recipe._code import HONORED, code_of, is_ours, is_overridden, own_method
from apexr.recipe._configs import CONFIGS, meaning
from apexr.recipe._fields import Extent, Points, Seed, derived
from apexr.recipe._identity import (
    ParsedRequest,
    Request,
    check_storable,
    parse_request,
    plain_parameters,
    specification,
)
from apexr.recipe._problem import Problem, Split
from apexr.recipe._protocol import Choice, ParsedProtocol, Protocol
from apexr.recipe._registry import SCENARIOS, ScenarioDict, resolve, scenario, scenario_key

__all__ = [
    "CONFIGS",
    "HONORED",
    "LATER",
    "SCENARIOS",
    "Choice",
    "Extent",
    "ParsedProtocol",
    "ParsedRequest",
    "Points",
    "Problem",
    "Protocol",
    "Recipe",
    "Request",
    "ScenarioDict",
    "Seed",
    "Split",
    "check_storable",
    "code_of",
    "derived",
    "is_ours",
    "is_overridden",
    "meaning",
    "own_method",
    "parse_request",
    "plain_parameters",
    "resolve",
    "scenario",
    "scenario_key",
    "specification",
]
