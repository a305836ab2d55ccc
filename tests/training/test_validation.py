"""Validation, the choice of weights, seeds that stop, averages, noise and stages in a training."""

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
from apexr.objectives import OBJECTIVES, PLAIN, Noise
from apexr.spectral import Grid
from apexr.training import (
    OPTIMIZERS,
    Attendance,
    Streamed,
    TrainingPlan,
    Validation,
    as_batched,
    train,
)
from apexr.training import _validation as validating

GRID = Grid(1, 16)
SPEC = NETWORKS.parse("Conv;2;1;tanh")
SEEDS = (0, 1)
PLAN = TrainingPlan(
    objective=OBJECTIVES.parse("sup;2"),
    optimizer=OPTIMIZERS.parse("adam;12;constant;1e-2"),
    batch_size=4,
    record_loss_every=2,
)
STEPS = np.arange(0, 12, 2)


def waves(samples, frames, first=0.0):
    points = np.arange(16) * 2 * np.pi / 16
    shift = 0.4 * np.arange(frames)[:, None] + np.arange(samples)[:, None, None] + first
    return jnp.asarray((np.sin(points - shift) + 0.3 * np.cos(2 * points))[:, :, None], jnp.float32)


DATA, OTHER = waves(3, 5), waves(4, 6, 0.5)


def network(seed):
    return filled(lambda key: SPEC.build(GRID, 1, key), seed)


def given(seeds=SEEDS):
    keys = jnp.asarray(np.stack([np.array([0, seed], "u4") for seed in seeds]))
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *map(network, seeds))
    return stacked, DATA, keys


def plan(**changes):
    parsed = {"objective": OBJECTIVES, "optimizer": OPTIMIZERS}
    read = {k: parsed[k].parse(v) if k in parsed else v for k, v in changes.items()}
    return dataclasses.replace(PLAN, **read)


def weights(emulators):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(eqx.filter(emulators, eqx.is_array))]


def assert_same(first, second, seeds=slice(None), **tolerance):
    for a, b in zip(weights(first), weights(second), strict=True):
        np.testing.assert_allclose(a[seeds], b[seeds], **(tolerance or {"rtol": 0}))


def scripted(*rows):
    """Return a score that says what is given, one row a validation, without looking."""
    left = [np.asarray(row, float) for row in rows]
    return lambda emulators: left.pop(0)


@pytest.fixture(scope="module")
def plain():
    return train(*given(), PLAN)


@pytest.fixture(scope="module")
def after():
    """The weights after so many updates, by trainings that are so long."""
    return {k: train(*given(), plan(optimizer=f"adam;{k};constant;1e-2")) for k in (2, 4, 6)}


def test_the_loss_on_other_data_is_the_mean_over_all_their_windows(plain):
    done = train(*given(), PLAN, validation=Validation(OTHER))
    assert_same(done.emulators, plain.emulators)
    np.testing.assert_array_equal(done.losses, plain.losses)
    assert done.validated.losses.shape == done.losses.shape
    values = np.asarray(OTHER)
    windows = np.stack([values[s, t : t + 3] for s in range(4) for t in range(4)])
    for place, seed in enumerate(SEEDS):
        each = PLAN.objective.sample_losses(
            as_batched(network(seed)), jnp.moveaxis(jnp.asarray(windows), 2, 0)
        )
        assert done.validated.losses[place, 0] == pytest.approx(float(each.mean()), rel=1e-5)
    np.testing.assert_array_equal(done.validated.selected_at, [12, 12])
    np.testing.assert_array_equal(done.validated.stopped_at, [-1, -1])


def test_data_that_are_read_give_the_same(monkeypatch):
    monkeypatch.setattr(validating, "BLOCK_BYTES", OTHER[:3].nbytes)  # blocks of 3 and of 1
    held = np.asarray(OTHER)
    read = Streamed(OTHER.shape, np.float32, lambda sample, a, b: held[sample, a:b])
    whole, parts = (train(*given(), PLAN, validation=Validation(one)) for one in (OTHER, read))
    np.testing.assert_allclose(parts.validated.losses, whole.validated.losses, rtol=1e-6)


