"""The data of scenarios: labeled, made once, with the initial states as frame 0."""

import contextlib

import jax
import numpy as np
import pytest

from _tiny import SIZES
from apexr.errors import DivergenceError
from apexr.experiment import _data
from apexr.scenarios import difficulty

SPLITS = [
    ("get_train_data", "get_train_ic_set", 3, 4),
    ("get_test_data", "get_test_ic_set", 3, 5),
    ("get_train_data_coarse", "get_train_ic_set_coarse", 3, 4),
    ("get_test_data_coarse", "get_test_ic_set_coarse", 3, 5),
]


@pytest.fixture(scope="module")
def scenario():
    return difficulty.Burgers(num_spatial_dims=2, num_warmup_steps=2, num_trjs_returned=2, **SIZES)


@pytest.fixture(scope="module")
def advection():
    return difficulty.Advection(**SIZES)


@pytest.mark.parametrize(("data", "states", "samples", "steps"), SPLITS)
def test_data_are_labeled(scenario, data, states, samples, steps):
    array = getattr(scenario, data)()
    assert array.dims == ("sample", "time", "channel", "x", "y")
    assert array.shape == (samples, steps + 1, 2, 16, 16)
    assert array.dtype == np.float32
    assert array["time"].values.tolist() == list(range(steps + 1))
    assert array["sample"].values.tolist() == list(range(samples))
    np.testing.assert_allclose(array["x"], np.arange(16) / 16)
    assert array["y"].attrs["extent"] == 1.0
    assert array.attrs["scenario"] == "2d_diff_burgers"
    assert array.attrs["etdrk_coefficients"] == "real"
    assert array.attrs["solver"] == ("coarse" if "coarse" in data else "reference")
    assert np.isfinite(array).all()


@pytest.mark.parametrize(("data", "states", "samples", "steps"), SPLITS)
def test_initial_states_are_the_first_frames(scenario, data, states, samples, steps):
    first = getattr(scenario, data)().isel(time=0, drop=True)
    start = getattr(scenario, states)()
    assert start.dims == ("sample", "channel", "x", "y")
    np.testing.assert_array_equal(start, first)


def test_splits_and_solvers_differ(scenario):
    train, test = scenario.get_train_data(), scenario.get_test_data()
    coarse = scenario.get_train_data_coarse()
    assert not np.allclose(train[:, 0], test[:, 0])
    assert not np.allclose(train, coarse)


def test_the_sample_is_the_beginning_of_the_test_data(scenario):
    sample = scenario.get_ref_sample_data()
    assert sample.sizes["sample"] == 2
    np.testing.assert_array_equal(sample, scenario.get_test_data()[:2])


def test_advection_moves_by_its_difficulty(advection):
    data = advection.get_train_data()
    for step in range(1, 5):
        np.testing.assert_allclose(data[:, step], np.roll(data[:, 0], 4 * step, -1), atol=2e-5)
    coarse = advection.get_train_data_coarse()
    np.testing.assert_array_equal(coarse[:, 0], data[:, 0])
    np.testing.assert_allclose(coarse[:, 2], data[:, 1], atol=2e-5)


def test_longer_data_begin_with_shorter_data(advection):
    longer = difficulty.Advection(**{**SIZES, "train_temporal_horizon": 6}).get_train_data()
    np.testing.assert_allclose(longer[:, :5], advection.get_train_data(), atol=1e-6)


def test_data_are_made_once(monkeypatch):
    made = []
    draw = _data.sample_set

    def counted(*arguments, **keywords):
        made.append(keywords["seed"])
        return draw(*arguments, **keywords)

    monkeypatch.setattr(_data, "sample_set", counted)
    sizes = {**SIZES, "train_seed": 11, "test_seed": 12}
    scenario = difficulty.Advection(**sizes)
    scenario.get_train_data()
    scenario.get_train_ic_set()
    scenario.get_trainer(train_config="one")
    again = difficulty.Advection(**{**sizes, "batch_size": 2, "optim_config": "adam;9;constant;1"})
    again.get_train_data()
    scenario.get_test_data()
    scenario.get_ref_sample_data()
    again.get_test_data()
    assert made == [11, 12]
    first = _data.trajectories(scenario, "train", "reference")
    assert _data.trajectories(again, "train", "reference") is first


def test_data_depend_on_what_makes_them(advection):
    data = advection.get_train_data()
    for change in ({"train_seed": 1}, {"advection_gamma": -2.0}, {"num_warmup_steps": 1}):
        other = difficulty.Advection(**{**SIZES, **change}).get_train_data()
        assert not np.allclose(other, data)


def test_nobody_can_spoil_the_data_that_are_kept(advection):
    with contextlib.suppress(ValueError):  # they are read-only
        advection.get_train_data().values[:] = 0
    assert advection.get_train_data().values.any()


def test_divergent_reference_data_are_refused_before_training(monkeypatch):
    def never(*_, **__):
        raise AssertionError("trained on data that are not finite")

    monkeypatch.setattr("apexr.experiment._execute.train", never)
    scenario = difficulty.Burgers(convection_delta=-1e6, **SIZES)
    with pytest.raises(DivergenceError) as caught:
        scenario(network_config="Conv;2;1;tanh", progress=False)
    said = str(caught.value)
    assert "1d_diff_burgers: 3 of 3 train trajectories" in said
    assert "num_substeps" in said
    assert isinstance(caught.value, ArithmeticError)


def test_pieces(advection):
    key = jax.random.PRNGKey(0)
    stepper = advection.get_neural_stepper(network_config="Conv;2;1;tanh", key=key)
    network = advection.get_network("Conv;2;1;tanh", key)
    state = advection.get_test_data().values[0, 0]
    np.testing.assert_array_equal(stepper(state), network(state))
    assert advection.get_parameter_count("Conv;2;1;tanh") == 15
    assert advection.get_receptive_field(network_config="Conv;2;1;tanh") == ((2.0, 2.0),)
    assert advection.get_ic_generator().cutoff == 5
    assert hasattr(advection.get_optimizer(), "update")
    trainer = advection.get_trainer(train_config="sup;2")
    trained, losses = trainer(network, key)
    assert losses.shape == (2,)
    before = advection.full_loss(network, train_config="sup;2")
    assert advection.full_loss(trained, train_config="sup;2") < before
