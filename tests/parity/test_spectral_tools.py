"""The tools for single fields equal the published solver's, where those are right."""

import numpy as np
import pytest
from _golden import Golden, deviation

from apexr.spectral import (
    derivative,
    fourier_coefficients,
    interpolate,
    resample,
    spectrum,
    wrap_periodic,
)

GOLDEN = Golden("spectral")
EXTENT = GOLDEN.meta["domain_extent"]
CASES = sorted({key.split("/")[0] for key in GOLDEN.names()})
TOLERANCE = 5e-6


@pytest.fixture(params=CASES)
def case(request):
    prefix = f"{request.param}/"
    return {
        key.removeprefix(prefix): GOLDEN[key] for key in GOLDEN.names() if key.startswith(prefix)
    }


def some(case, group):
    """Return the answers of a group by the last part of their names."""
    return {key.split("/")[1]: case[key] for key in case if key.startswith(f"{group}/")}


def test_spectra(case):
    amplitude = spectrum(case["noise"], "amplitude", corners=False).values
    power = spectrum(case["noise"], "one_sided_power", corners=False).values
    assert deviation(amplitude, case["amplitude"]) < TOLERANCE
    assert deviation(power, case["power"]) < TOLERANCE


def test_resampling_without_nyquist_waves(case):
    for points, golden in some(case, "resampled").items():
        given = resample(case["noise"], int(points), nyquist="zero")
        assert deviation(given, golden) < TOLERANCE, points


def test_derivatives(case):
    for order, golden in some(case, "derivative").items():
        assert deviation(derivative(case["noise"], EXTENT, int(order)), golden) < TOLERANCE, order


def test_coefficients(case):
    for mode, golden in some(case, "coefficients").items():
        given = np.asarray(fourier_coefficients(case["noise"], mode))
        assert deviation(np.stack([given.real, given.imag]), golden) < TOLERANCE, mode


def test_interpolation(case):
    given = interpolate(case["smooth"], case["places"], EXTENT)
    assert deviation(given, case["interpolated"]) < 2 * TOLERANCE


def test_wrapping(case):
    np.testing.assert_array_equal(wrap_periodic(case["noise"]), case["wrapped"])
