"""Statistics of long rollouts: against definitions by hand, and cases with known answers."""

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from scipy.stats import wasserstein_distance

import apexr
from apexr.engine import Plan, climate_blocks
from apexr.engine import _climate as engine_climate
from apexr.errors import ApexrError, DivergenceError, SpecError
from apexr.scenarios import difficulty
from apexr.schema import CLIMATE

N = 24
TINY = {
    "num_points": N,
    "num_train_samples": 4,
    "train_temporal_horizon": 5,
    "num_test_samples": 3,
    "test_temporal_horizon": 6,
    "optim_config": "adam;5;constant;1e-3",
    "record_loss_every": 5,
}
ASKED = {"steps": 150, "spinup": 20, "max_lag": 12}


def chaotic():
    return difficulty.KuramotoSivashinskyConservative(**TINY)


def rolled(step, states, spinup, steps):
    """Return ``(time, sample, channel, x)`` after the spin-up, in a plain loop."""
    states, frames = [jnp.asarray(u) for u in states], []
    for _ in range(spinup + steps):
        states = [step(u) for u in states]
        frames.append(np.stack([np.asarray(u) for u in states]))
    return np.stack(frames[spinup:]).astype(np.float64)


def slopes(frames):
    spectrum = np.fft.rfft(frames) * 2j * np.pi * np.arange(N // 2 + 1)
    return np.fft.irfft(spectrum, n=N)


def test_the_solver_itself_is_at_the_noise_floor():
    scenario = chaotic()
    stats = apexr.climate(scenario.get_ref_stepper(), scenario, **{**ASKED, "max_lag": 90})
    for name in stats.data_vars:
        if not str(name).endswith("_noise"):
            continue
        own = stats[str(name).removesuffix("_noise")].isel(seed=0)
        np.testing.assert_array_equal(own, stats[name], err_msg=str(name))
        positive = stats[name].sel(wavenumber=slice(1, 7)) if "wavenumber" in own.dims else own
        assert (positive > 0).all(), name
    assert stats.bounded == 1
    assert (stats.bounded_until == 150).all()
    assert set(stats.data_vars) == set(CLIMATE)


def test_all_statistics_are_as_defined():
    scenario = chaotic()
    rng = np.random.default_rng(0)
    states = rng.normal(size=(4, 1, N)).cumsum(axis=-1)
    states -= states.mean(axis=-1, keepdims=True)
    solve = scenario.get_ref_stepper()

    def emulate(u):
        return 1.002 * solve(u) + 0.02

    stats = apexr.climate(emulate, scenario, states=states, steps=60, spinup=5, max_lag=8)
    assert stats.test_sample.values.tolist() == [2, 3]
    true, own = (
        rolled(step, begin, 5, 60) for step, begin in ((solve, states[:2]), (emulate, states[2:]))
    )
    one = stats.isel(seed=0, channel=0)
    np.testing.assert_allclose(one["mean"], own.mean(), atol=1e-4)
    np.testing.assert_allclose(one.reference_variance, true.var(), rtol=1e-4)
    np.testing.assert_allclose(one.variance_error, abs(own.var() / true.var() - 1), rtol=1e-2)
    power = np.abs(np.fft.rfft(own) / N) ** 2 / 2
    power[..., 1 : N // 2] *= 2
    np.testing.assert_allclose(one.spectrum, power.mean(axis=(0, 1, 2)), rtol=1e-3, atol=1e-6)
    for name, fields in (("", (true, own)), ("slope_", tuple(map(slopes, (true, own))))):
        first, other = fields
        edges = np.linspace(first.min(), first.max(), 65)
        width = edges[1] - edges[0]
        np.testing.assert_allclose(one[f"{name}bin_center"], edges[:-1] + width / 2, rtol=1e-3)
        shares = [np.histogram(field, edges)[0] / field.size for field in fields]
        outside = [((field < edges[0]) | (field > edges[-1])).mean() for field in fields]
        assert outside[1] > 0 == outside[0]
        np.testing.assert_allclose(one[f"{name}histogram"], shares[1], atol=2e-3)
        expected = np.abs(shares[0] - shares[1]).sum() + outside[1]
        np.testing.assert_allclose(one[f"{name}histogram_l1"], expected, atol=5e-3)
        exact = wasserstein_distance(other.ravel(), first.ravel())
        np.testing.assert_allclose(one[f"{name}histogram_w1"], exact, atol=width / 10, rtol=2e-2)


def test_a_traveling_wave_has_its_correlation_and_its_spectrum():
    scenario = difficulty.Advection(advection_gamma=-0.4, **TINY)
    mode, x = 2, np.arange(N) / N
    waves = np.stack([np.cos(2 * np.pi * (mode * x + phase)) for phase in (0, 0.1)])[:, None]
    stats = apexr.climate(
        scenario.get_ref_stepper(), scenario, states=waves, steps=3_000, spinup=0, max_lag=10
    )
    turn = 2 * np.pi * mode * 0.4 / N
    expected = np.cos(turn * np.arange(11))
    np.testing.assert_allclose(stats.autocorrelation[0, 0], expected, atol=5e-3)
    np.testing.assert_allclose(
        stats.autocorrelation_time[0, 0], np.arccos(np.exp(-1)) / turn, rtol=5e-3
    )
    power = np.zeros(N // 2 + 1)
    power[mode] = 0.25
    np.testing.assert_allclose(stats.spectrum[0, 0], power, atol=1e-5)
    np.testing.assert_allclose(stats.variance[0, 0], 0.5, rtol=1e-3)


@pytest.mark.parametrize("every", [1, 3])
def test_it_is_the_same_for_every_chunk(every):
    scenario = chaotic()
    whole = apexr.climate(scenario.get_ref_stepper(), scenario, every=every, **ASKED)
    for chunk in (7, 2):
        parts = apexr.climate(
            scenario.get_ref_stepper(), scenario, every=every, chunk=chunk, **ASKED
        )
        xr.testing.assert_identical(parts.drop_attrs(deep=False), whole.drop_attrs(deep=False))


def test_runs_that_leave_the_bounds_are_counted_as_far_away():
    scenario = chaotic()
    solve = scenario.get_ref_stepper()
    states = np.asarray(scenario.get_test_ic_set())
    states = np.concatenate([states, states])
    largest = np.abs(states[3]).max()

    def emulate(u):
        return jnp.where(jnp.max(jnp.abs(u)) > 0.99 * largest, jnp.inf, solve(u))

    calm = 0.1 * states
    calm[3] = states[3]
    stats = apexr.climate(emulate, scenario, states=calm, steps=30, spinup=0, max_lag=5)
    np.testing.assert_allclose(stats.bounded, 2 / 3)
    assert stats.bounded_until[0].values.tolist() == [0, 30, 30]
    for name in ("histogram_w1", "spectrum_error", "mean_error", "variance_error"):
        assert np.isposinf(stats[name]).all(), name
        assert np.isfinite(stats[f"{name}_noise"]).any(), name
    assert 1 / 3 <= stats.histogram_l1[0, 0] <= 2
    np.testing.assert_allclose(stats.histogram.sum("bin"), 2 / 3, atol=0.05)
    assert np.isfinite(stats["mean"]).all()
    assert np.isnan(stats.autocorrelation_time).all()

    far = apexr.climate(lambda u: 2 * u + 1, scenario, **ASKED)
    assert far.bounded == 0
    np.testing.assert_allclose(far.histogram_l1, 2)


def test_networks_of_a_store_and_of_a_study(tmp_path):
    nets = ["Conv;4;1;relu", "Pure;3"]
    configs = {"scenario": "diff_ks_cons", "net": nets, "num_seeds": 2, **TINY}
    apexr.run_study(configs, tmp_path / "study", progress=False)
    short = {"steps": 20, "spinup": 2, "num_samples": 2, "max_lag": 4}
    stats = apexr.climate(tmp_path / "study", **short)
    assert stats.histogram.dims == ("experiment", "seed", "channel", "bin")
    assert stats.sizes["test_sample"] == 2
    first = str(stats["experiment"].values[0])
    alone = apexr.climate(tmp_path / "study", experiment=first, **short)
    np.testing.assert_array_equal(alone.histogram, stats.histogram.sel(experiment=first))
    networks = apexr.load_networks(tmp_path / "study", first)
    again = apexr.climate(networks, chaotic(), **short)
    np.testing.assert_array_equal(again.spectrum, alone.spectrum)


def test_channels_keep_their_names_and_axes_their_number():
    scenario = difficulty.Burgers(**{**TINY, "num_points": 12}, num_spatial_dims=2, num_channels=2)
    stats = apexr.climate(lambda u: 0.9 * u, scenario, steps=10, spinup=0, max_lag=3)
    assert stats.sizes["channel"] == 2
    assert (stats.histogram_w1 > 0).all()
    names = difficulty.Burgers.channel_names
    assert names is None or tuple(stats.channel.values) == names


def test_the_plot_has_rollouts_and_solver():
    scenario = chaotic()
    stats = apexr.climate(scenario.get_ref_stepper(), scenario, **ASKED)
    panels = list(apexr.plot.climate(stats))
    assert len(panels) == 4
    own, true = (panels[2].get(place) for place in (0, 1))
    assert [own.label, true.label] == ["emulator", "solver"]
    shown = true.dimension_values(1)
    held = stats.reference_spectrum.isel(channel=0).values[1:]
    np.testing.assert_allclose(shown[shown > 0], held[held > 0])
    several = xr.concat([stats, stats], "experiment")
    with pytest.raises(SpecError, match="choose one"):
        apexr.plot.climate(several)
    with pytest.raises(ApexrError, match="draw what"):
        apexr.plot.climate(stats.drop_vars("reference_spectrum"))


def test_blocks_hold_no_more_than_they_may(monkeypatch):
    monkeypatch.setattr(engine_climate, "BLOCK_BYTES", 40_000)
    states = jnp.ones((2, 1, N))
    blocks = climate_blocks(lambda u: u, states, Plan(0, 1_000, 1, (1.0,)))
    sizes = [block.states.nbytes + block.slopes.nbytes for block in blocks]
    assert len(sizes) > 10
    assert max(sizes) <= 40_000


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"steps": 1}, "at least two states"),
        ({"steps": 0}, "steps"),
        ({"steps": 5, "every": 4}, "at least two states"),
        ({"spinup": -1}, "spinup"),
        ({"num_bins": 1}, "num_bins"),
        ({"bound": 1.0}, "bound"),
        ({"bound": float("nan")}, "bound"),
        ({"max_lag": 0}, "max_lag"),
        ({"num_samples": 0}, "num_samples"),
        ({"chunk": 0}, "chunk"),
        ({"states": np.zeros((1, 1, N))}, "at least two"),
    ],
)
def test_bad_arguments_are_refused(given, words):
    with pytest.raises(ApexrError, match=words):
        apexr.climate(lambda u: u, chaotic(), **{"steps": 4, **given})


def test_a_scenario_is_asked_for():
    with pytest.raises(SpecError, match="scenario is missing"):
        apexr.climate(lambda u: u)


def test_a_solver_that_diverges_has_no_climate():
    scenario = difficulty.Burgers(**{**TINY, "num_points": 16}, convection_delta=-400.0)
    with pytest.raises(DivergenceError, match="no climate"):
        apexr.climate(lambda u: u, scenario, steps=50, spinup=0)
