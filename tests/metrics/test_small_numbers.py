"""Relative errors do not depend on the size of the fields, down to where floats end."""

import jax
import numpy as np
import pytest

from apexr.metrics import METRICS

RELATIVE = [
    "mean_nMAE",
    "mean_nMSE",
    "mean_nRMSE",
    "mean_sMSE",
    "mean_sRMSE",
    "mean_joint_nRMSE",
    "mean_VRMSE",
    "mean_fourier_nRMSE;0;5;1",
    "mean_fourier_nMSE;0;5;0",
    "mean_H1_nMAE",
    "mean_H1_nMSE",
    "mean_correlation",
    "mean_pearson_correlation",
    "mean_mass_error",
    "mean_energy_error",
    "mean_enstrophy_error",
]
every = pytest.mark.parametrize("config", RELATIVE)


def scored(config):
    return jax.jit(jax.vmap(METRICS.parse(config).sample_error))


@pytest.fixture
def fields():
    return np.random.default_rng(3).normal(0.5, 1, size=(2, 2, 8, 8)).astype("f4")


@every
def test_the_unit_does_not_matter(config, fields):
    scales = np.array([1, 1e-8, 1e-20, 1e-35, 1e20, 1e30], "f4").reshape(-1, 1, 1, 1)
    errors = scored(config)(scales * fields[0], scales * fields[1])
    assert np.isfinite(errors).all()
    np.testing.assert_allclose(errors, errors[0], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("config", [c for c in RELATIVE if "correlation" not in c])
def test_nothing_is_nan_but_nothing_over_nothing(config, fields):
    zero, small = 0 * fields[0], 1e-25 * fields[0]
    predictions = np.stack([fields[0], small, zero, small, zero])
    targets = np.stack([zero, zero, zero, small, small])
    large, tiny, none, same, lost = np.asarray(scored(config)(predictions, targets))
    bounded = {"mean_sMSE": 4.0, "mean_sRMSE": 4.0}  # 2 a channel
    assert large == tiny == pytest.approx(bounded.get(config, np.inf))
    assert np.isnan(none)
    assert same == 0
    assert np.isfinite(lost)


@pytest.mark.parametrize("config", ["mean_nRMSE", "mean_H1_nRMSE", "mean_fourier_nRMSE;0;5;0"])
def test_errors_that_are_small_beside_the_reference_are_seen(config, fields):
    target = fields[1] * np.float32(1e-12)
    moved = target * np.float32(1 + 2**-20)  # exact in single precision but for rounding
    exact = 2.0**-20 * (4 if "H1" in config else 2)  # summed over channels; field and gradient
    error = scored(config)(moved[None], target[None])[0]
    assert error == pytest.approx(exact, rel=0.1)


@pytest.mark.parametrize("config", ["mean_correlation", "mean_pearson_correlation"])
def test_correlations_stay_within_their_range(config):
    fields = np.random.default_rng(0).normal(size=(500, 1, 7)).astype("f4")
    factors = np.array([1, -1, 3.7, -0.3], "f4").reshape(-1, 1, 1, 1)
    found = [np.asarray(scored(config)(factor * fields, fields)) for factor in factors]
    assert np.max(np.abs(found)) <= 1
    np.testing.assert_allclose(np.abs(found), 1, atol=1e-5)


@pytest.mark.parametrize("config", ["mean_nRMSE", "mean_H1_nMSE", "mean_energy_error"])
def test_gradients_are_those_of_scaled_fields(config, fields):
    slope = jax.jit(jax.grad(METRICS.parse(config).sample_error))
    plain = np.asarray(slope(fields[0], fields[1]))
    small = np.asarray(slope(fields[0] * np.float32(2**-60), fields[1] * np.float32(2**-60)))
    np.testing.assert_allclose(small * 2.0**-60, plain, rtol=1e-5, atol=1e-7)
