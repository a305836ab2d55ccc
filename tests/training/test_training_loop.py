"""The compiled loop over many seeds against a plain loop over updates."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from _tiny import filled
from apexr.errors import SpecError
from apexr.networks import NETWORKS
from apexr.objectives import OBJECTIVES
from apexr.spectral import Grid
from apexr.steppers import ETDRKStepper, Linear
from apexr.training import NEVER, OPTIMIZERS, Trainer, TrainingPlan, as_batched, train

GRID = Grid(1, 16)
SPEC = NETWORKS.parse("Conv;2;1;tanh")
SEEDS = (0, 1, 2)
PLAN = TrainingPlan(
    objective=OBJECTIVES.parse("sup;2"),
    optimizer=OPTIMIZERS.parse("adam;13;constant;1e-2"),
    batch_size=4,
    record_loss_every=10,
)
"""3 trajectories of 5 frames hold 9 windows: batches of 4, 4 and 1."""


@pytest.fixture(scope="module")
def data():
    points = np.arange(16) * 2 * np.pi / 16
    shift = 0.4 * np.arange(5)[:, None] + np.arange(3)[:, None, None]
    waves = np.sin(points - shift) + 0.3 * np.cos(2 * points - shift)
    return jnp.asarray(waves[:, :, None], jnp.float32)


def network(seed):
    return filled(lambda key: SPEC.build(GRID, 1, key), seed)


def networks(seeds=SEEDS):
    keys = jnp.asarray(np.stack([np.array([0, seed], "u4") for seed in seeds]))
    made = [network(seed) for seed in seeds]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *made)
    return jax.tree.map(jnp.asarray, stacked), keys


def weights(emulators):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(eqx.filter(emulators, eqx.is_array))]


def assert_equal_weights(first, second, **tolerance):
    for a, b in zip(weights(first), weights(second), strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


def mean_loss(net, windows):
    """Return the loss of a network over a list of windows (frame, channel, space)."""
    emulate = as_batched(net)
    losses = jax.jit(lambda window: PLAN.objective.sample_losses(emulate, window))
    return float(np.mean(losses(np.moveaxis(np.stack(windows), 2, 0))))


def train_plainly(data, seed, plan):
    """Return weights and all losses of one seed; short batches have their own shape."""
    net, key = network(seed), jax.random.PRNGKey(seed)
    length = plan.objective.window_length
    starts = [(s, t) for s in range(len(data)) for t in range(data.shape[1] - length + 1)]
    optimizer = plan.optimizer.build()
    state = optimizer.init(eqx.filter(net, eqx.is_inexact_array))

    @eqx.filter_jit
    def update(net, state, window):
        def loss(net):
            return plan.objective.sample_losses(as_batched(net), window).mean()

        value, gradient = eqx.filter_value_and_grad(loss)(net)
        changes, state = optimizer.update(gradient, state)
        return eqx.apply_updates(net, changes), state, value

    losses, order, values = [], [], np.asarray(data)
    while len(losses) < plan.optimizer.updates:
        if not order:
            order = [int(index) for index in jax.random.permutation(key, len(starts))]
            key = jax.random.split(key)[0]
        batch, order = order[: plan.batch_size], order[plan.batch_size :]
        frames = [values[s, t : t + length] for s, t in (starts[index] for index in batch)]
        window = np.moveaxis(np.stack(frames), 2, 0)  # channel, batch, frame, space
        net, state, value = update(net, state, window)
        losses.append(float(value))
    return net, losses


@pytest.fixture(scope="module")
def trained(data):
    return train(*_arguments(data), PLAN)


def _arguments(data, seeds=SEEDS):
    emulators, keys = networks(seeds)
    return emulators, data, keys


def test_many_seeds_are_trained_as_one_would_be_by_hand(data, trained):
    net, losses = train_plainly(data, seed=1, plan=PLAN)
    np.testing.assert_allclose(trained.losses[1], losses[::10], rtol=1e-4)
    one = jax.tree.map(lambda leaf: leaf[1], eqx.filter(trained.emulators, eqx.is_array))
    assert_equal_weights(one, net, atol=2e-5)


def test_losses_are_recorded_before_the_update(trained):
    assert trained.losses.shape == (3, 2)
    assert trained.update_steps.tolist() == [0, 10]
    assert (trained.losses[:, -1] < trained.losses[:, 0]).all()
    assert (trained.diverged_at == NEVER).all()
    assert trained.train_seconds >= 0
    assert trained.compile_seconds > 0


def test_the_first_loss_is_that_of_the_first_batch(data, trained):
    order = np.asarray(jax.random.permutation(jax.random.PRNGKey(2), 9))[:4]
    picked = [np.asarray(data)[i // 3, i % 3 : i % 3 + 3] for i in order]
    assert trained.losses[2, 0] == pytest.approx(mean_loss(network(2), picked), rel=1e-5)


@pytest.mark.parametrize("every", [7, 100])
def test_weights_do_not_depend_on_how_often_losses_are_recorded(data, trained, every):
    plan = dataclasses.replace(PLAN, record_loss_every=every)
    done = train(*_arguments(data), plan)
    assert done.update_steps.tolist() == list(range(0, 13, every))
    assert done.losses.shape == (3, len(done.update_steps))
    np.testing.assert_allclose(done.losses[:, 0], trained.losses[:, 0], rtol=1e-6)
    assert_equal_weights(done.emulators, trained.emulators, atol=1e-6)


@pytest.mark.parametrize("seeds", [(1,), (1, 0)])
def test_a_seed_does_not_depend_on_its_companions(data, trained, seeds):
    done = train(*_arguments(data, seeds), PLAN)
    np.testing.assert_allclose(done.losses[0], trained.losses[1], rtol=1e-5)
    first, second = (
        jax.tree.map(lambda leaf, i=i: leaf[i], eqx.filter(made.emulators, eqx.is_array))
        for made, i in ((done, 0), (trained, 1))
    )
    assert_equal_weights(first, second, atol=1e-5)


def test_one_diverged_seed_is_marked_and_the_others_go_on(data, trained):
    emulators, _, keys = _arguments(data)
    broken = eqx.tree_at(
        lambda net: net.layers[0].weight, emulators, emulators.layers[0].weight.at[1].set(jnp.nan)
    )
    done = train(broken, data, keys, PLAN)
    assert done.diverged_at.tolist() == [NEVER, 0, NEVER]
    assert np.isnan(done.losses[1]).all()
    np.testing.assert_allclose(done.losses[[0, 2]], trained.losses[[0, 2]], rtol=1e-6)


def test_divergence_on_the_way_is_dated(data):
    optimizer = OPTIMIZERS.parse("adam;13;constant;1e30")
    done = train(*_arguments(data), dataclasses.replace(PLAN, optimizer=optimizer))
    assert (done.diverged_at >= 1).all()
    assert (done.diverged_at <= 3).all()
    assert np.isfinite(done.losses[:, 0]).all()
    assert not np.isfinite(done.losses[:, 1:]).any()


def test_a_plain_function_of_one_state_can_be_trained(data):
    class Scale(eqx.Module):
        factor: jax.Array

        def __call__(self, state):
            return self.factor * state

    optimizer = OPTIMIZERS.parse("adam;40;constant;0.05")
    plan = TrainingPlan(OBJECTIVES.parse("one"), optimizer, 4, 10)
    halved = np.stack([np.asarray(data)[:, 0] * 0.5**k for k in range(5)], axis=1)
    trainer = Trainer(jnp.asarray(halved), plan)
    seen = []
    net, losses = trainer(
        Scale(jnp.asarray(1.0)), jax.random.PRNGKey(0), lambda done, _: seen.append(done)
    )
    assert float(net.factor) == pytest.approx(0.5, abs=0.05)
    assert losses.shape == (4,)
    assert seen == sorted(seen)
    assert seen[0] == 10
    assert trainer.full_loss(Scale(jnp.asarray(0.5))) == pytest.approx(0, abs=1e-12)


def test_whole_numbers_in_an_emulator_are_kept(data):
    class Shifted(eqx.Module):
        factor: jax.Array
        shift: jax.Array

        def __call__(self, state):
            return self.factor * jnp.roll(state, self.shift, axis=-1)

    plan = TrainingPlan(OBJECTIVES.parse("one"), OPTIMIZERS.parse("sgd;4;constant;0.1"), 4, 2)
    net, losses = Trainer(data, plan)(
        Shifted(jnp.asarray(0.0), jnp.asarray(1)), jax.random.PRNGKey(0)
    )
    assert net.shift == 1
    assert net.factor > 0.1
    assert losses[-1] < losses[0]


def test_solvers_cannot_be_trained(data):
    stepper = ETDRKStepper(Linear((0.0, -1.0)), GRID, 0.1)
    with pytest.raises(SpecError, match="nothing to train"):
        Trainer(data, PLAN)(stepper, jax.random.PRNGKey(0))


def test_objectives_that_make_reference_steps_ask_for_the_solver():
    with pytest.raises(SpecError, match=r"'div;2' makes steps of the reference solver.*give"):
        TrainingPlan(OBJECTIVES.parse("div;2"), PLAN.optimizer, 4, 10)


def test_full_loss_is_the_mean_over_all_windows(data):
    net = network(0)
    windows = [np.asarray(data)[s, t : t + 3] for s in range(3) for t in range(3)]
    assert Trainer(data, PLAN).full_loss(net) == pytest.approx(mean_loss(net, windows), rel=1e-5)


def test_training_keeps_what_it_was_given(data):
    emulators, _, keys = _arguments(data)
    before = weights(emulators)
    train(emulators, data, keys, PLAN)
    for a, b in zip(before, weights(emulators), strict=True):
        np.testing.assert_array_equal(a, b)


def test_optimizers_of_ones_own(data):
    from apexr.training import Optimizer, optimizer

    @optimizer("descent")
    class Descent(Optimizer):
        """descent;UPDATES;RATE - plain gradient descent."""

        updates: int
        rate: float

        def build(self):
            return optax.sgd(self.rate)

    try:
        plan = dataclasses.replace(PLAN, optimizer=OPTIMIZERS.parse("descent;13;0.05"))
        net, losses = train_plainly(data, 0, plan)
        done = train(*_arguments(data, (0,)), plan)
        np.testing.assert_allclose(done.losses[0], losses[::10], rtol=1e-4)
        one = jax.tree.map(lambda leaf: leaf[0], eqx.filter(done.emulators, eqx.is_array))
        assert_equal_weights(one, net, atol=1e-5)
    finally:
        OPTIMIZERS.registry.unregister("descent")


def test_the_full_loss_is_compiled_once(data):
    traced = []

    class Counted(eqx.Module):
        factor: jax.Array

        def __call__(self, state):
            traced.append(state.shape)
            return self.factor * state

    first = Trainer(data, PLAN).full_loss(Counted(jnp.asarray(0.5)))
    count = len(traced)
    again = Trainer(data, PLAN).full_loss(Counted(jnp.asarray(0.25)))
    assert len(traced) == count > 0
    assert again != first
