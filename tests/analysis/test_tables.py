import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from apexr import analysis, store
from apexr.errors import MissingVariableError
from apexr.labels import Axes, Recorded, experiment
from apexr.testing import mock_experiment

BASE = ["seed", "scenario", "task", "net", "train", "scenario_kwargs"]


@pytest.fixture
def ds():
    return mock_experiment(diverged=[1], num_samples=2)


@pytest.fixture
def study(tmp_path, ds):
    store.create_study(tmp_path)
    other = mock_experiment(net="FNO", seeds=(0, 1), num_times=10, num_points=20, random_seed=1)
    for number, part in enumerate((ds, other)):
        store.publish_experiment(part, {}, store.unit_path(tmp_path, f"{number:032x}"))
    return tmp_path


def test_long_table_of_a_metric(ds):
    table = analysis.to_long(ds, "mean_nRMSE")
    assert table.columns.tolist() == [*BASE, "time_step", "mean_nRMSE"]
    assert len(table) == 3 * 8
    assert np.isposinf(table["mean_nRMSE"]).sum() == 8
    row = table.query("seed == 2 and time_step == 5").iloc[0]
    assert row["mean_nRMSE"] == ds.mean_nRMSE.sel(seed=2, time=5)
    assert row["net"] == "Conv;26;10;relu"
    assert table["time_step"].dtype == np.int64


def test_long_table_has_a_column_for_each_dimension(ds):
    table = analysis.to_long(ds, "nRMSE")
    assert table.columns.tolist() == [*BASE, "test_sample", "time_step", "nRMSE"]
    table = analysis.to_long(ds, "sample_reference")
    assert table.columns.tolist()[5:] == ["sample", "time_step", "channel", "x", "sample_reference"]
    np.testing.assert_array_equal(table["sample_reference"], ds.sample_reference.values.ravel())


def test_long_table_by_config_string():
    ds = mock_experiment(metrics=["mean_fourier_nRMSE;0;5;0"])
    by_string = analysis.to_long(ds, "mean_fourier_nRMSE;0;5;0")
    assert by_string.columns[-1] == "mean_fourier_nRMSE;0;5;0"
    by_name = analysis.to_long(ds, "mean_fourier_nRMSE_0_5_0")
    np.testing.assert_array_equal(by_string.iloc[:, -1], by_name.iloc[:, -1])


def test_long_table_of_a_reduction(ds):
    table = analysis.to_long(ds.median("seed"), "mean_nRMSE")
    assert table.columns.tolist() == [*BASE[1:], "time_step", "mean_nRMSE"]


def test_missing_variable_lists_what_there_is(ds):
    for data in (ds, analysis.to_wide(ds), xr.DataTree(ds)):
        with pytest.raises(MissingVariableError, match=r"mean_nRMSE.*did you mean 'mean_nRMSE'"):
            analysis.to_long(data, "mean_nrmse")


def test_study_table_leaves_out_what_never_was(study):
    table = analysis.to_long(store.open_study(study), "mean_nRMSE")
    assert len(table) == 3 * 8 + 2 * 10
    assert np.isposinf(table["mean_nRMSE"]).sum() == 8
    assert set(table[np.isposinf(table["mean_nRMSE"])]["net"]) == {"Conv;26;10;relu"}


def test_wide_table(ds):
    wide = analysis.to_wide(ds)
    assert wide.columns.tolist() == [
        *("scenario", "task", "train", "net", "seed", "scenario_kwargs"),
        *(f"mean_nRMSE_{t:04d}" for t in range(1, 9)),
        *(f"train_loss_{i:06d}" for i in range(0, 500, 100)),
        *("sample_rollout_000", "sample_rollout_001"),
    ]
    assert wide["seed"].tolist() == [0, 1, 2]
    assert wide["mean_nRMSE_0003"].dtype == np.float32
    rollout = wide["sample_rollout_001"][2]
    assert isinstance(rollout, list)
    np.testing.assert_array_equal(np.float32(rollout[0]), ds.initial_state[1])
    np.testing.assert_array_equal(np.float32(rollout[1:]), ds.sample_rollout.sel(seed=2)[1])


def test_wide_table_of_a_study(study):
    wide = analysis.to_wide(store.open_study(study))
    assert len(wide) == 5
    assert "mean_nRMSE_0010" in wide
    assert wide.columns.get_loc("mean_nRMSE_0010") == wide.columns.get_loc("mean_nRMSE_0009") + 1
    assert "sample_rollout_000" not in wide
    assert "sample_rollout_000" in analysis.to_wide(store.open_rollouts(study))


def test_wide_table_with_callbacks():
    ds = experiment(
        {},
        Axes(1, 4),
        seeds=[0, 1],
        update_steps=[],
        config=dict.fromkeys(("scenario", "task", "net", "train", "scenario_kwargs"), "a"),
        metrics={},
        records=[Recorded("weight_norm", [0, 5], [[1.0, 2.0], [3.0, 4.0]])],
    )
    wide = analysis.to_wide(ds)
    assert wide.columns.tolist()[6:] == ["aux_000000", "aux_000005"]
    assert wide["aux_000005"].tolist() == [{"weight_norm": 2.0}, {"weight_norm": 4.0}]
    long = analysis.melt_data(wide, "aux", "update_step")
    assert long["aux"][1] == {"weight_norm": 2.0}


