"""Scalings: what a transform multiplies known coefficients by."""

import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.spectral import Grid, fft, scaling


@pytest.mark.parametrize("num_points", [7, 8])
def test_coef_extraction_gives_the_amplitudes_of_products_of_cosines(num_points):
    grid = Grid(2, num_points)
    x, y = 2 * np.pi * grid.coordinates
    field = 0.5 + 2 * np.cos(x) + 3 * np.cos(2 * y) + 4 * np.cos(x) * np.cos(2 * y)
    spectrum = (np.asarray(fft(field[None], 2)) / scaling(grid, "coef_extraction"))[0].real
    entries = spectrum[0, 0], spectrum[1, 0], spectrum[0, 2], spectrum[1, 2]
    np.testing.assert_allclose(entries, (0.5, 2, 3, 4), rtol=1e-5)


def test_nyquist_stands_for_itself():
    grid = Grid(1, 8)
    np.testing.assert_array_equal(scaling(grid, "reconstruction")[0], [8, 4, 4, 4, 8])
    np.testing.assert_array_equal(scaling(grid, "norm_compensation")[0], 8)
    np.testing.assert_array_equal(scaling(Grid(1, 7), "reconstruction")[0], [7, 3.5, 3.5, 3.5])


def test_reconstruction_halves_the_last_axis_only():
    np.testing.assert_array_equal(scaling(Grid(2, 4), "reconstruction")[0], [[16, 8, 16]] * 4)


def test_unknown_mode():
    with pytest.raises(SpecError, match="did you mean 'reconstruction'"):
        scaling(Grid(1, 8), "reconstructions")
