"""Several channels: in one norm, and each on its own, with labels."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import apexr
from _tiny import NET, tiny
from apexr.analysis import stability_horizon, to_long, to_wide, valid_prediction_time
from apexr.errors import SpecError
from apexr.metrics import METRICS, Fields, Metric, measuring, metric, parse_metrics
from apexr.spectral import Grid
from apexr.testing import assert_valid

BOTH = "mean_joint_nRMSE,mean_nRMSE,per_channel(mean_nRMSE),per_channel;mean_H1_MSE"


def error(config, prediction, target):
    return np.asarray(METRICS.parse(config).sample_error(jnp.array(prediction), jnp.array(target)))


def test_a_quarter_on_each_channel_is_a_quarter():
    target = np.random.default_rng(0).normal(size=(2, 16))
    assert error("mean_joint_nRMSE", 1.25 * target, target) == pytest.approx(0.25, rel=1e-5)
    assert error("mean_joint_nMAE", 1.25 * target, target) == pytest.approx(0.25, rel=1e-5)
    assert error("mean_joint_nMSE", 1.25 * target, target) == pytest.approx(0.0625, rel=1e-5)
    assert error("mean_nRMSE", 1.25 * target, target) == pytest.approx(0.5, rel=1e-5)


def test_joint_errors_by_hand():
    prediction, target = np.random.default_rng(1).normal(size=(2, 3, 4, 5))
    target[1] *= 1e-3  # hardly counts
    gap, size = prediction - target, np.linalg.norm(target)
    expected = {
        "mean_joint_RMSE": np.sqrt(np.mean(gap**2)),
        "mean_joint_MSE": np.mean(gap**2),
        "mean_joint_MAE": np.mean(np.abs(gap)),
        "mean_joint_nRMSE": np.linalg.norm(gap) / size,
        "mean_joint_nMSE": np.linalg.norm(gap) ** 2 / size**2,
        "mean_joint_nMAE": np.abs(gap).sum() / np.abs(target).sum(),
    }
    for config, value in expected.items():
        assert error(config, prediction, target) == pytest.approx(value, rel=1e-5), config


OF_VECTORS = {"mean_divergence", "mean_total_enstrophy", "mean_enstrophy_error"}


@pytest.mark.parametrize("name", sorted({*METRICS.names()} - OF_VECTORS - {"per_channel"}))
def test_every_other_metric_has_a_form_per_channel(name):
    config = name + ";0;3;1" * name.startswith("mean_fourier")
    prediction, target = np.random.default_rng(1).normal(size=(2, 3, 8))
    each = error(f"per_channel;{config}", prediction, target)
    alone = [error(config, prediction[c : c + 1], target[c : c + 1]) for c in range(3)]
    np.testing.assert_allclose(each, alone, rtol=1e-6)


def test_both_spellings_are_one():
    first, second = "per_channel(mean_nRMSE)", "per_channel;mean_nRMSE"
    assert parse_metrics(first) == parse_metrics(second)
    with pytest.raises(SpecError, match="named twice"):
        parse_metrics(f"{first},{second}")
    with pytest.raises(SpecError, match="METRIC must give one number"):
        METRICS.parse("per_channel;per_channel;mean_nRMSE")
    with pytest.raises(SpecError, match="did you mean 'mean_nRMSE'"):
        parse_metrics("per_channel(mean_nRMS)")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    store = tmp_path_factory.mktemp("channels") / "result.zarr"
    given = {**tiny("phy_gs"), "num_points": 8, "callbacks": "metrics;3", "report_metrics": BOTH}
    given |= {"num_spatial_dims": 2, "net": NET, "store": store, "progress": False}
    apexr.run("phy_gs", **given)
    return apexr.run("phy_gs", **given)  # as it is read


def test_results_are_labeled_by_channel(result):
    assert_valid(result)
    each = result["per_channel_nRMSE"]
    assert each.dims == ("seed", "test_sample", "time", "channel")
    assert result["per_channel_mean_nRMSE"].dims == ("seed", "time", "channel")
    assert each["channel"].values.tolist() == ["u", "v"]
    np.testing.assert_allclose(each.sum("channel"), result["nRMSE"], rtol=1e-5)
    np.testing.assert_allclose(each.mean("test_sample"), result["per_channel_mean_nRMSE"])
    kept = result.sample_rollout - result.sample_reference
    space = ["x", "y"]
    by_hand = np.sqrt((kept**2).mean(space) / (result.sample_reference**2).mean(space))
    np.testing.assert_allclose(each.isel(test_sample=[0]), by_hand, rtol=1e-4)
    history = result["metrics_per_channel_mean_nRMSE"]
    assert history.dims == ("seed", "update_step_metrics", "time", "channel")


def test_tables_know_the_channels(result):
    long = to_long(result, "per_channel_mean_nRMSE")
    assert set(long["channel"]) == {"u", "v"}
    assert len(long) == 2 * result.sizes["time"]
    wide = to_wide(result)
    value = float(result["per_channel_mean_nRMSE"].sel(channel="v", time=2).values.item())
    assert wide["per_channel;mean_nRMSE[v]_0002"].item() == pytest.approx(value)
    from apexr.cli._text import summary

    assert "per_channel_mean_nRMSE_u_" in summary(result)


def test_horizons_measure_all_channels_in_one_norm(result):
    values = np.array([0.1, 0.3, 0.5, 0.9, 12.0], "f4")
    mock = apexr.testing.mock_experiment(num_channels=2, num_times=5, metrics=["mean_nRMSE"])
    mock = mock.assign(nRMSE=mock.nRMSE.copy(data=np.broadcast_to(2 * values, mock.nRMSE.shape)))
    assert (valid_prediction_time(mock, 0.4) == 3).all()  # each channel is wrong by `values`
    assert (valid_prediction_time(mock, 0.4, "nRMSE") == 2).all()
    assert (stability_horizon(mock, 10.0) == 4).all()
    joint = mock.assign(joint_nRMSE=mock.nRMSE / 4)
    assert (valid_prediction_time(joint, 0.4) == 4).all()
    lacking = mock.assign(joint_nRMSE=mock.nRMSE / 4 * np.nan)  # as in a study where others have it
    assert (valid_prediction_time(lacking, 0.4) == 3).all()
    assert valid_prediction_time(result).shape == (1, result.sizes["test_sample"])


def test_a_metric_of_ones_own_returns_what_it_says():
    def registered(name, shape, dims=()):
        @metric(name)
        class Own(Metric):
            """Own."""

            def sample_error(self, prediction, target):
                return jnp.zeros(shape) + jnp.mean(prediction)

        Own.dims = dims
        return Own

    fields = Fields(Grid(1, 8), 2)
    names = {"mean_own_vector": ((2,), ()), "mean_own_spectrum": ((5,), ("channel",))}
    try:
        for name, (shape, dims) in names.items():
            registered(name, shape, dims)
        with pytest.raises(SpecError, match=r"dims = \('channel',\)"):
            measuring("mean_own_vector", fields)
        with pytest.raises(SpecError, match=r"each of 2 channels, got an array of shape \(5,\)"):
            measuring("mean_own_spectrum", fields)
        with pytest.raises(SpecError, match=r"got an array of shape \(2,\)"):
            apexr.scenarios.physical.GrayScott(
                **tiny("phy_gs"), report_metrics="mean_nRMSE,mean_own_vector"
            )
        registered("mean_own_each", (2,), ("channel",))
        assert measuring("mean_own_each", fields)["mean_own_each"].dims == ("channel",)
        other = registered("mean_own_dims", (), ("wave",))
        assert dataclasses.is_dataclass(other)
        with pytest.raises(SpecError, match="dims must be"):
            measuring("mean_own_dims", fields)
    finally:
        for name in (*names, "mean_own_each", "mean_own_dims"):
            METRICS.registry.unregister(name)