@pytest.mark.parametrize("melt", [analysis.melt_loss, analysis.melt_metrics])
def test_result_and_wide_table_melt_alike(ds, melt):
    pd.testing.assert_frame_equal(melt(ds), melt(analysis.to_wide(ds)))


def test_melting_several_metrics():
    ds = mock_experiment(metrics=["mean_nRMSE", "mean_fourier_nRMSE;0;5;0"])
    names = ["mean_nRMSE", "mean_fourier_nRMSE;0;5;0"]
    table = analysis.melt_metrics(ds, names)
    assert table.columns.tolist() == [*BASE, "time_step", *names]
    pd.testing.assert_frame_equal(table, analysis.melt_metrics(analysis.to_wide(ds), names))
    renamed = analysis.melt_metrics(analysis.to_wide(ds), "mean_fourier_nRMSE_0_5_0")
    np.testing.assert_array_equal(renamed.iloc[:, -1], table.iloc[:, -1])


def test_melting_seeds_that_occur_twice(ds):
    wide = pd.concat([analysis.to_wide(ds)] * 2)
    assert len(analysis.melt_metrics(wide)) == 2 * 3 * 8


def test_melting_uneven_tables_keeps_the_gaps(study):
    wide = analysis.to_wide(store.open_study(study))
    assert len(analysis.melt_metrics(wide)) == 5 * 10


def test_melt_sample_rollouts(ds, study):
    from_result = analysis.melt_sample_rollouts(ds)
    from_wide = analysis.melt_sample_rollouts(analysis.to_wide(ds))
    assert from_result.columns.tolist() == [*BASE, "sample_index", "sample_rollout"]
    for table in (from_result, from_wide):
        assert table["sample_index"].tolist() == [0, 1] * 3
        picture = np.array(table["sample_rollout"][0])[:, 0, :].T
        assert picture.shape == (16, 9)
        np.testing.assert_array_equal(np.float32(picture[:, 0]), ds.initial_state[0, 0])
    tree = analysis.melt_sample_rollouts(store.open_rollouts(study))
    shapes = [np.shape(cell) for cell in tree["sample_rollout"]]
    assert shapes == [(9, 1, 16)] * 6 + [(11, 1, 20)] * 2
    with pytest.raises(MissingVariableError, match="open_rollouts"):
        analysis.melt_sample_rollouts(store.open_study(study))


def test_one_seed_taken_out(ds):
    one = ds.isel(seed=[0]).chunk()
    assert len(analysis.to_long(one, "mean_nRMSE")) == 8
    assert analysis.melt_sample_rollouts(one)["seed"].tolist() == [0, 0]
    selected = ds.isel(seed=0)
    assert analysis.to_long(selected, "mean_nRMSE")["seed"].unique().tolist() == [0]
    assert "seed" not in analysis.to_wide(ds[["mean_nRMSE"]].median("seed"))
    assert analysis.to_wide(selected)["seed"].tolist() == [0]
    assert len(analysis.melt_sample_rollouts(selected)) == 2


def test_calls_of_the_usual_workflow(study):
    metric_df = analysis.melt_metrics(store.open_study(study))
    table = (
        metric_df.groupby(["net", "time_step"])[["mean_nRMSE"]]
        .median()
        .reset_index()
        .pivot(index="time_step", columns="net")
        .query("time_step in [1, 2, 3, 4, 5, 10, 20, 50, 100, 200]")
        .round(3)
    )
    assert table.index.tolist() == [1, 2, 3, 4, 5, 10]
    assert table.columns.tolist() == [
        ("mean_nRMSE", "Conv;26;10;relu"),
        ("mean_nRMSE", "FNO"),
    ]
    seaborn = pytest.importorskip("seaborn")
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    seaborn.lineplot(metric_df, x="time_step", y="mean_nRMSE", hue="net")
    loss_df = analysis.melt_loss(store.open_study(study))
    seaborn.lineplot(loss_df, x="update_step", y="train_loss", hue="net")
    matplotlib.pyplot.close("all")


FRESH = """
import sys, json
import apexr.schema, apexr.labels, apexr.store, apexr.analysis, apexr.plots, apexr.accessor
import apexr.testing
study = apexr.store.open_study(sys.argv[1])
apexr.analysis.to_long(study, "mean_nRMSE")
apexr.analysis.to_wide(study)
apexr.store.list_experiments(sys.argv[1])
unwanted = {"jax", "equinox", "optax", "holoviews", "matplotlib"}
print(json.dumps(sorted(unwanted & set(sys.modules))))
"""


def test_reading_and_tabling_loads_neither_jax_nor_holoviews(study):
    run = subprocess.run(
        [sys.executable, "-c", FRESH, str(study)], capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == []
