"""Random initial conditions: strings, values, properties."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apexr.errors import ApexrWarning, SpecError, UnknownNameError
from apexr.initial import (
    INITIAL_CONDITIONS,
    Clamp,
    DiffusedNoise,
    GaussianRandomField,
    TruncatedFourier,
    sample_from,
    sample_set,
)
from apexr.spectral import Grid, fft

CONFIGS = [
    "fourier;3;true;true",
    "fourier;2;false;false",
    "diffused;0.001;true;false",
    "grf;3.0;true;true",
    "clamp;-0.5;2.0;grf;2.0;false;false",
]
flags = st.booleans()
inner = st.one_of(
    st.builds(TruncatedFourier, st.integers(1, 1000), flags, flags),
    st.builds(DiffusedNoise, st.floats(1e-9, 1e3), flags, flags),
    st.builds(GaussianRandomField, st.floats(-10, 10), flags, flags),
)
clamped = st.tuples(st.floats(-5, 5), st.floats(0.1, 5), inner).map(
    lambda t: Clamp(t[0], t[0] + t[1], t[2])
)


def draw(config, grid, **sizes):
    condition = INITIAL_CONDITIONS.parse(config)
    return np.asarray(sample_set(condition, grid, **{"num_samples": 3, "seed": 0, **sizes}))


@settings(max_examples=200, deadline=None)
@given(st.one_of(inner, clamped))
def test_strings_are_read_back(condition):
    assert INITIAL_CONDITIONS.parse(str(condition)) == condition


def test_names_in_any_case():
    assert INITIAL_CONDITIONS.parse("Fourier;5;TRUE;true") == TruncatedFourier(5, True, True)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("furier;5;true;true", "did you mean 'fourier'"),
        ("fourier;5;true", "MAX_ONE is missing"),
        ("diffused;1.0;true;false;true;1", "nothing is expected"),
        ("fourier;0;true;true", "CUTOFF must be at least 1"),
        ("fourier;5.0;true;true", "CUTOFF must be int"),
        ("fourier;5;yes;true", "ZERO_MEAN must be true or false"),
        ("diffused;0;true;true", "INTENSITY must be above 0"),
        ("grf;x;true;true", "POWERLAW_EXPONENT must be a number"),
        ("grf;nan;true;true", "POWERLAW_EXPONENT"),
        ("clamp;1;0;fourier;5;true;true", "LOWER must be below UPPER"),
        ("clamp;0;1", "INNER is missing"),
        ("clamp;0;1;clamp;0;1;fourier;5;true;true", "must not be another clamp"),
        ("clamp;0;1;furier;5;true;true", "did you mean 'fourier'"),
    ],
)
def test_refused_strings(text, named):
    with pytest.raises(SpecError, match=named):
        INITIAL_CONDITIONS.parse(text)


def test_unknown_name_in_the_registry():
    with pytest.raises(UnknownNameError):
        INITIAL_CONDITIONS.registry.get("nothing")


@pytest.mark.parametrize(
    ("seed", "start"),
    [
        (0, (0.06193451, 0.17175171, 0.27509892, 0.36949635)),
        (773, (0.2193406, 0.2049003, 0.18713358, 0.16757183)),
    ],
)
def test_published_values(seed, start):
    states = draw("fourier;5;true;true", Grid(1, 160), seed=seed, num_samples=1)
    np.testing.assert_allclose(states[0, 0, :4], start, atol=2e-7)


@pytest.mark.parametrize("config", CONFIGS)
def test_first_samples_do_not_depend_on_their_number(config):
    grid = Grid(2, 8)
    few, many = draw(config, grid, num_samples=2), draw(config, grid, num_samples=5)
    assert many.shape == (5, 1, 8, 8)
    np.testing.assert_array_equal(few, many[:2])
    assert len(np.unique(many[:, 0, 0, 0])) == 5


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("grid", [Grid(1, 9), Grid(3, 8)], ids=str)
def test_any_dimension_and_channel_count_whatever_the_extent(config, grid):
    states = draw(config, grid, num_channels=2)
    assert states.shape == (3, 2, *grid.shape)
    assert np.isfinite(states).all()
    assert not np.allclose(states[:, 0], states[:, 1])
    long = Grid(grid.num_spatial_dims, grid.num_points, 7.0)
    np.testing.assert_array_equal(draw(config, long, num_channels=2), states)


@pytest.mark.parametrize("name", ["fourier;3", "diffused;0.001", "grf;3.0"])
def test_flags(name):
    grid = Grid(2, 16)
    states = draw(f"{name};true;true", grid)
    np.testing.assert_allclose(states.mean((1, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(np.abs(states).max((1, 2, 3)), 1, rtol=1e-6)
    free = draw(f"{name};false;false", grid)
    assert (np.abs(free.mean((1, 2, 3))) > 1e-5).all()


def test_fourier_has_no_wave_above_its_cutoff():
    spectrum = np.abs(fft(draw("fourier;3;false;false", Grid(2, 16))[:, 0], 2))
    assert spectrum[:, :, 4:].max() < 1e-4
    assert spectrum[:, 4:13].max() < 1e-4
    assert spectrum[:, 3, 3].min() > 1e-2


def test_diffusion_damps_noise_by_its_heat_kernel():
    grid = Grid(1, 32)
    weak, strong = draw("diffused;1e-9;false;false", grid), draw("diffused;0.002;false;false", grid)
    damping = np.exp(-0.002 * (2 * np.pi * np.arange(17)) ** 2)
    np.testing.assert_allclose(fft(strong[:, 0], 1), fft(weak[:, 0], 1) * damping, atol=1e-3)


def test_clamp_reaches_its_limits():
    states = draw("clamp;-0.5;2.0;fourier;3;true;true", Grid(1, 32))
    np.testing.assert_allclose(states.min((1, 2)), -0.5, atol=1e-6)
    np.testing.assert_allclose(states.max((1, 2)), 2.0, atol=1e-6)


@pytest.mark.parametrize("config", ["fourier;9;true;true", "clamp;0;1;fourier;9;true;true"])
def test_waves_that_the_grid_does_not_hold_are_left_out(config):
    with pytest.warns(ApexrWarning, match="16 points hold waves up to 8; the cutoff 9"):
        states = draw(config, Grid(1, 16))
    np.testing.assert_array_equal(states, draw(config.replace("9", "8"), Grid(1, 16)))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": -1},
        {"seed": 2**32},
        {"seed": 1.0},
        {"seed": True},
        {"num_samples": 0},
        {"num_channels": 0},
    ],
    ids=str,
)
def test_refused_sizes_and_seeds(change):
    with pytest.raises(SpecError, match=next(iter(change))):
        draw("fourier;3;true;true", Grid(1, 16), **change)


def test_largest_seed():
    assert np.isfinite(draw("fourier;3;true;true", Grid(1, 16), seed=2**32 - 1)).all()


@pytest.mark.parametrize("grid", [Grid(1, 48), Grid(2, 12)], ids=["1d", "2d"])
@pytest.mark.parametrize("config", ["fourier;3;true;true", "grf;3.0;true;true"])
def test_the_first_states_of_a_set_do_not_depend_on_its_size(config, grid):
    largest = draw(config, grid, num_samples=23)
    assert len(np.unique(largest.reshape(23, -1), axis=0)) == 23
    for size in (1, 9, 10, 11, 20, 21):
        np.testing.assert_array_equal(draw(config, grid, num_samples=size), largest[:size])


@pytest.mark.parametrize("grid", [Grid(1, 48), Grid(2, 12)], ids=["1d", "2d"])
def test_a_set_is_drawn_in_compiled_code_too(grid):
    condition = INITIAL_CONDITIONS.parse("fourier;3;true;true")

    def states(key):
        return sample_from(condition, grid, key, num_samples=12)

    key = jax.random.PRNGKey(7)
    np.testing.assert_allclose(jax.jit(states)(key), states(key), rtol=0, atol=1e-6)
