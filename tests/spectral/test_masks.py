"""Masks over spectra."""

import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.spectral import Grid, dealiasing_mask, low_pass_mask, nyquist_mask


@pytest.mark.parametrize(
    ("num_points", "fraction", "largest"), [(160, 2 / 3, 52), (160, 1 / 2, 39), (18, 2 / 3, 5)]
)
def test_dealiasing_cutoff(num_points, fraction, largest):
    mask = dealiasing_mask(Grid(1, num_points), fraction)[0]
    assert np.flatnonzero(mask).max() == largest


def test_low_pass_is_a_cube_or_a_ball():
    grid = Grid(2, 16)
    cube, ball = low_pass_mask(grid, 2), low_pass_mask(grid, 2, radial=True)
    assert cube.sum() == 5 * 3
    assert ball.sum() == 5 + 3 + 1
    assert cube[0, 2, 2]
    assert not ball[0, 2, 2]


def test_nyquist():
    assert not nyquist_mask(Grid(2, 7)).any()
    mask = nyquist_mask(Grid(2, 6))[0]
    assert mask[3].all()
    assert mask[:, 3].all()
    assert mask.sum() == 4 + 6 - 1


@pytest.mark.parametrize("fraction", [0, -1, 1.1, float("nan")])
def test_refused(fraction):
    with pytest.raises(SpecError, match="dealiasing_fraction"):
        dealiasing_mask(Grid(1, 8), fraction)
