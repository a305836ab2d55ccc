"""Metrics beyond the published ones, and what every metric does at the edges."""

import jax
import numpy as np
import pytest

from apexr.metrics import METRICS

ARGUMENTS = {name: name + ";0;5;1" * name.startswith("mean_fourier") for name in METRICS.names()}
CONFIGS = sorted(set(ARGUMENTS.values()) - {"per_channel"})  # tests/metrics/test_channels.py


def error(config, prediction, target):
    spec = METRICS.parse(config)
    return float(jax.jit(spec.sample_error)(prediction.astype("f4"), target.astype("f4")))


@pytest.fixture
def fields():
    return np.random.default_rng(3).normal(0.5, 1, size=(2, 2, 8, 8))


def test_pearson_is_numpys(fields):
    expected = np.mean(
        [np.corrcoef(p.ravel(), t.ravel())[0, 1] for p, t in zip(*fields, strict=True)]
    )
    assert error("mean_pearson_correlation", *fields) == pytest.approx(expected, rel=1e-5)


def test_vrmse_by_hand(fields):
    parts = [np.sqrt(((p - t) ** 2).mean() / t.var()) for p, t in zip(*fields, strict=True)]
    assert error("mean_VRMSE", *fields) == pytest.approx(np.mean(parts), rel=1e-5)
    mean = np.broadcast_to(fields[1].mean((1, 2), keepdims=True), fields[1].shape)
    assert error("mean_VRMSE", mean, fields[1]) == pytest.approx(1, rel=1e-5)


def test_maximum_error(fields):
    prediction, target = fields[0] * 0, fields[0] * 0
    prediction[1, 2, 3] = -4
    assert error("mean_max_error", prediction, target) == 4


@pytest.mark.parametrize("name", ["mean_correlation", "mean_pearson_correlation"])
@pytest.mark.parametrize("scale", [1e-25, 1e-3, 7.0, 1e25])
def test_correlations_do_not_depend_on_the_scale(fields, name, scale):
    plain = error(name, *fields)
    assert error(name, scale * fields[0], fields[1]) == pytest.approx(plain, rel=1e-5)
    assert error(name, fields[0], scale * fields[1]) == pytest.approx(plain, rel=1e-5)
    assert error(name, -fields[0], fields[1]) == pytest.approx(-plain, rel=1e-5)


def test_pearson_does_not_see_an_offset(fields):
    plain = error("mean_pearson_correlation", *fields)
    moved = error("mean_pearson_correlation", fields[0] + 1000, fields[1])
    assert moved == pytest.approx(plain, abs=1e-4)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e4])
def test_constant_fields_have_no_pearson_correlation(fields, value):
    flat = np.full_like(fields[0], value)
    assert np.isnan(error("mean_pearson_correlation", flat, fields[1]))
    assert np.isnan(error("mean_pearson_correlation", fields[1], flat))
    assert np.isnan(error("mean_correlation", 0 * flat, fields[1]))


@pytest.mark.parametrize("config", CONFIGS)
def test_a_perfect_prediction_has_the_best_value(config, fields):
    spec = METRICS.parse(config)
    best = error(config, fields[0], 0 * fields[0]) if np.isnan(spec.best) else spec.best
    assert error(config, fields[0], fields[0]) == pytest.approx(best, abs=1e-6)
    assert spec.formula
    assert spec.span


@pytest.mark.parametrize("config", CONFIGS)
def test_diverged_predictions_are_nan_or_infinite_never_an_error(config, fields):
    prediction, target = fields
    prediction[0, 1, 1] = np.nan
    assert np.isnan(error(config, prediction, target))
    prediction[0] = np.inf
    assert not np.isfinite(error(config, prediction, target))


@pytest.mark.parametrize("config", [c for c in CONFIGS if "_n" in c or "VRMSE" in c])
def test_relative_errors_of_a_reference_of_zero(config, fields):
    assert error(config, fields[0], 0 * fields[1]) == np.inf
    assert np.isnan(error(config, 0 * fields[0], 0 * fields[1]))


@pytest.mark.parametrize("config", CONFIGS)
def test_shifting_both_fields_changes_nothing(config, fields):
    shifted = np.roll(fields, (2, 3), axis=(-2, -1))
    assert error(config, *shifted) == pytest.approx(error(config, *fields), rel=1e-4)


@pytest.mark.parametrize("config", [c for c in CONFIGS if "_n" in c or "VRMSE" in c])
def test_relative_errors_do_not_depend_on_the_unit(config, fields):
    assert error(config, *(8 * fields)) == pytest.approx(error(config, *fields), rel=1e-4)
