"""The further initial conditions: what their states look like, and what is refused."""

import jax
import numpy as np
import pytest

from apexr.errors import ApexrWarning, SpecError
from apexr.initial import INITIAL_CONDITIONS, Channels, GaussianBlobs, WhiteNoise, sample_set
from apexr.scenarios import difficulty
from apexr.spectral import Grid, fft

KEY = jax.random.PRNGKey(3)


def parse(text):
    return INITIAL_CONDITIONS.parse(text)


def draw(text, grid, **sizes):
    return np.asarray(sample_set(parse(text), grid, **{"num_samples": 3, "seed": 0, **sizes}))


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("blobs", "blobs;1;false;0.4;0.6;0.005;0.01"),
        ("discontinuities", "discontinuities;3;false;false;false;-1.0;1.0"),
        ("sine_waves", f"sine_waves;5;false;false;-1.0;1.0;0.0;0.0;0.0;{2 * np.pi!r}"),
        ("white_noise", "white_noise;1.0;false;false;false"),
        ("fourier_modes;4", "fourier_modes;4;true;false;false;-1.0;1.0"),
        (
            "fourier;5;true;true",
            f"fourier;5;true;true;false;-1.0;1.0;-0.5;0.5;0.0;{2 * np.pi!r}",
        ),
        ("grf;3.0;true;true", "grf;3.0;true;true;false"),
        ("diffused;0.001;true;true", "diffused;0.001;true;true;false"),
    ],
)
def test_trailing_fields_have_the_published_defaults(short, long):
    assert parse(long) == parse(short)
    assert str(parse(long)) == short


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("channels;blobs;1;true|blobs;1", "channels;blobs;1;true|blobs"),
        ("channels;blobs;2 |  grf;2;true;true", "channels;blobs;2|grf;2.0;true;true"),
        (
            "channels;clamp;0;1;scaled;2;blobs|blobs",
            "channels;clamp;0.0;1.0;scaled;2.0;blobs|blobs",
        ),
        ("clamp;0;1;scaled;-3;grf;2;true;true", "clamp;0.0;1.0;scaled;-3.0;grf;2.0;true;true"),
        ("Scaled;2;Channels;Blobs|White_Noise", "scaled;2.0;channels;blobs|white_noise"),
        ("channels;blobs", "channels;blobs"),
    ],
)
def test_nested_strings_and_lists_are_read_and_printed(text, printed):
    assert str(parse(text)) == printed
    assert parse(printed) == parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blobs;0", "NUM_BLOBS must be at least 1"),
        ("blobs;1;false;0.6;0.4", "POSITION_LOW must be at most POSITION_HIGH, got 0.6 and 0.4"),
        ("blobs;1;false;0.4;0.6;0.0", "VARIANCE_LOW must be above 0"),
        ("blobs;1;false;0.4;0.6;0.5", "VARIANCE_LOW must be at most VARIANCE_HIGH"),
        ("discontinuities;3;false;false;true", "ZERO_MEAN must be true"),
        ("discontinuities;3;true;true;true", "STD_ONE and MAX_ONE exclude each other"),
        ("discontinuities;3;false;false;false;1;0", "VALUE_LOW must be at most VALUE_HIGH"),
        ("fourier;5;false;false;true", "ZERO_MEAN must be true"),
        ("fourier;5;true;true;true", "exclude each other"),
        ("grf;3;true;true;true", "exclude each other"),
        ("diffused;0.1;false;false;true", "ZERO_MEAN must be true"),
        ("white_noise;1;true;true;true", "exclude each other"),
        ("fourier_modes;65", "CUTOFF must be at least 1 and at most 64"),
        ("sine_waves;5;true;true", "exclude each other"),
        ("sine_waves;5;false;true;-1;1;0;2", "OFFSET_LOW and OFFSET_HIGH must be 0"),
        ("scaled;2", "INNER is missing"),
        ("scaled;inf;blobs", "SCALE must be finite"),
        ("channels", "EACH is missing"),
        ("channels;blobs|blob", "did you mean 'blobs'"),
        ("channels;blobs|", "unknown initial condition ''"),
        ("channels;blobs|scaled;2;channels;blobs", "must be for one channel"),
        ("channels;blobs;1;true;0.4;0.6;x|blobs", "VARIANCE_LOW must be a number, got 'x'"),
        ("white_nois", "did you mean 'white_noise'"),
    ],
)
def test_refused_strings(text, said):
    with pytest.raises(SpecError, match=said.replace("|", r"\|")):
        parse(text)


def test_the_caret_finds_the_entry_of_a_list():
    with pytest.raises(SpecError) as caught:
        parse("channels;blobs;1 | blobs;x | blobs")
    _, text, caret, *usages = str(caught.value).splitlines()
    assert text[caret.index("^")] == "x"
    assert usages[0] == "usage: channels;EACH[|...]"
    assert usages[1].startswith("  with blobs[;NUM_BLOBS]")


def test_white_noise_has_its_mean_and_deviation_and_a_flat_spectrum():
    u = draw("white_noise;2.5", Grid(2, 64), num_samples=8)
    assert abs(u.mean()) < 0.06
    assert u.std() == pytest.approx(2.5, rel=0.02)
    power = np.abs(fft(draw("white_noise", Grid(1, 64), num_samples=200)[:, 0], 1)) ** 2
    np.testing.assert_allclose(power.mean(0)[1:-1] / 64, 1.0, atol=0.35)


@pytest.mark.parametrize(
    "text",
    [
        "white_noise;2.0;true;false;true",
        "grf;3;true;false;true",
        "diffused;0.001;true;false;true",
        "fourier;3;true;false;true",
        "fourier_modes;3;true;false;true",
        "discontinuities;9;true;false;true",
    ],
)
def test_std_one(text):
    u = draw(text, Grid(2, 16))
    np.testing.assert_allclose(u.mean((1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(u.std((1, 2, 3)), 1, rtol=1e-5)


@pytest.mark.parametrize("exponent", [2.0, 4.0])
def test_the_energy_of_a_random_field_decays_with_its_exponent(exponent):
    u = draw(f"grf;{exponent};true;false", Grid(1, 64), num_samples=300)
    power = (np.abs(fft(u[:, 0], 1)) ** 2).mean(0)
    k = np.arange(1, 31)
    slope = np.polyfit(np.log(k), np.log(power[k]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.15)


def test_discontinuities_are_sums_of_boxes():
    u = draw("discontinuities;1;false;false;false;0.5;2.0", Grid(2, 32), num_samples=6)
    for state in u[:, 0]:
        inside = state != 0
        assert np.unique(state[inside]).size <= 1
        assert ((state[inside] >= 0.5) & (state[inside] <= 2.0)).all()
        rows, columns = inside.any(1), inside.any(0)
        np.testing.assert_array_equal(inside, np.outer(rows, columns))
        assert np.abs(np.diff(rows.astype(int))).sum() <= 2
    many = draw("discontinuities;4", Grid(1, 32), num_samples=20)
    assert np.abs(many).max() <= 4
    assert (many < 0).any()


def test_a_state_that_is_the_same_everywhere_stays_finite():
    for text in ("discontinuities;1;true;true", "clamp;0;1;discontinuities;1"):
        assert np.isfinite(draw(text, Grid(1, 2), num_samples=20)).all()


def test_blobs_are_one_at_their_centre_and_their_complement_zero():
    grid = Grid(2, 128)
    text = "blobs;1;{};0.25;0.25;0.004;0.004"
    blob, hole = (draw(text.format(c), grid, num_samples=1)[0, 0] for c in ("false", "true"))
    assert np.unravel_index(blob.argmax(), blob.shape) == (32, 32)
    assert blob.max() == pytest.approx(1)
    x, y = grid.coordinates
    exact = np.exp(-((x - 0.25) ** 2 + (y - 0.25) ** 2) / 0.008)
    np.testing.assert_allclose(blob, exact, atol=1e-5)
    np.testing.assert_allclose(hole, 1 - exact, atol=1e-5)


def test_blob_centres_stay_in_their_range():
    u = draw("blobs", Grid(2, 50), num_samples=20)
    places = np.array([np.unravel_index(s.argmax(), s.shape) for s in u[:, 0]]) / 50
    assert (np.abs(places - 0.5) <= 0.11).all()


def test_sine_waves_are_the_waves_up_to_their_cutoff():
    u = draw("sine_waves;3;false;false;0.5;1.0;2.0;2.0", Grid(1, 32))[:, 0]
    modes = np.abs(fft(u, 1)) / 16
    np.testing.assert_allclose(modes[:, 0] / 2, 2.0, rtol=1e-5)
    assert ((modes[:, 1:4] >= 0.5 - 1e-5) & (modes[:, 1:4] <= 1 + 1e-5)).all()
    assert modes[:, 4:].max() < 1e-5


def test_sine_waves_are_for_one_dimension():
    with pytest.raises(SpecError, match="sine waves are for num_spatial_dims 1, got 2"):
        draw("channels;blobs|sine_waves", Grid(2, 16), num_channels=2)


def test_scaled_multiplies():
    grid = Grid(1, 16)
    np.testing.assert_allclose(draw("scaled;-3;blobs", grid), -3 * draw("blobs", grid), rtol=1e-6)


def test_channels_are_drawn_each_from_its_key():
    grid = Grid(2, 12)
    condition = parse("channels;blobs;1;true|grf;3;true;true")
    state = condition.sample(grid, KEY)
    keys = jax.random.split(KEY, 2)
    np.testing.assert_allclose(state[:1], GaussianBlobs(1, True).sample(grid, keys[0]), atol=1e-6)
    np.testing.assert_allclose(state[1:], parse("grf;3;true;true").sample(grid, keys[1]), atol=1e-6)


def test_a_list_of_equal_conditions_is_the_repeated_one():
    grid = Grid(1, 16)
    listed = draw("channels;white_noise|white_noise", grid, num_channels=2)
    np.testing.assert_array_equal(listed, draw("white_noise", grid, num_channels=2))
    assert Channels((WhiteNoise(),) * 2).num_channels == 2


@pytest.mark.parametrize("wrap", ["", "scaled;2;", "clamp;0;1;", "clamp;0;1;scaled;2;"])
def test_channels_must_be_as_many_as_asked_for(wrap):
    text = f"{wrap}channels;blobs|blobs"
    assert draw(text, Grid(1, 16), num_channels=2).shape == (3, 2, 16)
    with pytest.raises(SpecError, match="has 2 channels, but num_channels is 1"):
        draw(text, Grid(1, 16))


def test_a_clamp_of_channels_has_its_limits_over_all_of_them():
    u = draw("clamp;-1;2;channels;blobs|scaled;5;blobs", Grid(1, 64), num_channels=2)
    np.testing.assert_allclose(u.min((1, 2)), -1, atol=1e-6)
    np.testing.assert_allclose(u.max((1, 2)), 2, atol=1e-5)
    assert (u[:, 0].max(1) < 0).all()


def test_scenarios_take_them_and_check_channels_when_they_are_made():
    sizes = {"num_spatial_dims": 2, "num_points": 16, "train_temporal_horizon": 1}
    text = "channels;blobs|clamp;0;1;scaled;2;blobs"
    scenario = difficulty.Burgers(**sizes, num_train_samples=2, ic_config=text)
    assert scenario.get_train_ic_set().shape == (2, 2, 16, 16)
    with pytest.raises(SpecError, match="has 2 channels, but num_channels is 1"):
        difficulty.Advection(**sizes, ic_config=text)
    with pytest.raises(SpecError, match="sine waves are for num_spatial_dims 1"):
        difficulty.Advection(num_spatial_dims=2, num_points=16, ic_config="sine_waves")


def test_fourier_modes_warn_of_a_grid_that_is_too_coarse():
    with pytest.warns(ApexrWarning, match="8 points cannot hold waves up to 4; take at least 9"):
        draw("fourier_modes;4", Grid(1, 8))


@pytest.mark.parametrize("low", ["-1.0", "0.25"])
def test_fourier_modes_have_their_amplitudes(low):
    u = draw(f"fourier_modes;3;true;false;false;{low};1.0", Grid(2, 12), num_samples=20)
    modes = np.abs(fft(u[:, 0], 2)) / 72
    assert modes[:, :4, 1:4].max() <= 1 + 1e-5
    assert modes[:, :4, 1:4].min() >= max(float(low), 0) - 1e-5
    assert modes[:, 4:9].max() < 1e-4
    assert modes[:, 0, 0].max() < 1e-5
