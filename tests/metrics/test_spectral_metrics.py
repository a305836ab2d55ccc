"""Errors over bands of wavenumbers against hand-computed values and Parseval's relation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.engine import score_rollouts
from apexr.errors import ShapeError, SpecError
from apexr.metrics import METRICS, parse_metrics

ALL = 10**9


def error(config, prediction, target):
    spec = METRICS.parse(config)
    return float(jax.jit(spec.sample_error)(prediction.astype("f4"), target.astype("f4")))


def noise(dims, points, channels=2, seed=0):
    shape = (2, channels, *[points] * dims)
    return np.random.default_rng(seed).normal(0.3, 1, shape)


@pytest.mark.parametrize(("dims", "points"), [(1, 16), (1, 15), (2, 8), (2, 9), (3, 6), (3, 5)])
@pytest.mark.parametrize("kind", ["MSE", "nMSE", "RMSE", "nRMSE"])
def test_all_wavenumbers_give_the_error_over_the_points_once_a_dimension(dims, points, kind):
    prediction, target = noise(dims, points)
    spatial = error(f"mean_{kind}", prediction, target)
    found = error(f"mean_fourier_{kind};0;{ALL};0", prediction, target)
    copies = 1 if kind.startswith("n") else dims
    assert found == pytest.approx(copies * spatial, rel=1e-5)


@pytest.mark.parametrize("kind", ["MAE", "MSE", "RMSE", "nMAE", "nMSE", "nRMSE"])
def test_one_wave_by_hand(kind):
    x = np.arange(32) / 32
    target = 2 * np.cos(2 * np.pi * 3 * x)[None]
    prediction = target + 0.5 * np.sin(2 * np.pi * 3 * x)[None]
    # an amplitude a is one stored coefficient a N/2 with weight 2/N²: F = a / N for p = 1
    by_hand = {"MAE": 0.5 / 32, "MSE": 0.125, "RMSE": 0.125**0.5}
    relative = {"nMAE": 0.25, "nMSE": 1 / 16, "nRMSE": 0.25}
    expected = {**by_hand, **relative}[kind]
    assert error(f"mean_fourier_{kind};3;3;0", prediction, target) == pytest.approx(expected, 1e-5)
    slope = (6 * np.pi) ** (2 if kind == "MSE" else 1) if kind in by_hand else 1
    found = error(f"mean_fourier_{kind};0;5;1", prediction, target)
    assert found == pytest.approx(expected * slope, rel=1e-5)
    both = expected * (1 + slope)
    assert error(f"mean_H1_{kind}", prediction, target) == pytest.approx(both, rel=1e-5)
    assert error(f"mean_H1_{kind};2;4", prediction, target) == pytest.approx(both, rel=1e-5)


def test_a_band_sees_only_its_wavenumbers():
    x = np.arange(32) / 32
    target = np.cos(2 * np.pi * x)[None] + np.cos(2 * np.pi * 6 * x)[None]
    prediction = np.cos(2 * np.pi * x)[None]
    assert error("mean_fourier_MSE;0;5;0", prediction, target) == pytest.approx(0, abs=1e-6)
    assert error("mean_fourier_MSE;6;6;0", prediction, target) == pytest.approx(0.5, rel=1e-5)
    assert error("mean_H1_MSE;0;5", prediction, target) == pytest.approx(0, abs=1e-4)


def test_bands_add_up():
    prediction, target = noise(2, 12)
    parts = [error(f"mean_fourier_MSE;{b};0", prediction, target) for b in ("0;1", "2;3", "4;9")]
    assert sum(parts) == pytest.approx(2 * error("mean_MSE", prediction, target), rel=1e-5)


def test_orders_match_the_derivatives_of_a_plane_wave():
    points = np.arange(16) / 16
    x, y = np.meshgrid(points, points, indexing="ij")
    wave = np.sin(2 * np.pi * (2 * x + 3 * y))[None]
    for order in (1, 2, 0.5):
        slopes = (4 * np.pi) ** (2 * order) + (6 * np.pi) ** (2 * order)
        found = error(f"mean_fourier_MSE;0;8;{order}", wave, 0 * wave)
        assert found == pytest.approx(slopes / 2, rel=1e-5)


def test_high_orders_stay_finite_where_they_divide_out():
    prediction, target = noise(1, 160)
    assert np.isfinite(error("mean_fourier_nRMSE;0;80;12", prediction, target))


def test_an_empty_band_is_zero_and_nothing_over_nothing_is_nan():
    prediction, target = noise(1, 16)
    assert error("mean_fourier_MSE;9;12;0", prediction, target) == 0
    assert np.isnan(error("mean_fourier_nMSE;9;12;0", prediction, target))


def test_float32_is_accurate():
    prediction, target = noise(3, 32, channels=1)
    configs = ["mean_fourier_RMSE;0;5;0", "mean_H1_MSE", "mean_fourier_nMAE;2;9;2"]
    with jax.enable_x64(True):
        exact = [METRICS.parse(c).sample_error(jnp.array(prediction), target) for c in configs]
    for config, expected in zip(configs, exact, strict=True):
        assert error(config, prediction, target) == pytest.approx(float(expected), rel=1e-5)


def test_metrics_scored_together_share_their_transforms():
    names = ["fourier_MSE;0;5;0", "fourier_nRMSE;2;4;1", "H1_nMAE", "H1_RMSE", "fourier_MAE;1;2;0"]
    metrics = tuple(parse_metrics(",".join(f"mean_{name}" for name in names)).values())

    def scores(prediction, target):
        return [jax.vmap(metric.sample_error)(prediction, target) for metric in metrics]

    shape = jax.ShapeDtypeStruct((4, 2, 16, 16), np.float32)
    text = jax.jit(scores).lower(shape, shape).compile().as_text()
    assert text.count(" fft(") == 2  # of the error and of the reference


def test_scores_do_not_depend_on_the_blocks():
    rng = np.random.default_rng(1)
    rollouts = rng.normal(size=(2, 3, 5, 1, 8)).astype("f4")
    references = rng.normal(size=(3, 5, 1, 8)).astype("f4")
    metrics = parse_metrics("mean_nRMSE,mean_H1_MSE")
    whole = score_rollouts(rollouts, references, metrics)
    pieces = score_rollouts(rollouts, references, metrics, block_bytes=4 * 8 * 4)
    single = score_rollouts(rollouts, references, metrics, block_bytes=1)
    for name, values in whole.items():
        assert values.shape == (2, 3, 5)
        np.testing.assert_allclose(pieces[name], values, rtol=1e-6)
        np.testing.assert_allclose(single[name], values, rtol=1e-6)
    by_hand = np.sqrt(((rollouts - references) ** 2).mean(-1) / (references**2).mean(-1))[..., 0]
    np.testing.assert_allclose(whole["mean_nRMSE"], by_hand, rtol=1e-5)


def test_the_reference_need_not_be_the_first():
    prediction, target = noise(1, 16)
    forward = error("mean_H1_RMSE", prediction, target)
    assert error("mean_H1_RMSE", target, prediction) == pytest.approx(forward, rel=1e-6)


def test_gradients_are_finite():
    prediction, target = noise(2, 8)
    spec = METRICS.parse("mean_H1_nMSE")
    slope = jax.grad(spec.sample_error)(prediction.astype("f4"), target.astype("f4"))
    assert np.isfinite(slope).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mean_fourier_MSE", "LOW is missing"),
        ("mean_fourier_MSE;0;5", "DERIVATIVE_ORDER is missing"),
        ("mean_fourier_MSE;-1;5;0", "LOW must be at least 0"),
        ("mean_fourier_MSE;0;5.5;0", "HIGH must be int"),
        ("mean_fourier_MSE;0;5;-1", "DERIVATIVE_ORDER must be at least 0"),
        ("mean_fourier_MSE;5;2;0", "LOW must be at most HIGH, got 5 and 2"),
        ("mean_H1_MSE;5;2", "LOW must be at most HIGH"),
        ("mean_fourier_sMSE;0;5;0", "did you mean"),
    ],
)
def test_wrong_arguments_are_refused(text, said):
    with pytest.raises(SpecError) as caught:
        METRICS.parse(text)
    assert said in str(caught.value)


def test_fields_must_have_space():
    with pytest.raises(ShapeError, match="field must be"):
        METRICS.parse("mean_H1_MSE").sample_error(np.zeros(4), np.zeros(4))