def test_the_best_weights_are_those_that_were_tested_best(after, plain):
    """Each seed has its own; of equal scores the first; what is not finite is never best."""
    rows = [(3, 5), (2, np.nan), (1, 4), (1, 9), (np.inf, 9), (8, 9), (7, 9)]
    validation = Validation(OTHER, scripted(*rows), keep_best=True)
    done = train(*given(), PLAN, validation=validation)
    np.testing.assert_array_equal(done.validated.selected_at, [4, 4])
    np.testing.assert_array_equal(done.validated.scores, np.transpose(rows[:-1]))
    assert_same(done.emulators, after[4].emulators, rtol=1e-6)
    np.testing.assert_array_equal(done.losses, plain.losses)


@pytest.mark.parametrize(
    ("rows", "selected"),
    [
        ([(9, 9)] * 6 + [(1, 10)], [12, 0]),  # the last weights count, too
        ([(np.nan, np.inf)] * 7, [12, 12]),  # nothing to choose from
    ],
)
def test_the_last_weights_may_be_the_best(plain, rows, selected):
    validation = Validation(OTHER, scripted(*rows), keep_best=True)
    done = train(*given(), PLAN, validation=validation)
    np.testing.assert_array_equal(done.validated.selected_at, selected)
    chosen = [place for place, update in enumerate(selected) if update == 12]
    assert_same(done.emulators, plain.emulators, chosen)
    first = given()[0]
    assert_same(done.emulators, first, [p for p, update in enumerate(selected) if update == 0])


def test_scores_may_have_another_best_value():
    rows = [(0.2, -1), (0.9, 0.5), (0.4, 1.0), (0.95, 0.2), (0.1, 0), (0.1, 0), (0.1, 0)]
    validation = Validation(OTHER, scripted(*rows), keep_best=True, perfect=1.0)
    done = train(*given(), PLAN, validation=validation)
    np.testing.assert_array_equal(done.validated.selected_at, [6, 4])


