"""Power spectra against waves whose spectrum is known, and Parseval's relation."""

import numpy as np
import pytest
import xarray as xr

from apexr import analysis
from apexr.errors import MissingVariableError, ShapeError
from apexr.testing import mock_experiment, no_compute

SPACE = ("x", "y", "z")


def test_a_wave_lies_in_its_shell():
    points = np.arange(16) / 16
    x, y = np.meshgrid(points, points, indexing="ij")
    field = xr.DataArray(2 + 3 * np.cos(2 * np.pi * (3 * x - 4 * y)), dims=("x", "y"))
    power = analysis.spectrum(field)
    assert power.sel(wavenumber=0).item() == pytest.approx(2)  # half of the mean square
    assert power.sel(wavenumber=5).item() == pytest.approx(2.25)
    assert power.sum().item() == pytest.approx(4.25)


def test_a_wave_of_unequal_axes_lies_in_the_shell_of_its_length():
    """On 2 x 1 the wave 3 along y is as long as the wave 6 along x."""
    x, y = np.arange(24) / 12, np.arange(10) / 10
    waves = np.cos(np.pi * 6 * x)[:, None] + 2 * np.cos(2 * np.pi * 3 * y)
    field = xr.DataArray(waves, {"x": x, "y": y}, ("x", "y"))
    power = analysis.spectrum(field)
    assert power.sel(wavenumber=6).item() == pytest.approx(0.25 + 1)
    assert power.sum().item() == pytest.approx(0.5 * (waves**2).mean())


@pytest.mark.parametrize(("dims", "points"), [(1, 9), (2, 8), (3, 6)])
def test_one_convention_for_states_and_for_results(dims, points):
    from apexr import spectral

    state = np.random.default_rng(1).normal(size=(2, *[points] * dims))
    by_hand = spectral.spectrum(state)
    labeled = analysis.spectrum(xr.DataArray(state, dims=("channel", *SPACE[:dims])))
    np.testing.assert_array_equal(labeled["wavenumber"], by_hand.wavenumbers)
    np.testing.assert_allclose(labeled, by_hand.values, rtol=1e-5)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("points", [7, 8])
def test_the_sum_is_half_the_mean_square(dims, points):
    values = np.random.default_rng(0).normal(size=(2, 3, *[points] * dims))
    field = xr.DataArray(values, dims=("time", "channel", *SPACE[:dims]), name="u")
    power = analysis.spectrum(field.transpose(..., "time"))
    expected = (field**2).mean(SPACE[:dims]) / 2
    xr.testing.assert_allclose(power.sum("wavenumber").transpose("time", "channel"), expected)
    assert power["wavenumber"].values.tolist()[: points // 2 + 1] == list(range(points // 2 + 1))
    lazy = field.chunk(time=1, x=4)
    with no_compute():
        later = analysis.spectrum(lazy)
    xr.testing.assert_allclose(later.compute(), analysis.spectrum(field))


def test_spectra_of_a_result():
    ds = mock_experiment(num_spatial_dims=2, num_channels=2, num_samples=2, diverged=[1])
    both = ds.apexr.spectra()
    assert both["prediction"].dims == ("seed", "sample", "time", "channel", "wavenumber")
    assert both["reference"].dims == ("sample", "time", "channel", "wavenumber")
    assert both["prediction"].dtype == np.float32
    assert np.isnan(both["prediction"].sel(seed=1)).all()
    assert np.isfinite(both["prediction"].sel(seed=[0, 2])).all()
    assert both.net.item() == ds.net.item()


def test_what_has_no_spectrum():
    with pytest.raises(ShapeError, match="must have dimensions x"):
        analysis.spectrum(xr.DataArray(np.zeros(3), dims="time"))
    with pytest.raises(MissingVariableError, match="sample_rollout"):
        analysis.spectra(mock_experiment().drop_vars("sample_rollout"))
