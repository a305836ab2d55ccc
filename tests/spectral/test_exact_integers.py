"""Sizes at which frequencies times the size miss an integer by a rounding, in double precision.

Masks and scalings compare wavenumbers with integers and have to hit them all the same.
"""

import numpy as np
import pytest

from apexr.spectral import Grid, fft, low_pass_mask, nyquist_mask, scaling, spectrum, wavenumbers

SIZES = (49, 98, 103, 107, 161, 187, 196, 197, 206, 214, 237, 239, 249, 253)


@pytest.mark.parametrize("size", SIZES)
def test_the_trap_is_real(size):
    divided = np.fft.rfftfreq(size, 1 / size)
    assert np.any(divided != np.round(divided))
    np.testing.assert_array_equal(np.round(divided), wavenumbers(Grid(1, size))[0])


@pytest.mark.parametrize("size", SIZES)
def test_every_cutoff_keeps_its_own_wavenumber(size):
    grid = Grid(1, size)
    for cutoff in range(size // 2 + 1):
        assert low_pass_mask.__wrapped__(grid, cutoff).sum() == cutoff + 1
        assert low_pass_mask.__wrapped__(grid, cutoff, radial=True).sum() == cutoff + 1


@pytest.mark.parametrize("size", SIZES)
def test_one_entry_is_a_given_wave(size):
    first, last = wavenumbers(Grid(2, size))
    for wave in (4, size // 2):
        assert np.sum((first == 0) & (last == wave)) == 1
        assert np.sum((last == 0) & (np.abs(first) == wave)) == (1 if 2 * wave == size else 2)


@pytest.mark.parametrize("size", SIZES)
def test_nyquist_is_found_for_even_sizes(size):
    grid = Grid(1, size)
    assert nyquist_mask(grid).sum() == (1 if size % 2 == 0 else 0)
    halved = scaling(grid, "coef_extraction")[0] == size / 2
    assert halved.sum() == (size - 1) // 2
    wave = np.cos(np.pi * np.arange(size) * (size // 2 * 2) / size)[None]
    amplitude = spectrum(wave, "amplitude").values[0]
    np.testing.assert_allclose(amplitude[-1], 1, rtol=1e-5)
    np.testing.assert_allclose(np.abs(fft(wave, 1))[0, -1], scaling(grid, "reconstruction")[0, -1])
