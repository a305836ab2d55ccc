"""The form of training for accelerators against that for CPUs.

Both are the same arithmetic in another order. In single precision, weights that were moved by
1e-2 a few times agree to 2e-5, losses to 2e-4 of their size.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from _tiny import filled
from apexr.kernels import ACCELERATOR, CPU, gradient_bytes, in_form, map_seeds, seeds_at_once
from apexr.networks import NETWORKS
from apexr.objectives import OBJECTIVES
from apexr.spectral import Grid
from apexr.training import OPTIMIZERS, Attendance, TrainingPlan, Validation, train
from apexr.training import _chunk as chunks
from apexr.training import _loop as loop
from apexr.training._moment import Tracker

PLAN = TrainingPlan(
    objective=OBJECTIVES.parse("sup;2"),
    optimizer=OPTIMIZERS.parse("adam;11;constant;1e-2"),
    batch_size=4,
    record_loss_every=4,
)
"""3 trajectories of 5 frames hold 9 windows: batches of 4, 4 and 1."""


def given(config, seeds=4, dims=1):
    """Return emulators, data and keys."""
    spec, grid = NETWORKS.parse(config), Grid(dims, 16 if dims == 1 else 8)
    made = [filled(lambda key: spec.build(grid, 1, key), seed) for seed in range(seeds)]
    emulators = jax.tree.map(lambda *leaves: jnp.stack(leaves), *made)
    data = np.random.default_rng(0).normal(size=(3, 5, 1, *grid.shape)).astype("f4")
    return emulators, data, np.stack([np.array([0, seed], "u4") for seed in range(seeds)])


def both(drawn, plan=PLAN, **more):
    """Return what the two forms make."""
    results = []
    for chosen in (CPU, ACCELERATOR):
        with in_form(chosen):
            results.append(train(*drawn, plan, **more))
    return results


def assert_equal(ours, theirs):
    np.testing.assert_array_equal(ours.update_steps, theirs.update_steps)
    np.testing.assert_array_equal(ours.diverged_at, theirs.diverged_at)
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=2e-4)
    for a, b in leaf_pairs(ours, theirs):
        np.testing.assert_allclose(a, b, atol=2e-5)


def leaf_pairs(*trainings):
    return zip(*(jax.tree.leaves(done.emulators) for done in trainings), strict=True)


@pytest.mark.parametrize(
    ("config", "dims"),
    [("Conv;2;1;tanh", 1), ("FNO;3;2;1;tanh", 1), ("Res;2;1;tanh", 2), ("UNet;2;1;tanh", 1)],
)
def test_both_forms_train_the_same(config, dims):
    assert_equal(*both(given(config, dims=dims)))


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_batch_that_devices_share(seeds):
    assert_equal(*both(given("Conv;2;1;tanh", seeds)))


def test_groups_of_seeds_where_memory_does_not_hold_all(monkeypatch):
    drawn = given("Conv;2;1;tanh", 4 * jax.local_device_count())
    sizes = []

    def noted(one, seeds, at_once):
        sizes.append(at_once)
        return map_seeds(one, seeds, at_once)

    monkeypatch.setattr(chunks, "map_seeds", noted)
    monkeypatch.setattr(chunks.kernels, "gradient_bytes", lambda loss, params: 10)
    monkeypatch.setattr(chunks.kernels, "room_for_gradients", lambda: 20)
    chunks.compiled_chunk.cache_clear()
    assert_equal(*both(drawn))
    chunks.compiled_chunk.cache_clear()
    assert set(sizes) == {1, 2}


@pytest.mark.parametrize(
    ("count", "each", "room", "size"),
    [(10, 1, 10, 10), (10, 1, 9, 5), (10, 1, 4, 2), (10, 1, 1, 1), (7, 1, 6, 1), (10, 9, 1, 1)],
)
def test_as_many_seeds_at_once_as_divide_all_and_fit(count, each, room, size):
    assert seeds_at_once(count, each, room) == size


def test_a_gradient_keeps_what_the_way_back_reads():
    """Of ``sum(tanh(w x)²)`` by ``w``: the slopes of both functions, and ``x``."""
    w, x = jnp.ones((3, 5)), jnp.ones((5, 7))
    held = gradient_bytes(lambda w: jnp.sum(jnp.tanh(w @ x) ** 2), w)
    assert 2 * 4 * (2 * 3 * 7 + 5 * 7) <= held <= 2 * 4 * (4 * 3 * 7 + 5 * 7 + 3 * 5)


class Kept:
    """Keeps a checkpoint after every chunk, and gives one back."""

    def __init__(self, last=None):
        self.saved, self.last = [], last

    def is_due(self):
        return True

    def save(self, update, arrays):
        self.saved.append({name: np.array(array) for name, array in arrays.items()})

    def load(self):
        return self.last


def test_callbacks_and_resumption():
    """Somebody looks every 3 updates: chunks of 2 updates and of 1, and one goes on after each."""
    drawn, looks = given("Conv;2;1;tanh"), {}

    def trained(name, chosen, last=None):
        def look(moment):
            gradients = map(np.asarray, jax.tree.leaves(moment.gradients))
            seen = looks.setdefault(name, {})
            seen[moment.update_step] = [np.asarray(moment.losses), *gradients]

        keeper = Kept(last)
        with in_form(chosen):
            attendance = Attendance(trackers=(Tracker(3, look),), keeper=keeper)
            return train(*drawn, PLAN, attendance), keeper

    (ours, _), (theirs, keeper) = trained("cpu", CPU), trained("accelerator", ACCELERATOR)
    assert_equal(ours, theirs)
    assert list(looks["cpu"]) == list(looks["accelerator"]) == [0, 3, 6, 9]
    for step, seen in looks["cpu"].items():
        for a, b in zip(seen, looks["accelerator"][step], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    for last in (keeper.saved[0], keeper.saved[-2]):
        resumed, _ = trained("again", ACCELERATOR, last)
        for a, b in leaf_pairs(resumed, theirs):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(resumed.losses, theirs.losses)


def test_seeds_that_stop():
    """Scores of the last two get no better after the first: they stop when the second is known."""
    emulators, data, keys = given("Conv;2;1;tanh")
    results = []
    for chosen in (CPU, ACCELERATOR):
        better = itertools.count(1)

        def score(_, better=better):
            return np.array([1 / next(better)] * 2 + [1.0] * 2)

        with in_form(chosen):
            validation = Validation(data, score=score, patience=1)
            results.append(train(emulators, data, keys, PLAN, validation=validation))
        assert results[-1].validated.stopped_at.tolist() == [-1, -1, 4, 4]
    assert_equal(*results)


def test_programs_of_two_lengths(monkeypatch):
    compiled, lengths = chunks.compiled_chunk, []

    def noted(recipe, num_updates=None):
        lengths.append(num_updates)
        return compiled(recipe, num_updates)

    monkeypatch.setattr(chunks, "compiled_chunk", noted)
    both(given("Conv;2;1;tanh", 2))
    assert lengths == [None, None, None, 4, 4, 3]


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([100] * 10, {100}),
        ([100, 100, 37], {100, 37}),
        ([30, 30, 30, 10, 20, 30], {30, 10}),
        ([4, 2, 2, 4, 3], {4, 1}),
        ([5], {5}),
    ],
)
def test_chunks_are_cut_into_two_lengths(lengths, expected):
    spans = list(zip(np.cumsum([0, *lengths]).tolist(), lengths, strict=False))
    cut = loop.in_two_lengths(spans, 0)
    assert {count for _, count in cut} == expected
    assert [first for first, _ in cut] == np.cumsum([0, *(n for _, n in cut)]).tolist()[:-1]
    assert sum(count for _, count in cut) == sum(lengths)
    assert {first for first, _ in spans} <= {first for first, _ in cut}
    for place, (first, _) in enumerate(cut):
        assert loop.in_two_lengths(spans, first) == cut[place:]
    assert loop.in_two_lengths(spans, sum(lengths)) == []
