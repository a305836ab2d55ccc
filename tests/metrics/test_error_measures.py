"""Error measures against their formulas, written out for two channels."""

import jax
import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.metrics import METRICS, parse_metrics


@pytest.fixture(params=[(16,), (5, 5)], ids=["1d", "2d"])
def fields(request):
    rng = np.random.default_rng(0)
    prediction, target = rng.normal(size=(2, 2, *request.param))
    return prediction.astype("f4"), (target + 0.3).astype("f4")


def mean_abs(field):
    return np.abs(field).mean()


def mean_square(field):
    return (field**2).mean()


def root_mean_square(field):
    return np.sqrt((field**2).mean())


SIZES = {"MAE": mean_abs, "MSE": mean_square, "RMSE": root_mean_square}


def error(config, prediction, target):
    return float(jax.jit(METRICS.parse(config).sample_error)(prediction, target))


@pytest.mark.parametrize("name", SIZES)
def test_absolute_errors_are_summed_over_channels(name, fields):
    size = SIZES[name]
    expected = sum(size(p - t) for p, t in zip(*fields, strict=True))
    assert error(f"mean_{name}", *fields) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", SIZES)
def test_normalized_errors_are_relative_to_the_target(name, fields):
    size = SIZES[name]
    expected = sum(size(p - t) / size(t) for p, t in zip(*fields, strict=True))
    assert error(f"mean_n{name}", *fields) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", SIZES)
def test_symmetric_errors_are_relative_to_both(name, fields):
    size = SIZES[name]
    pairs = zip(*fields, strict=True)
    expected = sum(2 * size(p - t) / (size(p) + size(t)) for p, t in pairs)
    assert error(f"mean_s{name}", *fields) == pytest.approx(expected, rel=1e-5)
    assert error(f"mean_s{name}", *fields[::-1]) == pytest.approx(expected, rel=1e-5)


def test_correlation_is_the_cosine_of_the_angle(fields):
    cosines = [
        (p * t).sum() / np.sqrt((p**2).sum() * (t**2).sum()) for p, t in zip(*fields, strict=True)
    ]
    assert error("mean_correlation", *fields) == pytest.approx(np.mean(cosines), rel=1e-5)


def test_perfect_and_useless_predictions(fields):
    _, target = fields
    assert error("mean_nRMSE", target, target) == 0
    assert error("mean_nRMSE", 0 * target, target) == pytest.approx(2)  # one a channel
    assert error("mean_sRMSE", 0 * target, target) == pytest.approx(4)
    assert error("mean_correlation", 3 * target, target) == pytest.approx(1)
    assert error("mean_correlation", -target, target) == pytest.approx(-1)


def test_lists_keep_their_order():
    assert list(parse_metrics("mean_nRMSE,mean_MAE")) == ["mean_nRMSE", "mean_MAE"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mean_nrmse", "unknown metric 'mean_nrmse'; did you mean 'mean_nRMSE'?"),
        ("mean_nRMSE, mean_MSE", "remove the blank in ' mean_MSE'"),
        ("mean_nRMSE,", "remove the spare comma"),
        ("mean_nRMSE,mean_nRMSE", "'mean_nRMSE' is named twice"),
        ("mean_nRMSE;junk", "nothing is expected after the last field, got 'junk'"),
        ("", "name at least one metric"),
    ],
)
def test_wrong_lists_are_refused(text, said):
    with pytest.raises(SpecError) as caught:
        parse_metrics(text)
    assert said in str(caught.value)
