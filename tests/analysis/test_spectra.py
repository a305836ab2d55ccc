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
    assert power.sel(wavenumber=0).item() == pytest.approx(4)
    assert power.sel(wavenumber=5).item() == pytest.approx(4.5)
    assert power.sum().item() == pytest.approx(8.5)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("points", [7, 8])
def test_the_sum_is_the_mean_square(dims, points):
    values = np.random.default_rng(0).normal(size=(2, 3, *[points] * dims))
    field = xr.DataArray(values, dims=("time", "channel", *SPACE[:dims]), name="u")
    power = analysis.spectrum(field.transpose(..., "time"))
    expected = (field**2).mean(SPACE[:dims])
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
    with pytest.raises(ShapeError, match="equal dimensions"):
        analysis.spectrum(xr.DataArray(np.zeros((3, 4)), dims=("x", "y")))
    with pytest.raises(ShapeError, match="equal dimensions"):
        analysis.spectrum(xr.DataArray(np.zeros(3), dims="time"))
    with pytest.raises(MissingVariableError, match="sample_rollout"):
        analysis.spectra(mock_experiment().drop_vars("sample_rollout"))
