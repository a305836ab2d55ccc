"""Draws on the host: the generator of JAX, and weights that were compiled before."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.engine import EmulatorPlan, Predict, draw_emulators
from apexr.engine._emulators import _draw
from apexr.kernels import DrawOnHost, UnknownDrawError, _draws
from apexr.networks import NETWORKS
from apexr.spectral import Grid

KEYS = [np.array(words, "u4") for words in [(0, 0), (0, 2**32 - 1), (123, 456)]]
SEEDS = [0, 7, 2**32 - 1]


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (2, 5)], ids=str)
def test_bits_are_those_of_jax(key, shape):
    made = _draws.random_bits(key, 32, shape)
    np.testing.assert_array_equal(made, jax.random.bits(key, shape, "uint32"))
    np.testing.assert_array_equal(_draws.split(key, (4,)), jax.random.split(key, 4))


def test_the_generator_is_the_published_one():
    """A known answer of Threefry-2x32 with 20 rounds, of its authors: counter and key are zero."""
    high, low = _draws._words(np.zeros(2, "u4"), 1)
    assert (int(high[0]), int(low[0])) == (0x6B200159, 0x99BA4EFE)


def test_bits_in_double_precision():
    with jax.enable_x64(True):
        expected = jax.random.bits(KEYS[2], (3,), "uint64")
        np.testing.assert_array_equal(_draws.random_bits(KEYS[2], 64, (3,)), expected)


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("config", ["Conv;3;1;relu", "UNet;2;1;relu", "FNO;3;2;1;gelu"])
def test_weights_keep_their_bits(config, double):
    with jax.enable_x64(double):
        plan = EmulatorPlan(NETWORKS.parse(config), Predict(), Grid(1, 16), 1, lambda: None)
        known = _draw(1)(np.array(SEEDS, "u4"), *plan.made_from)
        pairs = zip(*map(jax.tree.leaves, (draw_emulators(SEEDS, plan), known)), strict=True)
        for ours, theirs in pairs:
            assert isinstance(ours, jax.Array)
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)


def test_nothing_is_compiled_for_uniform_weights(compiled):
    plan = EmulatorPlan(NETWORKS.parse("UNet;3;1;relu"), Predict(), Grid(1, 16), 1, lambda: None)
    assert _draws.can_draw_on_host()  # which compiles a trifle once a process
    del compiled[:]
    draw_emulators([0, 1], plan)
    assert compiled == []


def test_another_release_whose_traces_differ_compiles_its_draws(monkeypatch):
    plan = EmulatorPlan(NETWORKS.parse("Conv;3;1;relu"), Predict(), Grid(1, 16), 1, lambda: None)
    known = jax.tree.leaves(draw_emulators(SEEDS, plan))
    monkeypatch.setitem(_draws._OPERATIONS, "random_split", lambda key, params: key)
    _draws.can_draw_on_host.cache_clear()
    try:
        assert not _draws.can_draw_on_host()
        made = jax.tree.leaves(draw_emulators(SEEDS, plan))
    finally:
        _draws.can_draw_on_host.cache_clear()
    assert all(np.array_equal(*pair) for pair in zip(made, known, strict=True))


def test_what_is_made_of_draws_is_compiled():
    def function(key):
        first, second = jax.random.split(key)
        return jnp.linalg.qr(jax.random.normal(first, (3, 3)))[0], second

    made, keys = DrawOnHost(function, jax.jit)(KEYS)
    for key, matrix, second in zip(KEYS, made, keys, strict=True):
        expected, half = function(key)
        np.testing.assert_allclose(matrix, expected, atol=1e-6)
        np.testing.assert_array_equal(second, half)


@pytest.mark.parametrize(
    "function",
    [
        lambda key: jax.lax.map(lambda key: jax.random.uniform(key, (2,)), jax.random.split(key)),
        lambda key: jax.random.uniform(jax.random.fold_in(key, 1)),
        lambda key: jax.random.uniform(jax.random.wrap_key_data(jnp.tile(key, 2), impl="rbg")),
    ],
    ids=["loop", "fold_in", "generator"],
)
def test_what_else_is_done_with_keys_is_left_to_the_compiler(function):
    with pytest.raises(_draws.UnknownDrawError):
        DrawOnHost(function, jax.jit)(KEYS)


@pytest.mark.parametrize("size", [1, 40, 2500])  # up to two rounds of the shuffle
def test_permutations_keep_their_numbers(size):
    made = DrawOnHost(lambda key: jax.random.permutation(key, size), jax.jit)(KEYS)
    expected = [jax.random.permutation(key, size) for key in KEYS]
    np.testing.assert_array_equal(made, expected)


def test_an_order_of_floating_point_numbers_is_left_to_the_compiler():
    def function(key):
        return jax.numpy.sort(jax.random.uniform(key, (5,)))

    with pytest.raises(UnknownDrawError):
        DrawOnHost(function, jax.jit)(KEYS)
