"""A few chosen waves with normal coefficients."""

import jax
import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.initial import INITIAL_CONDITIONS
from apexr.spectral import Grid


def test_coefficients_are_normal_numbers_of_folded_keys():
    key = jax.random.PRNGKey(3)
    u = INITIAL_CONDITIONS.parse("modes;1,4;false").sample(Grid(1, 20), key)
    assert u.shape == (1, 20)
    spectrum = np.zeros(11, complex)
    for mode in (1, 4):
        spectrum[mode] = jax.random.normal(jax.random.fold_in(key, mode), (), np.complex64)
    np.testing.assert_allclose(u[0], np.fft.irfft(spectrum, 20), atol=1e-6)


def test_max_one_divides_by_the_largest_value():
    key, grid = jax.random.PRNGKey(0), Grid(1, 20)
    plain, scaled = (
        np.asarray(INITIAL_CONDITIONS.parse(f"modes;2,3;{flag}").sample(grid, key))
        for flag in ("false", "true")
    )
    np.testing.assert_allclose(scaled, plain / np.abs(plain).max(), rtol=1e-5)


def test_an_added_mode_leaves_the_others():
    key, grid = jax.random.PRNGKey(1), Grid(1, 16)
    few, more = (INITIAL_CONDITIONS.parse(f"modes;{m}").sample(grid, key) for m in ("1,2", "1,2,5"))
    difference = np.abs(np.fft.rfft(np.asarray(more - few)[0]))
    assert np.flatnonzero(difference > 1e-5).tolist() == [5]


@pytest.mark.parametrize("wrong", ["modes", "modes;1,1;true", "modes;-1;true", "modes;a;true"])
def test_what_means_nothing_is_refused(wrong):
    with pytest.raises(SpecError):
        INITIAL_CONDITIONS.parse(wrong)


def test_grids_that_do_not_fit_are_refused():
    with pytest.raises(SpecError, match="up to 4"):
        INITIAL_CONDITIONS.parse("modes;5").check(Grid(1, 8))
    with pytest.raises(SpecError, match="one dimension"):
        INITIAL_CONDITIONS.parse("modes;1").check(Grid(2, 8))
