"""Noise, pushforward, curricula and new losses against their definitions."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from _tiny import filled
from apexr.errors import SpecError
from apexr.networks import NETWORKS
from apexr.objectives import LOSSES, OBJECTIVES, PLAIN, Noise, SpectralLoss
from apexr.spectral import Grid

SHAPES = [(2, 3, 12), (1, 2, 7), (2, 2, 6, 5), (1, 2, 4, 6, 5)]


@pytest.fixture(scope="module")
def net():
    return filled(lambda key: NETWORKS.parse("Conv;2;1;tanh").build(Grid(1, 8), 1, key))


@pytest.fixture(scope="module")
def window():
    return jnp.asarray(np.random.default_rng(0).normal(size=(1, 3, 5, 8)).astype("f4"))


def losses(config, net, window, setting=PLAIN):
    spec = OBJECTIVES.parse(config)
    return spec.sample_losses(net.batched, window[:, :, : spec.stored_frames], setting)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("weights;geometric;0.5;sup;4", "weights;1,0.5,0.25,0.125;sup;4"),
        ("weights;geometric;0.01;sup;4", "weights;1,0.01,1e-3,1e-3;sup;4"),
        ("weights;geometric;2;sup;3", "weights;1,2,4;sup;3"),
        ("push;1", "one"),
        ("push;3", "weights;0,0,1;cut;1;sup;3"),
        ("noise;0;sup;2", "sup;2"),
        ("noise;0.3;sup;2", "sup;2"),
        ("curriculum;3@0;sup;3", "sup;3"),
        ("curriculum;3@0;sup;1;true", "sup;3;true"),
        ("curriculum;1@0,3@5;sup;1", "sup;3"),
        ("loss;spectral;1;sup;2", "loss;H1;sup;2"),
    ],
)
def test_one_in_the_words_of_another(first, second, net, window):
    """Outside of a training there is no noise, and the last stage of a curriculum holds."""
    mine, other = losses(first, net, window), losses(second, net, window)
    np.testing.assert_array_equal(mine, other)
    assert str(OBJECTIVES.parse(str(OBJECTIVES.parse(first)))) == str(OBJECTIVES.parse(first))


def test_the_pushforward_by_hand(net, window):
    def by_hand(scale):
        emulate = lambda state: scale * net.batched(state)  # noqa: E731
        state = jax.lax.stop_gradient(emulate(emulate(window[:, :, 0])))
        error = emulate(state) - window[:, :, 3]
        return jnp.mean(error**2)

    def ours(scale):
        spec = OBJECTIVES.parse("push;3")
        emulate = lambda state: scale * net.batched(state)  # noqa: E731
        return spec.sample_losses(emulate, window[:, :, :4]).mean()

    for mine, other in zip(
        jax.value_and_grad(ours)(0.7), jax.value_and_grad(by_hand)(0.7), strict=True
    ):
        assert float(mine) == pytest.approx(float(other), rel=1e-5)


def test_noise_is_added_to_the_initial_state_alone(net, window):
    keys = jax.random.split(jax.random.PRNGKey(3), 3)
    setting = dataclasses.replace(PLAIN, noise=Noise(keys, jnp.asarray([2.0])))
    disturbed = np.array(window)
    for sample, key in enumerate(keys):
        disturbed[:, sample, 0] += 0.1 * 2.0 * np.asarray(jax.random.normal(key, (1, 8)))
    given = losses("noise;0.1;sup;3", net, window, setting)
    np.testing.assert_allclose(given, losses("sup;3", net, jnp.asarray(disturbed)), rtol=1e-5)
    mixed = losses("composite;1,2;noise;0.1;sup;3|one", net, window, setting)
    np.testing.assert_allclose(mixed, given + 2 * losses("one", net, window), rtol=1e-5)


@pytest.mark.parametrize("config", ["noise;0.1;{}", "loss;nMSE;{}", "composite;1,1;{}|one"])
def test_stages_within_others(config, net, window):
    spec = OBJECTIVES.parse(config.format("curriculum;1@0,2@4,3@9;sup;3"))
    assert spec.starts == (0, 4, 9)
    assert spec.window_length == spec.stored_frames == 4
    for update, steps in ((0, 1), (3, 1), (4, 2), (8, 2), (9, 3), (1000, 3)):
        stage = spec.at(update)
        assert stage.window_length == 4
        plain = OBJECTIVES.parse(config.format(f"sup;{steps}"))
        read = window[:, :, : stage.stored_frames]
        expected = plain.sample_losses(net.batched, window[:, :, : plain.stored_frames])
        np.testing.assert_array_equal(stage.sample_losses(net.batched, read), expected)
        assert stage.num_steps == plain.num_steps
    assert spec.is_noisy == config.startswith("noise")
    assert not spec.plain.is_noisy
    assert spec.plain.window_length == 4


def test_one_stage_is_the_objective_itself():
    spec = OBJECTIVES.parse("curriculum;5@0;sup;2")
    assert spec.at(7) == OBJECTIVES.parse("sup;5") == spec.plain
    assert str(spec) == "curriculum;5@0;sup;5"


def spectral(prediction, target, power):
    """Return the loss of each sample by its definition, over the whole spectrum, in float64."""
    axes = tuple(range(2, target.ndim))
    waves = np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in target.shape[2:]), indexing="ij")
    weight = (1 + sum(k**2 for k in waves)) ** power

    def energy(states):
        spectrum = np.fft.fftn(np.asarray(states, np.float64), axes=axes)
        return (weight * np.abs(spectrum) ** 2).sum(axis=(0, *axes))

    return energy(prediction - target) / energy(target)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("power", [-1.5, 0.0, 1.0, 2.0])
def test_spectral_losses_by_definition(shape, power):
    rng = np.random.default_rng(1)
    prediction, target = rng.normal(size=(2, *shape)).astype("f4")
    given = SpectralLoss(power)(jnp.asarray(prediction), jnp.asarray(target))
    np.testing.assert_allclose(given, spectral(prediction, target, power), rtol=2e-5)
    if power == 0:  # Parseval
        mean_square = LOSSES.get("nMSE").function(jnp.asarray(prediction), jnp.asarray(target))
        np.testing.assert_allclose(given, mean_square, rtol=2e-5)


def test_h1_of_one_wave():
    """An error of wavenumber k counts 1 + k² times, relative to a target of wavenumber 1."""
    points = 2 * np.pi * np.arange(16) / 16
    target = np.sin(points)[None, None]
    for k in range(1, 8):
        prediction = target + 0.5 * np.cos(k * points)
        loss = LOSSES.get("H1").function(jnp.asarray(prediction), jnp.asarray(target))
        assert float(loss[0]) == pytest.approx(0.25 * (1 + k**2) / 2, rel=1e-5)


def test_the_root_has_a_gradient_where_there_is_no_error():
    loss = LOSSES.get("nRMSE").function
    target = jnp.asarray([[[1.0, 2.0]]])
    assert float(loss(target + 1, target)[0]) == pytest.approx(np.sqrt(1 / 2.5))
    slope = jax.grad(lambda error: loss(target + error, target)[0])
    assert float(slope(0.0)) == 0
    assert float(slope(0.5)) == pytest.approx(1 / np.sqrt(2.5), rel=1e-5)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("noise;-1;one", "STD must be at least 0"),
        ("noise;0.1;noise;0.2;one", "must be without noise"),
        ("push;0", "STEPS must be at least 1"),
        ("weights;geometric;0;sup;2", "must be above 0"),
        ("weights;geometric;1e200;sup;5", "geometric weights must be finite"),
        ("weights;geometric;sup;2", "geometric must be a number, got 'sup'"),
        ("weights;geometric;0.5;composite;1,1;one|one", "no time levels of its own"),
        ("weights;1,1;curriculum;1@0,2@3;sup;2", "geometric;R"),
        ("curriculum;1@3;sup;2", "must begin at update 0"),
        ("curriculum;1@0,2@0;sup;2", "one after another"),
        ("curriculum;0@0;sup;2", "at least one step"),
        ("curriculum;1;sup;2", "STEPS@UPDATE"),
        ("curriculum;1@0,2@5;one", "'one' has none"),
        ("curriculum;1@0,2@5;chain;2;2", "BRANCH must be at most STEPS"),
        ("curriculum;1@0,3@5;weights;1,2;sup;2", "WEIGHTS must be one number"),
        ("curriculum;1@0;curriculum;1@0,2@5;sup;2", "must not have stages"),
        ("loss;spectral;9;one", "from -8 to 8"),
        ("loss;spectral;1;residuum;2", "must be absolute"),
        ("loss;nRMS;one", "did you mean 'nRMSE'"),
    ],
)
def test_what_means_nothing_is_refused(config, said):
    with pytest.raises(SpecError) as caught:
        OBJECTIVES.parse(config)
    assert said in str(caught.value)
    assert "^" in str(caught.value)
