"""Drawing, rolling out and scoring emulators, against plain loops."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.engine import (
    TASKS,
    EmulatorPlan,
    Predict,
    count_parameters,
    draw_emulators,
    evaluate,
    named_weights,
    score_rollouts,
    select_seed,
    with_weights,
)
from apexr.engine._evaluate import _score_block, score
from apexr.errors import ShapeError, SpecError
from apexr.metrics import METRICS as METRIC_KINDS
from apexr.metrics import Metric, parse_metrics
from apexr.networks import NETWORKS, NetworkSpec
from apexr.spectral import Grid

GRID = Grid(1, 16)
METRICS = parse_metrics("mean_nRMSE,mean_MAE")


def plan(config="Conv;2;1;tanh", grid=GRID, channels=1):
    return EmulatorPlan(NETWORKS.parse(config), Predict(), grid, channels, lambda: None)


@pytest.fixture(scope="module")
def drawn():
    return draw_emulators([0, 7, 2**32 - 1], plan())


@pytest.fixture(scope="module")
def reference():
    values = np.random.default_rng(0).normal(size=(5, 4, 1, 16))
    return values.astype("f4")


def test_seeds_split_into_weights_and_batches(drawn):
    emulators, shuffle_keys = drawn
    for index, seed in enumerate([0, 7]):
        init, shuffle = jax.random.split(jax.random.PRNGKey(seed))
        expected = named_weights(jax.jit(plan().build)(init))
        for name, values in named_weights(select_seed(emulators, index)).items():
            np.testing.assert_allclose(values, expected[name], rtol=1e-6)
        np.testing.assert_array_equal(shuffle_keys[index], shuffle)
    assert not np.array_equal(shuffle_keys[0], shuffle_keys[2])


@eqx.filter_jit
def step(net, states):
    return jax.vmap(net)(states)


def test_evaluation_equals_a_plain_loop(drawn, reference):
    emulators, _ = drawn
    done = evaluate(emulators, jnp.asarray(reference), METRICS, num_kept=2)
    assert list(done.errors) == list(METRICS)
    assert done.errors["mean_MAE"].shape == (3, 5, 3)
    assert done.rollouts.shape == (3, 2, 3, 1, 16)
    nets = [select_seed(emulators, seed) for seed in range(3)]
    for seed, net in enumerate(nets):
        states = reference[:, 0]
        for time in range(3):
            states = np.asarray(step(net, states))
            truth = reference[:, time + 1]
            error = np.abs(states - truth).mean(axis=(1, 2))
            np.testing.assert_allclose(done.errors["mean_MAE"][seed, :, time], error, rtol=1e-4)
            ratio = ((states - truth) ** 2).mean((1, 2)) / (truth**2).mean((1, 2))
            found = done.errors["mean_nRMSE"][seed, :, time]
            np.testing.assert_allclose(found, np.sqrt(ratio), rtol=1e-4)
            np.testing.assert_allclose(done.rollouts[seed, :, time], states[:2], atol=1e-5)


def test_foreign_rollouts_are_scored_alike(drawn, reference):
    emulators, _ = drawn
    done = evaluate(emulators, jnp.asarray(reference), METRICS, num_kept=5)
    again = score_rollouts(done.rollouts, reference[:, 1:], METRICS)
    for name in METRICS:
        np.testing.assert_allclose(again[name], done.errors[name], rtol=1e-5)


def test_weights_travel_by_name(drawn):
    emulators, _ = drawn
    weights = named_weights(emulators)
    assert set(weights) == {
        *("layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias")
    }
    assert all(values.shape[0] == 3 for values in weights.values())
    skeleton = eqx.filter_eval_shape(plan().build, jax.random.PRNGKey(0))
    again = with_weights(skeleton, weights)
    for name, values in named_weights(again).items():
        np.testing.assert_array_equal(values, weights[name])
    with pytest.raises(KeyError, match="layers"):
        with_weights(skeleton, {})


@pytest.mark.parametrize(
    ("config", "channels", "count"),
    [
        ("Conv;26;10;relu", 1, (3 * 26 + 26) + 9 * (3 * 26 * 26 + 26) + (3 * 26 + 1)),
        ("Conv;5;0;relu", 2, 3 * 2 * 2 + 2),
        ("FNO;12;8;4;gelu", 1, (8 + 8) + 4 * (2 * 8 * 8 * 12 + 8 * 8 + 8) + (8 + 1)),
    ],
)
def test_parameters_are_counted(config, channels, count):
    assert count_parameters(plan(config, Grid(1, 160), channels)) == count


def test_tasks():
    task = TASKS.parse("predict")
    assert task == Predict()

    def forbidden():
        raise AssertionError("prediction needs no coarse solver")

    def network(state):
        return state

    assert task.compose(network, forbidden) is network
    for wrong in ("Predict", "predict;x", "correct;foo", ""):
        with pytest.raises(SpecError):
            TASKS.parse(wrong)


def test_networks_that_change_the_shape_are_refused_before_any_work():
    class Doubling(NetworkSpec):
        def build(self, grid, num_channels, key):
            return lambda state: jnp.concatenate([state, state])

        def __str__(self):
            return "Doubling"

    made = EmulatorPlan(Doubling(), Predict(), GRID, 1, lambda: None)
    with pytest.raises(ShapeError, match=r"'Doubling' maps \(1, 16\) to \(2, 16\)"):
        made.check()


def test_checking_draws_no_weights():
    huge = plan("Conv;100000;20;relu")
    huge.check()
    assert count_parameters(huge) > 10**11


def test_errors_come_of_products_of_the_highest_precision():
    """Whatever the device, and whatever products a metric of one's own makes."""
    given = {name: ";0;2;0" for name in METRIC_KINDS.names() if "fourier" in name}
    given["per_channel"] = ";mean_fourier_RMSE;0;2;0"
    names = [name + given.get(name, "") for name in METRIC_KINDS.names()]
    metrics = (*map(METRIC_KINDS.parse, names), Gram())
    state = jax.ShapeDtypeStruct((2, 2, 8, 8), "float32")
    for batch in (score, _score_block):
        text = str(jax.make_jaxpr(lambda *both, f=batch: f(*both, metrics))(state, state))
        products = text.count("dot_general[")
        assert products == text.count("(Precision.HIGHEST, Precision.HIGHEST)") > 1


class Gram(Metric):
    """The largest product of two channels, of the error."""

    def sample_error(self, prediction, target):
        flat = (prediction - target).reshape(len(prediction), -1)
        return jnp.max(flat @ flat.T)
