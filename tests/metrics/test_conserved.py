"""Mass, energy, enstrophy and divergence against closed forms, on the domain that is meant."""

import jax
import numpy as np
import pytest

import apexr
from _tiny import tiny
from apexr.errors import SpecError
from apexr.metrics import METRICS, Fields, measuring
from apexr.spectral import Grid, project_incompressible

GRID = Grid(2, (16, 12), (2.0, 3.0))
VOLUME = 6.0


def value(config, prediction, kind=None, target=None, grid=GRID):
    prediction = np.asarray(prediction)
    bound = measuring(config, Fields(grid, len(prediction), kind))[config]
    with jax.enable_x64(True):
        target = prediction if target is None else target
        return float(jax.jit(bound.sample_error)(prediction, np.asarray(target)))


def wave(k=(1, 2), grid=GRID):
    """Return the phase of a plane wave and its slopes."""
    slopes = 2 * np.pi * np.array(k) / np.array(grid.extents)
    return np.tensordot(slopes, grid.coordinates, 1), slopes


def test_mass_is_the_integral():
    phase, _ = wave()
    assert value("mean_total_mass", [0.5 + np.cos(phase)]) == pytest.approx(0.5 * VOLUME)
    assert value("mean_total_mass", [0.5 + 0 * phase, 2 + 0 * phase]) == pytest.approx(2.5 * VOLUME)
    lost, held = [1.5 + np.cos(phase)], [2 + np.cos(phase)]
    assert value("mean_mass_error", lost, target=held) == pytest.approx(0.25)


def test_energy_is_half_the_integral_of_the_square():
    phase, _ = wave()
    state = [3 * np.cos(phase), np.sin(phase)]
    assert value("mean_total_energy", state) == pytest.approx(VOLUME * (9 + 1) / 4)
    more = [1.1 * channel for channel in state]
    assert value("mean_energy_error", more, target=state) == pytest.approx(0.21)
    fewer = [0 * channel for channel in state]
    assert value("mean_energy_error", fewer, target=state) == pytest.approx(1)


def test_of_a_vorticity_the_energy_is_that_of_its_velocity():
    phase, slopes = wave()
    vorticity = [4 * np.cos(phase)]
    kinetic = VOLUME * 16 / 4 / np.sum(slopes**2)
    assert value("mean_total_energy", vorticity, "vorticity") == pytest.approx(kinetic)
    assert value("mean_total_energy", vorticity, "scalars") == pytest.approx(VOLUME * 16 / 4)
    assert value("mean_total_enstrophy", vorticity, "vorticity") == pytest.approx(VOLUME * 16 / 4)


def test_enstrophy_and_divergence_of_a_plane_wave():
    phase, slopes = wave()
    along, across = slopes / np.linalg.norm(slopes), np.array([-slopes[1], slopes[0]])
    size = np.linalg.norm(slopes)
    sound = along[:, None, None] * np.cos(phase)
    shear = across[:, None, None] / size * np.cos(phase)
    assert value("mean_divergence", sound) == pytest.approx(size / np.sqrt(2))
    assert value("mean_divergence", shear) == pytest.approx(0, abs=1e-12)
    assert value("mean_total_enstrophy", shear) == pytest.approx(VOLUME * size**2 / 4)
    assert value("mean_total_enstrophy", sound) == pytest.approx(0, abs=1e-20)
    assert value("mean_enstrophy_error", 0.5 * shear, target=shear) == pytest.approx(0.75)


