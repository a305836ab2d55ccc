"""Wrappers together with the rest of the modern recipe."""

import numpy as np
import pytest

import apexr

CORE = "Conv;3;1;tanh"
SIZES = {
    "num_points": 16,
    "num_train_samples": 3,
    "train_temporal_horizon": 7,
    "num_test_samples": 2,
    "test_temporal_horizon": 8,
    "batch_size": 5,
    "record_loss_every": 3,
    "optim_config": "adam;7;constant;1e-3",
}


def run(net, **options):
    return apexr.run("diff_burgers", net=net, progress=False, **{**SIZES, **options})


@pytest.mark.parametrize(
    "options",
    [
        {"train": "noise;0.1;sup;2"},
        pytest.param({"train": "curriculum;1@0,2@3;sup;2"}, marks=pytest.mark.slow),
        {"train": "loss;H1;push;2"},
        {"precision": "mixed"},
        {"num_valid_samples": 2, "select": "best;mean_nRMSE", "callbacks": "valid_metrics;3"},
        {"optim_config": "ema;0.9;adam;7;constant;1e-3", "callbacks": "net;3"},
    ],
)
def test_frames_of_one_train_to_the_same_bits(options):
    """A history and a bundle of one frame are the network within, whatever trains them."""
    mine, other = run(f"history;1;bundle;1;{CORE}", **options), run(CORE, **options)
    for name in ("train_loss", "nRMSE", "sample_rollout"):
        np.testing.assert_array_equal(mine[name], other[name])
    found = run(f"history;2;bundle;2;delta;norm;zscore;{CORE}", **options)
    assert np.isfinite(found.train_loss).all()
    np.testing.assert_array_equal(found.time, np.arange(2, 9))
    if "valid_time" in found.coords:
        assert found.valid_time.values[0] == 2


def test_a_curriculum_of_one_stage_is_the_objective(tmp_path):
    net = f"history;2;bundle;2;{CORE}"
    mine, other = run(net, train="curriculum;2@0;sup;2"), run(net, train="sup;2")
    np.testing.assert_array_equal(mine.train_loss, other.train_loss)


def test_a_warm_start_measures_its_own_data(tmp_path):
    net, store = f"delta;norm;rms;{CORE}", tmp_path / "a.zarr"
    run(net, store=store)
    again = run(net, store=tmp_path / "b.zarr", init=str(store), num_train_samples=2)
    first, second = (apexr.load_networks(tmp_path / name) for name in ("a.zarr", "b.zarr"))
    assert np.isfinite(again.train_loss).all()
    assert not np.array_equal(first.statistics.scale, second.statistics.scale)
