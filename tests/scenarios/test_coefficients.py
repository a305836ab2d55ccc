"""The three parametrizations of a scenario, there and back."""

import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.scenarios import describe_coefficients, difficulty, normalized, physical, scenario_dict

WITH_COEFFICIENTS = [
    key
    for key in scenario_dict
    if not key.startswith("phy_")
    or key.removeprefix("phy_")
    not in {
        *("poisson", "sh", "gs", "gs_type", "decay_turb", "kolm_flow"),
        *("unbal_adv", "diag_diff", "aniso_diff", "mix_disp", "mix_hyp"),
    }
]
GIVEN = {"diff": ("difficulty", "gammas", "deltas"), "norm": ("normalized", "alphas", "betas")}
GIVEN["phy"] = ("physical", "a_coefs", "b_coefs")


@pytest.mark.parametrize("key", WITH_COEFFICIENTS)
def test_own_coefficients_come_back(key):
    for dims in scenario_dict[key].dimensions:
        scenario = scenario_dict[key](num_spatial_dims=dims, num_points=48)
        made = describe_coefficients(scenario)
        name, linear, nonlinear = GIVEN[key.split("_")[0]]
        own = getattr(made, name)
        np.testing.assert_allclose(own.linear, getattr(scenario, linear), rtol=1e-12)
        if hasattr(scenario, nonlinear):
            np.testing.assert_allclose(own.nonlinear, getattr(scenario, nonlinear), rtol=1e-12)
        if hasattr(scenario, "poly_coefs"):
            np.testing.assert_allclose(own.polynomial, scenario.poly_coefs, rtol=1e-12)


@pytest.mark.parametrize(
    "scenario",
    [
        physical.KuramotoSivashinsky(num_points=32),
        physical.Nonlinear(num_spatial_dims=2, num_points=24, domain_extent=3.0, dt=0.05),
        physical.KortewegDeVries(num_spatial_dims=3, num_points=16),
    ],
)
def test_scenarios_of_other_interfaces_make_the_same_step(scenario):
    made = describe_coefficients(scenario)
    size = {"num_spatial_dims": scenario.num_spatial_dims, "num_points": scenario.num_points}
    others = [
        normalized.Nonlinear(
            alphas=made.normalized.linear, betas=made.normalized.nonlinear, **size
        ),
        difficulty.Nonlinear(
            gammas=made.difficulty.linear, deltas=made.difficulty.nonlinear, **size
        ),
    ]
    state = np.random.default_rng(0).uniform(size=(1, *scenario.grid.shape))
    expected = scenario.get_ref_stepper()(state)
    for other in others:
        np.testing.assert_allclose(other.get_ref_stepper()(state), expected, atol=2e-6)
        back = describe_coefficients(other, domain_extent=scenario.domain_extent, dt=scenario.dt)
        np.testing.assert_allclose(back.physical.linear, made.physical.linear, rtol=1e-12)
        np.testing.assert_allclose(back.physical.nonlinear, made.physical.nonlinear, rtol=1e-12)


def test_known_values():
    made = describe_coefficients(difficulty.Advection())
    assert made.normalized.linear[1] == pytest.approx(-0.025)
    assert describe_coefficients(physical.Advection()).normalized.linear[1] == pytest.approx(-0.025)
    diffusion = describe_coefficients(difficulty.Diffusion())
    assert diffusion.normalized.linear[2] == pytest.approx(4 / (160**2 * 2))


PRINTED = """\
L = 60, dt = 0.1, D = 1, N = 160
term                  physical    normalized    difficulty
linear, order 2             -1  -2.77778e-05      -1.42222
linear, order 4             -1  -7.71605e-09      -40.4543
gradient norm               -1  -2.77778e-05     -0.711111"""


def test_the_table_is_printed():
    made = describe_coefficients(physical.KuramotoSivashinsky())
    assert str(made) == repr(made) == PRINTED


@pytest.mark.parametrize("cls", [physical.KolmogorovFlow, physical.Poisson, physical.GrayScott])
def test_scenarios_without_such_coefficients(cls):
    with pytest.raises(SpecError, match=f"{cls.__name__} has parameters of its own alone"):
        describe_coefficients(cls())


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), "1"])
def test_wrong_domains(wrong):
    with pytest.raises(SpecError, match="domain_extent must be a finite number above 0"):
        describe_coefficients(difficulty.Burgers(), domain_extent=wrong)