def test_in_three_dimensions():
    grid = Grid(3, (8, 6, 4), (1.0, 2.0, 3.0))
    with jax.enable_x64(True):
        noise = np.random.default_rng(0).normal(size=(3, *grid.shape))
        flow = np.asarray(project_incompressible(noise, grid.domain_extent))
    assert value("mean_divergence", flow, "velocity", grid=grid) == pytest.approx(0, abs=1e-10)
    assert value("mean_divergence", noise, "velocity", grid=grid) > 1
    y = 2 * np.pi * grid.coordinates[1] / 2
    shear = np.stack([np.sin(y), 0 * y, 0 * y])  # its vorticity is -π cos along z
    expected = 6 * np.pi**2 / 4
    assert value("mean_total_enstrophy", shear, "velocity", grid=grid) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("config", "channels", "kind", "dims"),
    [
        ("mean_divergence", 1, None, 2),
        ("mean_divergence", 1, None, 1),
        ("mean_divergence", 2, "scalars", 2),
        ("mean_divergence", 3, None, 2),
        ("mean_divergence", 1, "vorticity", 2),
        ("mean_total_enstrophy", 1, None, 2),
        ("mean_enstrophy_error", 2, "scalars", 2),
        ("per_channel;mean_divergence", 2, "velocity", 2),
    ],
)
def test_what_means_nothing_is_refused(config, channels, kind, dims):
    with pytest.raises(SpecError, match="is of a velocity with one channel a dimension"):
        measuring(config, Fields(Grid(dims, 8), channels, kind))


def test_scenarios_say_what_their_channels_are():
    physical, two = apexr.scenarios.physical, {"num_spatial_dims": 2}
    with pytest.raises(SpecError, match=r"'mean_divergence' is of a velocity.*1 channel in 2D"):
        physical.Diffusion(**tiny("phy_diff"), **two, report_metrics="mean_nRMSE,mean_divergence")
    with pytest.raises(SpecError, match="which are scalars"):
        physical.GrayScott(**tiny("phy_gs"), **two, report_metrics="mean_divergence")
    asked = "mean_total_energy,mean_total_enstrophy,mean_energy_error"
    flow = physical.DecayingTurbulence(**tiny("phy_decay_turb"), report_metrics=asked)
    states = flow.get_test_data()
    scored = apexr.evaluate(flow, states.isel(time=slice(1, None)))
    omega = states.isel(time=slice(1, None), channel=0).astype("f8")
    enstrophy = 0.5 * (omega**2).mean(["x", "y"])
    np.testing.assert_allclose(scored["total_enstrophy"][0], enstrophy, rtol=1e-4)
    np.testing.assert_allclose(scored["mean_energy_error"], 0, atol=1e-6)
    k = np.fft.fftfreq(16, 1 / 16)
    length = (2 * np.pi) ** 2 * np.add.outer(k**2, k**2)
    power = np.abs(np.fft.fft2(omega.values)) ** 2 / 16**4
    kinetic = 0.5 * np.sum(power / np.where(length == 0, np.inf, length), axis=(-2, -1))
    np.testing.assert_allclose(scored["total_energy"][0], kinetic, rtol=2e-3)


def test_the_domain_counts():
    asked = {"report_metrics": "mean_total_mass", "ic_config": "fourier;3;false;true"}
    given = {**tiny("phy_adv"), "num_spatial_dims": 2, "num_points": (12, 8), **asked}
    scenario = apexr.scenarios.physical.Advection(**given, domain_extent=(2.0, 5.0))
    states = scenario.get_test_data().isel(time=slice(1, None))
    mass = apexr.evaluate(scenario, states)["total_mass"][0]
    np.testing.assert_allclose(mass, 10 * states.mean(["channel", "x", "y"]), rtol=1e-4)
    np.testing.assert_allclose(mass, mass.isel(time=[0]).values.repeat(5, 1), rtol=1e-4)


def test_without_a_domain_the_extent_is_one():
    state = np.full((1, 8), 2.0)
    assert METRICS.parse("mean_total_mass").sample_error(state, state) == 2


def test_bands_hold_waves_of_equal_length():
    grid, band = Grid(2, (32, 16), (2.0, 1.0)), "mean_fourier_MSE;4;4;0"
    for k in ((4, 0), (0, 2)):  # both have half the length of the short axis
        phase, _ = wave(k, grid)
        found = value(band, [np.cos(phase)], target=[0 * phase], grid=grid)
        assert found == pytest.approx(2 * 0.5)  # order 0 counts once a dimension
    slopes = value("mean_fourier_MSE;0;9;1", [np.cos(phase)], target=[0 * phase], grid=grid)
    assert slopes == pytest.approx((2 * np.pi * 4) ** 2 / 2)  # the longest axis has the extent 1
