"""Supervised objectives against plain loops and finite differences."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from _tiny import filled
from apexr.errors import SpecError
from apexr.networks import NETWORKS
from apexr.objectives import OBJECTIVES, OneStep, Supervised, mean_square
from apexr.spectral import Grid


def windows(frames, channels=2, batch=3, points=8):
    shape = (channels, batch, frames, points)
    return np.random.default_rng(0).normal(size=shape).astype("f4")


def sample_losses(objective, window):
    """Return the losses of the emulator that doubles its input."""
    return jax.jit(lambda w: objective.sample_losses(lambda state: 2 * state, w))(window)


def test_window_lengths():
    assert OBJECTIVES.parse("one").window_length == 2
    assert OBJECTIVES.parse("sup;1").window_length == 2
    assert OBJECTIVES.parse("sup;7;true").window_length == 8


def test_mean_square_keeps_the_samples_apart():
    prediction, target = windows(2)[:, :, 0], windows(2)[:, :, 1]
    expected = [((prediction - target)[:, sample] ** 2).mean() for sample in range(3)]
    np.testing.assert_allclose(jax.jit(mean_square)(prediction, target), expected, rtol=1e-6)


@pytest.mark.parametrize("config", ["one", "sup;1", "sup;3", "sup;3;true"])
def test_losses_are_summed_over_the_steps(config):
    objective = OBJECTIVES.parse(config)
    window = windows(objective.window_length)
    expected = np.zeros(3)
    state = window[:, :, 0].astype("f8")
    for step in range(1, objective.window_length):
        state = 2 * state
        expected += ((state - window[:, :, step]) ** 2).mean(axis=(0, 2))
    losses = sample_losses(objective, window)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_one_step_is_unrolling_one_step():
    window = windows(2)
    one, sup = sample_losses(OneStep(), window), sample_losses(Supervised(1), window)
    np.testing.assert_allclose(one, sup, rtol=1e-6)


@pytest.mark.parametrize("cut", [False, True])
def test_cutting_takes_the_path_through_earlier_steps_out_of_the_gradient(cut):
    """With u0 = 1, no target and f(u) = a u: L = a² + a⁴ + a⁶; cut, each step's input is fixed."""
    window = np.zeros((1, 1, 4, 4), "f4")
    window[:, :, 0] = 1.0

    @jax.jit
    def loss(a):
        emulate = lambda state: a * state  # noqa: E731
        return Supervised(3, cut).sample_losses(emulate, jnp.asarray(window)).sum()

    a = 0.7
    value, slope = jax.value_and_grad(loss)(a)
    assert value == pytest.approx(a**2 + a**4 + a**6, rel=1e-5)
    whole = 2 * a + 4 * a**3 + 6 * a**5
    last_factor_only = 2 * a + 2 * a**3 + 2 * a**5
    assert slope == pytest.approx(last_factor_only if cut else whole, rel=1e-5)


@pytest.mark.parametrize("config", ["one", "sup;3"])
def test_gradient_equals_finite_differences(config):
    objective = OBJECTIVES.parse(config)
    with jax.enable_x64(True):
        net = filled(lambda key: NETWORKS.parse("Conv;3;1;tanh").build(Grid(1, 8), 2, key))
        params, static = eqx.partition(net, eqx.is_inexact_array)
        window = windows(objective.window_length).astype("f8")

        @jax.jit
        def loss(params):
            emulate = eqx.combine(params, static).batched
            return objective.sample_losses(emulate, window).mean()

        rng = np.random.default_rng(1)
        params = jax.tree.map(np.asarray, params)
        assert all(leaf.dtype == np.float64 for leaf in jax.tree.leaves(params))
        direction = jax.tree.map(lambda p: rng.normal(size=p.shape), params)
        gradient = jax.tree.map(np.asarray, jax.jit(jax.grad(loss))(params))
        products = jax.tree.map(lambda g, d: (g * d).sum(), gradient, direction)
        slope = sum(jax.tree.leaves(products))
        eps = 1e-5
        ahead = loss(jax.tree.map(lambda p, d: p + eps * d, params, direction))
        behind = loss(jax.tree.map(lambda p, d: p - eps * d, params, direction))
    assert slope == pytest.approx(float(ahead - behind) / (2 * eps), rel=1e-7)


@pytest.mark.parametrize("config", ["sup;0", "sup;-3", "sup", "sup;3;yes", "sup;3;true;1", "one;5"])
def test_wrong_strings_are_refused(config):
    with pytest.raises(SpecError):
        OBJECTIVES.parse(config)
