"""Scenarios as frozen data: printed, compared, checked, derived."""

import ast
import copy
import dataclasses

import numpy as np
import pytest

import apexr
from apexr.errors import ApexrWarning, SpecError
from apexr.scenarios import difficulty

PRINTED = """\
Advection(
  num_spatial_dims=1,
  num_points=160,
  num_channels=1,
  ic_config='fourier;5;true;true',
  num_warmup_steps=0,
  num_train_samples=50,
  subset_of=0,
  train_temporal_horizon=50,
  train_seed=0,
  num_test_samples=30,
  test_temporal_horizon=200,
  test_seed=773,
  test_ic_config='',
  num_valid_samples=0,
  valid_temporal_horizon=0,
  valid_seed=1546,
  select='last',
  patience=0,
  optim_config='adam;10_000;warmup_cosine;0.0;1e-3;2_000',
  batch_size=20,
  num_trjs_returned=1,
  record_loss_every=100,
  vlim=(-1.0, 1.0),
  report_metrics='mean_nRMSE',
  callbacks='',
  numerics='apebench',
  train_solver='',
  test_solver='',
  gammas=(0.0, -4.0, 0.0, 0.0, 0.0),
  coarse_proportion=0.5,
  advection_gamma=-4.0
)"""


def test_scenarios_print_all_their_fields():
    assert str(difficulty.Advection()) == PRINTED
    call = ast.parse(repr(difficulty.Advection()), mode="eval").body
    keywords = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    assert getattr(difficulty, call.func.id)(**keywords) == difficulty.Advection()


def test_scenarios_are_frozen():
    scenario = difficulty.Advection()
    with pytest.raises(dataclasses.FrozenInstanceError):
        scenario.num_points = 32
    with pytest.raises(dataclasses.FrozenInstanceError):
        del scenario.num_points


def test_scenarios_compare_by_what_they_say():
    scenario = difficulty.Advection(num_points=32)
    assert scenario == difficulty.Advection(num_points=32)
    assert hash(scenario) == hash(difficulty.Advection(num_points=32))
    assert scenario != difficulty.Advection()
    assert difficulty.Advection() != difficulty.LinearSimple()
    assert len({scenario, difficulty.Advection(num_points=32), difficulty.Advection()}) == 2


def test_scenarios_can_be_copied_and_changed():
    scenario = difficulty.Burgers(num_points=32, diffusion_gamma=3.0)
    assert copy.copy(scenario) == scenario
    assert copy.deepcopy(scenario) == scenario
    changed = dataclasses.replace(scenario, diffusion_gamma=5.0)
    assert changed.gammas == (0.0, 0.0, 5.0, 0.0, 0.0)
    assert changed.num_points == 32


def test_keywords_alone():
    with pytest.raises(SpecError, match=r"Advection takes keywords alone, got \(32,\)"):
        difficulty.Advection(32)


def test_values_are_converted_to_their_declared_types():
    scenario = difficulty.Linear(
        num_points=np.int64(32), vlim=[-1, 1], gammas=np.array([0, -2]), coarse_proportion=1
    )
    assert scenario == difficulty.Linear(
        num_points=32, vlim=(-1.0, 1.0), gammas=(0.0, -2.0), coarse_proportion=1.0
    )
    assert type(scenario.num_points) is int
    assert [type(value) for value in scenario.gammas] == [float, float]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda d: d.LinearSimple(linear_term_order=3).gammas, (0.0, 0.0, 0.0, -4.0)),
        (lambda d: d.AdvectionDiffusion().gammas, (0.0, -4.0, 4.0, 0.0, 0.0)),
        (lambda d: d.FirstFour().gammas, (0.0, -4.0, 4.0, 4.0, -4.0)),
        (lambda d: d.Burgers(num_spatial_dims=2).num_channels, 2),
        (lambda d: d.Burgers().gammas, (0.0, 0.0, 1.5, 0.0, 0.0)),
        (lambda d: d.KortewegDeVries().deltas, (0.0, -2.0, 0.0)),
        (lambda d: d.FisherKPP().deltas, (-0.02, 0.0, 0.0)),
        (lambda d: d.KuramotoSivashinsky().num_warmup_steps, 500),
    ],
)
def test_derived_fields(made, expected):
    assert made(difficulty) == expected


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (lambda d: d.Advection(gammas=(0, 7, 0, 0, 0)), "gammas of Advection"),
        (lambda d: d.Burgers(gammas=(0, 0, 99, 0, 0)), "gammas of Burgers"),
        (lambda d: d.Advection(gammas=np.array([0, 7, 0, 0, 0])), "gammas of Advection"),
        (lambda d: d.Burgers(num_channels=5), "num_channels of Burgers"),
        (lambda d: d.KortewegDeVries(deltas=(1, 1, 1)), "deltas of KortewegDeVries"),
    ],
)
def test_what_follows_from_others_cannot_be_contradicted(wrong, name):
    with pytest.raises(SpecError, match=f"{name} follows from its other parameters"):
        wrong(difficulty)


def test_what_follows_from_others_may_be_repeated():
    values = (0.0, -4.0, 0.0, 0.0, 0.0)
    for form in (values, list(values), np.array(values)):
        assert difficulty.Advection(gammas=form, num_channels=1) == difficulty.Advection()


def test_keywords_of_older_releases_are_understood():
    assert difficulty.Advection(adv_difficulty=4.0) == difficulty.Advection()
    assert difficulty.Advection(adv_difficulty=2).advection_gamma == -2.0
    with pytest.raises(SpecError, match="old form of advection_gamma"):
        difficulty.Advection(adv_difficulty=2, advection_gamma=-2)
    for wrong in ("4", None, [4]):
        with pytest.raises(SpecError, match="advection_gamma must be a finite number"):
            difficulty.Advection(adv_difficulty=wrong)


def test_parameters_that_differ_from_the_defaults_are_known():
    assert difficulty.Advection().changed_parameters == {}
    scenario = difficulty.Advection(num_points=32, adv_difficulty=2)
    assert scenario.changed_parameters == {"num_points": 32, "advection_gamma": -2.0}


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (lambda d: d.Advection(), "1d_diff_adv"),
        (lambda d: d.Burgers(num_spatial_dims=2), "2d_diff_burgers"),
        (lambda d: d.KuramotoSivashinskyConservative(), "1d_diff_ks_cons"),
        (lambda d: d.Linear(gammas=(0.0, -1.0, 0.0, 2.0)), "1d_diff_linear_1_3"),
        (lambda d: d.LinearSimple(linear_term_order=2), "1d_diff_linear_2"),
    ],
)
def test_scenarios_name_themselves(made, name):
    assert made(difficulty).get_scenario_name() == name


def test_equal_seeds_of_training_and_test_are_mentioned():
    with pytest.warns(ApexrWarning, match="train_seed and test_seed are both 7"):
        difficulty.Advection(train_seed=7, test_seed=7)


def test_namespaces():
    assert apexr.difficulty is apexr.scenarios.difficulty is difficulty
    assert apexr.scenarios.scenario_dict["diff_adv"] is difficulty.Advection
    assert issubclass(difficulty.Advection, apexr.BaseScenario)


def test_the_base_class_says_what_is_missing():
    with pytest.raises(TypeError, match="get_coarse_stepper"):
        apexr.BaseScenario()