@pytest.mark.parametrize("keep_best", [False, True])
def test_a_seed_stops_when_its_patience_is_over(after, plain, keep_best):
    rows = [(5, 5), (4, 6), (4, 7), (9, 4), (3, 3), (3, 2), (3, 1)]
    validation = Validation(OTHER, scripted(*rows), keep_best=keep_best, patience=2)
    done = train(*given(), PLAN, validation=validation)
    found = done.validated
    np.testing.assert_array_equal(found.stopped_at, [6, 4])
    np.testing.assert_array_equal(found.selected_at, [2, 0] if keep_best else [6, 4])
    np.testing.assert_array_equal(found.scores, [[5, 4, 4, 9, 9, 9], [5, 6, 7, 7, 7, 7]])
    for row, stop in zip(found.losses, found.stopped_at, strict=True):
        np.testing.assert_array_equal(
            row[stop < STEPS], np.repeat(row[stop == STEPS], (10 - stop) // 2)
        )
    np.testing.assert_array_equal(done.losses[0, :4], plain.losses[0, :4])
    key = jax.random.PRNGKey(0)  # a seed that has stopped: the loss of its weights on later batches
    for _ in range(3):
        key = jax.random.split(key)[0]
    order = np.asarray(jax.random.permutation(key, 9))[4:8]  # update 10 is the second of epoch 3
    batch = [np.asarray(DATA)[i // 3, i % 3 : i % 3 + 3] for i in order]
    last = after[6].emulators
    net = jax.tree.map(lambda leaf: leaf[0], eqx.filter(last, eqx.is_array))
    net = eqx.combine(net, eqx.filter(network(0), eqx.is_array, inverse=True))
    window = jnp.asarray(np.moveaxis(np.stack(batch), 2, 0))
    expected = PLAN.objective.sample_losses(as_batched(net), window).mean()
    assert done.losses[0, -1] == pytest.approx(float(expected), rel=1e-4)
    assert done.update_steps.tolist() == STEPS.tolist()
    if keep_best:
        assert_same(done.emulators, after[2].emulators, [0], rtol=1e-6)
        assert_same(done.emulators, given()[0], [1])
    else:
        assert_same(done.emulators, after[6].emulators, [0], rtol=1e-6)
        assert_same(done.emulators, after[4].emulators, [1], rtol=1e-6)


def test_a_seed_does_not_see_that_others_stop(plain):
    rows = [(5, 5 - k) for k in range(7)]
    done = train(*given(), PLAN, validation=Validation(OTHER, scripted(*rows), patience=1))
    np.testing.assert_array_equal(done.validated.stopped_at, [2, -1])
    assert_same(done.emulators, plain.emulators, [1])
    np.testing.assert_array_equal(done.losses[1], plain.losses[1])


def test_a_seed_that_devices_share_stops_likewise():
    """Alone, a seed's batches are cut into parts for all devices."""
    rows = [(5,), (4,), (4,), (9,), (3,), (3,), (3,)]
    made = plan(objective="noise;0.1;sup;2")
    validation = Validation(OTHER, scripted(*rows), patience=2)
    done = train(*given((1,)), made, validation=validation)
    np.testing.assert_array_equal(done.validated.stopped_at, [6])
    validation = Validation(OTHER, scripted(*np.repeat(rows, 2, axis=1)), patience=2)
    both = train(*given(), made, validation=validation)
    np.testing.assert_allclose(done.losses[0], both.losses[1], rtol=1e-4)


# --- averages --------------------------------------------------------------------------------


class Watch:
    every = 1

    def __init__(self):
        self.raw, self.tested = [], []

    def __call__(self, moment):
        self.raw.append([np.asarray(leaf) for leaf in jax.tree.leaves(moment.weights)])
        self.tested.append([np.asarray(leaf) for leaf in jax.tree.leaves(moment.tested)])


@pytest.mark.parametrize("around", ["", "clip;100.0;decay;1e-3;"])
def test_tests_use_the_average_of_all_weights(around):
    """θ' ← d θ' + (1 - d) θ from the first weights on; the training does not see it."""
    watch = Watch()
    made = plan(optimizer=f"{around}ema;0.8;adam;12;constant;1e-2")
    done = train(*given(), made, Attendance(trackers=(watch,)))
    bare = train(*given(), plan(optimizer=f"{around}adam;12;constant;1e-2"))
    np.testing.assert_allclose(done.losses, bare.losses, rtol=1e-5)
    average = [leaf.astype(float) for leaf in watch.raw[0]]
    for raw, tested in zip(watch.raw[1:], watch.tested[1:], strict=True):
        average = [0.8 * old + 0.2 * new for old, new in zip(average, raw, strict=True)]
        for mine, other in zip(tested, average, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-6)
    final = [
        0.8 * old + 0.2 * new for old, new in zip(average, weights(bare.emulators), strict=True)
    ]
    for mine, other in zip(weights(done.emulators), final, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "ema;0;adam;12;constant;1e-2"},
        {"objective": "noise;0;sup;2"},
        {"objective": "curriculum;2@0;sup;5"},
    ],
)
def test_identities_are_bit_equal(plain, changes):
    done = train(*given(), plan(**changes))
    np.testing.assert_array_equal(done.losses, plain.losses)
    assert_same(done.emulators, plain.emulators)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("ema;1;adam;9;constant;1", "below 1"),
        ("ema;-0.1;adam;9;constant;1", "at least 0"),
        ("ema;0.9;ema;0.9;adam;9;constant;1", "must not average"),
    ],
)
def test_averages_that_mean_nothing(config, said):
    with pytest.raises(SpecError, match=said):
        OPTIMIZERS.parse(config)


# --- noise and stages ------------------------------------------------------------------------


def train_plainly(seed, made, spread):
    """Return weights and losses of one seed by a loop over updates, windows gathered by hand."""
    net, key = network(seed), jax.random.PRNGKey(seed)
    noise_key = jax.random.fold_in(key, 0x4E4F4953)
    length = made.objective.window_length
    starts = [(s, t) for s in range(3) for t in range(5 - length + 1)]
    optimizer = made.optimizer.build()
    state = optimizer.init(eqx.filter(net, eqx.is_inexact_array))

    @eqx.filter_jit
    def update(net, state, window, keys, objective):
        setting = dataclasses.replace(PLAIN, noise=Noise(keys, spread))

        def loss(net):
            return objective.sample_losses(as_batched(net), window, setting).mean()

        value, gradient = eqx.filter_value_and_grad(loss)(net)
        changes, state = optimizer.update(gradient, state, eqx.filter(net, eqx.is_inexact_array))
        return eqx.apply_updates(net, changes), state, value

    losses, order = [], []
    for number in range(made.optimizer.updates):
        if not order:
            order = [int(index) for index in jax.random.permutation(key, len(starts))]
            key = jax.random.split(key)[0]
        batch, order = order[: made.batch_size], order[made.batch_size :]
        objective = made.objective.at(number)
        chosen = [starts[index] for index in batch]
        frames = [np.asarray(DATA)[s, t : t + objective.stored_frames] for s, t in chosen]
        window = jnp.asarray(np.moveaxis(np.stack(frames), 2, 0))
        of_update = jax.random.fold_in(noise_key, number)
        keys = np.stack([jax.random.fold_in(of_update, place) for place in range(len(batch))])
        net, state, value = update(net, state, window, keys, objective)
        losses.append(float(value))
    return net, losses


