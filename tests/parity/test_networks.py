"""Networks drawn from the same key give the published benchmark's output."""

import re

import equinox as eqx
import jax
import pytest
from _golden import Golden, deviation

from apexr.engine import EmulatorPlan, Predict, count_parameters
from apexr.networks import NETWORKS
from apexr.spectral import Grid

FILES = {name: Golden(name) for name in ("networks", "networks_all")}
RARE = ("identity", "sigmoid", "tanh", "swish")


def marks(case: str) -> list[pytest.MarkDecorator]:
    """An activation is the same function in every dimension: once a run is enough."""
    seldom = case.endswith(RARE) and not case.startswith("1d") and "Pure" not in case
    return [pytest.mark.slow] if seldom else []


CASES = [
    pytest.param(FILES[name], case, id=f"{name}-{case}", marks=marks(case))
    for name in FILES
    for case in sorted(FILES[name].meta["parameter_count"])
]


def plan_of(case: str) -> EmulatorPlan:
    shape, config = case.split("/")
    dims, channels, points = map(int, re.fullmatch(r"(\d)d_c(\d)_n(\d+)", shape).groups())
    return EmulatorPlan(
        NETWORKS.parse(config), Predict(), Grid(dims, points), channels, lambda: None
    )


@pytest.mark.quick
@pytest.mark.parametrize(("golden", "case"), CASES)
def test_output_equals_the_published_one(golden, case):
    plan = plan_of(case)
    state = golden[case.split("/")[0] + "/input"]
    for key in golden.meta["keys"]:
        network = plan.build(jax.random.PRNGKey(key))  # not compiled: shares the small programs
        made = eqx.filter_jit(network)(state)
        assert deviation(made, golden[f"{case}/key{key}"]) < 2e-4


@pytest.mark.parametrize(("golden", "case"), CASES)
def test_parameter_count_equals_the_published_one(golden, case):
    assert count_parameters(plan_of(case)) == golden.meta["parameter_count"][case]


@pytest.mark.parametrize(("golden", "case"), CASES)
def test_receptive_field_equals_the_published_one(golden, case):
    plan = plan_of(case)
    field = plan.network.receptive_field(plan.grid)
    assert len(field) == plan.grid.num_spatial_dims
    if case in golden.meta["receptive_field"]:
        assert field == tuple(map(tuple, golden.meta["receptive_field"][case]))
