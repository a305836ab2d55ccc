"""Mini-batches: every epoch a new permutation, the last batch as long as it is."""

import jax
import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.kernels import gather_windows
from apexr.training import _batches, count_windows
from apexr.training._batches import batch_indices, batch_weights


def drawn(num_windows, batch_size, num_updates, seeds=(0, 1)):
    keys = jax.numpy.stack([jax.random.PRNGKey(seed) for seed in seeds])
    sizes = {"num_windows": num_windows, "batch_size": batch_size, "num_updates": num_updates}
    return np.asarray(batch_indices(keys, **sizes)), np.asarray(batch_weights(**sizes))


@pytest.mark.parametrize(("windows", "batch"), [(7, 3), (6, 3)])
def test_every_epoch_is_a_permutation(windows, batch):
    per_epoch = -(-windows // batch)
    indices, weights = drawn(windows, batch, 4 * per_epoch)
    assert indices.shape == (2, 4 * per_epoch, batch)
    epochs = []
    for seed in range(2):
        for epoch in range(4):
            span = slice(epoch * per_epoch, (epoch + 1) * per_epoch)
            seen = indices[seed, span][weights[span] > 0]
            assert sorted(seen) == list(range(windows))
            epochs.append(tuple(seen))
    assert len(set(epochs)) > 1


def test_permutations_follow_the_chain_of_keys():
    indices, weights = drawn(7, 3, 7, seeds=(5, 6))
    key = jax.random.PRNGKey(5)
    expected = []
    for _ in range(3):
        order = np.asarray(jax.random.permutation(key, 7))
        expected += [order[:3], order[3:6], order[6:]]
        key = jax.random.split(key)[0]
    for update, wanted in enumerate(expected[:7]):
        np.testing.assert_array_equal(indices[0, update][weights[update] > 0], wanted)


def test_weights_make_the_mean_of_what_a_batch_holds():
    weights = batch_weights(num_windows=7, batch_size=3, num_updates=5)
    third, none = np.float32(1 / 3), np.float32(0)
    full, short = [third] * 3, [1, none, none]
    np.testing.assert_allclose(weights, [full, full, short, full, full])


def test_seeds_draw_different_batches_and_more_updates_the_same_ones():
    short, _ = drawn(7, 3, 7)
    long, _ = drawn(7, 3, 12)
    assert not np.array_equal(short[0], short[1])
    np.testing.assert_array_equal(long[:, :7], short)


@pytest.mark.parametrize("length", [2, 5])
def test_windows_are_slices_of_the_trajectories(length):
    samples, frames, channels, points = 3, 5, 2, 4
    data = np.random.default_rng(0).normal(size=(samples, frames, channels, points))
    stacked = np.moveaxis(data.reshape(-1, channels, points), 1, 0)
    per_trajectory = frames - length + 1
    count = count_windows(samples, frames, length)
    assert count == samples * per_trajectory
    windows = np.asarray(gather_windows(stacked, np.arange(count), frames, length))
    assert windows.shape == (channels, count, length, points)
    for index in range(count):
        sample, start = divmod(index, per_trajectory)
        wanted = np.moveaxis(data[sample, start : start + length], 1, 0)
        np.testing.assert_allclose(windows[:, index], wanted, rtol=1e-6)


def test_windows_longer_than_the_trajectories_are_refused():
    with pytest.raises(SpecError, match="unroll at most 5 steps"):
        count_windows(3, 6, 7)


@pytest.mark.parametrize("seeds", [(4,), (4, 9, 2**31)])
def test_permutations_of_the_host_are_those_of_the_compiler(seeds, monkeypatch):
    made, _ = drawn(2500, 20, 300, seeds=seeds)  # three epochs, two rounds of the shuffle each
    monkeypatch.setattr(_batches, "FEW", 0)
    compiled, _ = drawn(2500, 20, 300, seeds=seeds)
    np.testing.assert_array_equal(made, compiled)