@pytest.mark.parametrize("objective", ["noise;0.2;sup;2", "curriculum;1@0,3@5;sup;3"])
def test_a_training_by_hand(objective):
    """Noise by seed, update and place; windows as long as the longest stage needs."""
    made = plan(objective=objective, optimizer="adam;7;constant;1e-2", record_loss_every=1)
    spread = jnp.asarray([np.asarray(DATA, np.float64).std()], jnp.float32)
    net, losses = train_plainly(1, made, spread)
    done = train(*given(), made)
    np.testing.assert_allclose(done.losses[1], losses, rtol=2e-4)
    mine = [leaf[1] for leaf in weights(done.emulators)]
    for a, b in zip(mine, weights(net), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_noise_does_not_depend_on_chunks_and_companions():
    made = plan(objective="noise;0.2;sup;2")
    first = train(*given(), made)
    other = train(*given(), dataclasses.replace(made, record_loss_every=5))
    assert_same(first.emulators, other.emulators, atol=1e-6)
    alone = train(*given((1,)), made)
    np.testing.assert_allclose(alone.losses[0], first.losses[1], rtol=1e-5)


def test_a_stage_after_the_last_update_is_refused():
    with pytest.raises(SpecError, match="from update 12 on, and the training makes 12 updates"):
        plan(objective="curriculum;1@0,2@12;sup;2")


# --- interruption ----------------------------------------------------------------------------


class Memory:
    """Keeps a checkpoint after every chunk, in memory."""

    def __init__(self):
        self.arrays = None

    def load(self):
        return self.arrays

    def is_due(self):
        return True

    def save(self, update, arrays):
        self.arrays = {name: np.array(array) for name, array in arrays.items()}


class StopError(Exception):
    """Somebody pulls the plug."""


RECIPE = {
    "objective": "noise;0.1;curriculum;1@0,2@5;sup;2",
    "optimizer": "ema;0.7;adam;12;constant;3e-2",
    "record_loss_every": 2,
}


@pytest.mark.parametrize(
    ("keep_best", "patience", "changes"),
    [(True, 0, {}), (False, 1, {}), (True, 2, RECIPE), (False, 0, RECIPE)],
)
def test_an_interrupted_training_goes_on_bit_by_bit(keep_best, patience, changes):
    made = plan(**{"optimizer": "adam;12;constant;0.3", **changes})
    validation = Validation(OTHER, keep_best=keep_best, patience=patience)
    whole = train(*given(), made, validation=validation)
    memory, stops = Memory(), 0

    def report(done, losses):
        if done in (4, 5, 8) and done not in seen:
            seen.append(done)
            raise StopError

    seen = []
    for _ in range(5):
        try:
            attendance = Attendance(report, keeper=memory)
            done = train(*given(), made, attendance, validation=validation)
            break
        except StopError:
            stops += 1
    assert stops >= 1
    np.testing.assert_array_equal(done.losses, whole.losses)
    for name in ("losses", "scores", "selected_at", "stopped_at"):
        first, second = (getattr(one.validated, name) for one in (done, whole))
        np.testing.assert_array_equal(first, second)
    assert_same(done.emulators, whole.emulators)


def test_a_checkpoint_without_validation_is_not_gone_on_with():
    memory = Memory()
    train(*given(), PLAN, Attendance(keeper=memory))
    validation = Validation(OTHER, keep_best=True)
    whole = train(*given(), PLAN, validation=validation)
    done = train(*given(), PLAN, Attendance(keeper=memory), validation=validation)
    np.testing.assert_array_equal(done.validated.losses, whole.validated.losses)


def test_ema_wraps_any_optax_state():
    spec = OPTIMIZERS.parse("clip;1.0;ema;0.5;with;momentum=0.9;sgd;9;constant;0.1")
    params = {"a": jnp.ones(3)}
    state = spec.build().init(params)
    changes, state = spec.build().update({"a": jnp.ones(3)}, state, params)
    assert optax.tree.norm(changes) > 0
