"""Networks drawn from the same key give the published benchmark's output."""

import re

import jax
import pytest
from _golden import Golden, deviation

from apexr.engine import EmulatorPlan, Predict, count_parameters
from apexr.networks import NETWORKS
from apexr.spectral import Grid

GOLDEN = Golden("networks")
CASES = sorted({key.rsplit("/", 1)[0] for key in GOLDEN.names() if not key.endswith("/input")})


def plan_of(case: str) -> EmulatorPlan:
    shape, config = case.split("/")
    dims, channels, points = map(int, re.fullmatch(r"(\d)d_c(\d)_n(\d+)", shape).groups())
    return EmulatorPlan(
        NETWORKS.parse(config), Predict(), Grid(dims, points), channels, lambda: None
    )


@pytest.mark.parametrize("case", CASES)
def test_output_equals_the_published_one(case):
    plan = plan_of(case)
    state = GOLDEN[case.split("/")[0] + "/input"]
    for key in GOLDEN.meta["keys"]:
        made = jax.jit(lambda k, u: plan.build(k)(u))(jax.random.PRNGKey(key), state)
        assert deviation(made, GOLDEN[f"{case}/key{key}"]) < 2e-4


@pytest.mark.parametrize("case", CASES)
def test_parameter_count_equals_the_published_one(case):
    assert count_parameters(plan_of(case)) == GOLDEN.meta["parameter_count"][case]
