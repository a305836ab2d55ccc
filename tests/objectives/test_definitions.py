"""Each objective and its gradient against its definition written out, and finite differences."""

from functools import partial

import _by_hand as hand
import equinox as eqx
import jax
import numpy as np
import pytest

from _tiny import filled
from apexr.networks import NETWORKS
from apexr.objectives import OBJECTIVES, Setting
from apexr.spectral import Grid
from apexr.steppers import Convection, ETDRKStepper, as_solver

CHANNELS, BATCH, POINTS = 1, 3, 8

CASES = {
    "one": partial(hand.supervised, steps=1),
    "loss;MAE;one": partial(hand.supervised, steps=1, loss=hand.mae),
    "loss;nMSE;one": partial(hand.supervised, steps=1, loss=hand.nmse),
    "loss;nMAE;sup;2": partial(hand.supervised, steps=2, loss=hand.nmae),
    "weights;0.3;one": partial(hand.supervised, steps=1, weights=[0.3]),
    "sup;3": partial(hand.supervised, steps=3),
    "sup;3;true": partial(hand.supervised, steps=3, every=1),
    "sup;7": partial(hand.supervised, steps=7),
    "cut;2;sup;5": partial(hand.supervised, steps=5, every=2),
    "cut;3;sup;7": partial(hand.supervised, steps=7, every=3),
    "weights;1,0.5,0.25;sup;3": partial(hand.supervised, steps=3, weights=[1, 0.5, 0.25]),
    "div;3": partial(hand.diverted, steps=3),
    "div;3;true": partial(hand.diverted, steps=3, every=1),
    "div;3;false;true": partial(hand.diverted, steps=3, cut_div=True),
    "div;3;true;true": partial(hand.diverted, steps=3, every=1, cut_div=True),
    "div;7;false;true": partial(hand.diverted, steps=7, cut_div=True),
    "cut;2;div;6": partial(hand.diverted, steps=6, every=2),
    "weights;0,2,1;loss;nMSE;div;3": partial(
        hand.diverted, steps=3, weights=[0, 2, 1], loss=hand.nmse
    ),
    "chain;3;1": partial(hand.diverted, steps=3),
    "chain;3;2": partial(hand.chain, steps=3, branch=2),
    "chain;3;2;true": partial(hand.chain, steps=3, branch=2, every=1),
    "chain;4;3;true;true;1,0.5,2": partial(
        hand.chain, steps=4, branch=3, every=1, cut_div=True, branch_weights=[1, 0.5, 2]
    ),
    "cut;2;chain;5;2;false;true": partial(hand.chain, steps=5, branch=2, every=2, cut_div=True),
    "mix;2;2": partial(hand.mixed, steps=2, post=2),
    "mix;3;1;true": partial(hand.mixed, steps=3, post=1, every=1),
    "cut;2;mix;3;6": partial(hand.mixed, steps=3, post=6, every=2),
    "residuum;3": partial(hand.residuum, steps=3),
    "residuum;3;step;true;true": partial(hand.residuum, steps=3, every=1, cut_prev=True),
    "residuum;3;step;false;false;true": partial(hand.residuum, steps=3, cut_next=True),
    "composite;0.5,2;sup;3|div;2;true": hand.composite,
}
"""Short unrollings, which are written out, and long ones, which are loops."""

UNCUT = [
    *("one", "sup;3", "sup;7", "div;3", "chain;3;2", "mix;2;2", "residuum;3"),
    *("loss;MAE;one", "loss;nMSE;one", "loss;nMAE;sup;2", "weights;1,0.5,0.25;sup;3"),
]


@pytest.fixture(scope="module")
def parts():
    """Return weights and structure of a network, a nonlinear solver and windows, in float64."""
    with jax.enable_x64(True):
        net = filled(lambda key: NETWORKS.parse("Conv;3;1;tanh").build(Grid(1, POINTS), 1, key))
        params, static = eqx.partition(net, eqx.is_inexact_array)
        equation = Convection((0.0, 0.0, 0.02), convection_scale=0.5, conservative=True)
        solver = as_solver(ETDRKStepper(equation, Grid(1, POINTS), 0.1))
        shape = (CHANNELS, BATCH, 10, POINTS)
        frames = np.random.default_rng(0).normal(size=shape)
        yield jax.tree.map(np.asarray, params), static, solver, frames


def losses(config, static, solver, frames):
    """Return the loss of the package as a function of the weights."""
    objective = OBJECTIVES.parse(config)
    setting = Setting(reference=solver.batched)

    def loss(params):
        emulate = eqx.combine(params, static).batched
        window = frames[:, :, : objective.stored_frames]
        return objective.sample_losses(emulate, window, setting).mean()

    return loss


def by_hand(definition, static, solver, frames):
    """Return the loss of the definition as a function of the weights."""

    def loss(params):
        one = partial(definition, eqx.combine(params, static), solver)
        return jax.vmap(one)(np.moveaxis(frames, (1, 2), (0, 1))).mean()

    return loss


@pytest.mark.parametrize("config", CASES)
def test_loss_and_gradient_are_those_of_the_definition(config, parts):
    params, *rest = parts
    with jax.enable_x64(True):

        @jax.jit
        def both(params):
            definition = by_hand(CASES[config], *rest)
            return [jax.value_and_grad(f)(params) for f in (losses(config, *rest), definition)]

        (value, gradient), (expected, slope) = jax.tree.map(np.asarray, both(params))
    assert value == pytest.approx(expected, rel=1e-12)
    for found, wanted in zip(*map(jax.tree.leaves, (gradient, slope)), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12 * np.abs(wanted).max())


@pytest.mark.parametrize("config", UNCUT)
def test_gradient_equals_finite_differences(config, parts):
    params, *rest = parts
    with jax.enable_x64(True):
        loss = jax.jit(losses(config, *rest))
        rng = np.random.default_rng(1)
        direction = jax.tree.map(lambda p: rng.normal(size=p.shape), params)
        gradient = jax.tree.map(np.asarray, jax.jit(jax.grad(losses(config, *rest)))(params))
        slope = sum(
            (g * d).sum() for g, d in zip(*map(jax.tree.leaves, (gradient, direction)), strict=True)
        )
        eps = 1e-5

        def moved(distance):
            there = jax.tree.map(lambda p, d: p + distance * d, params, direction)
            return float(loss(there))

        # fourth order, so that the difference itself is as good as its rounding
        near, far = moved(eps) - moved(-eps), moved(2 * eps) - moved(-2 * eps)
    assert slope == pytest.approx((8 * near - far) / (12 * eps), rel=1e-8)


def test_cuts_change_gradients_not_losses(parts):
    params, *rest = parts
    with jax.enable_x64(True):

        @jax.jit
        def all_of(params):
            configs = ("div;3", "div;3;true", "div;3;false;true", "div;3;true;true")
            return [jax.value_and_grad(losses(config, *rest))(params) for config in configs]

        results = jax.tree.map(np.asarray, all_of(params))
    values = [value for value, _ in results]
    np.testing.assert_allclose(values, values[0], rtol=1e-12)
    slopes = [np.concatenate([g.ravel() for g in jax.tree.leaves(grad)]) for _, grad in results]
    for first in range(4):
        for second in range(first):
            close = np.allclose(slopes[first], slopes[second], rtol=1e-3)
            # with every step cut, the target depends on nothing that is not cut already
            assert close == ({first, second} == {1, 3})
