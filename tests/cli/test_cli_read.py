"""Commands that list, show and export; none of them computes anything."""

import importlib.util
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import apexr


def test_version(apexr_command):
    assert apexr_command("--version").out == f"apexr {apexr.__version__}\n"


def test_help_names_the_commands(apexr_command):
    said = apexr_command("--help")
    assert said.code == 0
    for command in ("run", "list", "show", "export"):
        assert command in said.out


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("scenarios", ["diff_adv             Advection `", "diff_ks "]),
        ("networks", ["Conv;HIDDEN_CHANNELS;DEPTH;ACTIVATION - ", "FNO;MODES"]),
        ("activations", ["relu", "gelu"]),
        ("metrics", ["mean_nRMSE - root of the mean squared error"]),
        ("trainings", ["one - one step", "sup;STEPS;CUT - "]),
        ("tasks", ["predict - "]),
        ("optimizers", ["adam;UPDATES;SCHEDULE"]),
        ("schedules", ["warmup_cosine;INIT;PEAK;WARMUP", "constant;RATE"]),
        ("initial_conditions", ["fourier;CUTOFF;ZERO_MEAN;MAX_ONE", "clamp;"]),
    ],
)
def test_listing(apexr_command, what, expected):
    said = apexr_command("list", what)
    assert said.code == 0
    lines = said.out.splitlines()
    for start in expected:
        assert any(line.startswith(start) for line in lines), start
    assert all(line == line.rstrip() and line for line in lines)


def test_listing_something_else(apexr_command):
    said = apexr_command("list", "colors")
    assert said.code == 2
    assert "'scenarios'" in said.err


def test_showing_an_experiment(apexr_command, experiment):
    said = apexr_command("show", experiment)
    assert said.code == 0
    ds = apexr.open_experiment(experiment).compute()
    lines = said.out.splitlines()
    assert lines[:5] == [
        *("scenario 1d_diff_adv", "task predict", "net Conv;26;10;relu", "train one"),
        "seeds 3 (1 diverged)",
    ]
    first = next(line for line in lines if line.split()[:1] == ["1"]).split()
    names = next(line for line in lines if line.split()[:1] == ["step"]).split()[1:]
    assert sorted(names) == ["mean_correlation", "mean_nRMSE"]
    worst = {"mean_correlation": -np.inf, "mean_nRMSE": np.inf}
    at_first = [ds[name].sel(time=1).fillna(worst[name]) for name in names]
    medians = [float(one.median()) for one in at_first]
    assert [float(cell) for cell in first[1:]] == pytest.approx(medians, abs=6e-4)


def test_showing_a_study(apexr_command, study):
    said = apexr_command("show", study)
    assert said.code == 0
    assert said.out.count("published") == 3  # two rows and the count
    assert "Conv;26;10;relu" in said.out
    assert "failed" in said.out
    assert "RuntimeError: out of memory" in said.out


@pytest.mark.parametrize("command", ["show", "export"])
def test_reading_what_is_not_there(apexr_command, command, tmp_path):
    for path in (tmp_path / "nothing.zarr", tmp_path):
        said = apexr_command(command, path)
        assert said.code == 2
        assert "error: " in said.err
        assert "not a finished apexr experiment" in said.err
        assert "Traceback" not in said.err


def test_exporting_csv(apexr_command, experiment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = apexr_command("export", experiment)
    assert said.out == "written to adv_mean_nRMSE.csv\n"
    table = pd.read_csv("adv_mean_nRMSE.csv")
    expected = apexr.to_long(apexr.open_experiment(experiment), "mean_nRMSE")
    assert list(table.columns) == list(expected.columns)
    assert len(table) == 3 * 12
    assert np.isposinf(table["mean_nRMSE"]).sum() == 12
    assert table["net"][0] == "Conv;26;10;relu"


def test_exporting_another_variable_of_a_study(apexr_command, study, tmp_path):
    path = tmp_path / "new" / "losses.csv"
    said = apexr_command("export", study, "--variable", "train_loss", "--output", path)
    assert said.code == 0
    table = pd.read_csv(path)
    assert set(table["net"]) == {"Conv;26;10;relu", "FNO;12;8;4;gelu"}
    assert {"update_step", "train_loss"} <= set(table.columns)


@pytest.mark.parametrize("kind", ["experiment", "study"])
def test_exporting_netcdf(apexr_command, kind, request, tmp_path, monkeypatch):
    pytest.importorskip("h5netcdf")
    monkeypatch.chdir(tmp_path)
    store = request.getfixturevalue(kind)
    said = apexr_command("export", store, "--format", "netcdf")
    assert said.code == 0, said.err
    (path,) = tmp_path.iterdir()
    assert path.name == f"{store.stem}.nc"
    with xr.open_dataset(path, engine="h5netcdf") as ds:
        held = apexr.open_study(store) if kind == "study" else apexr.open_experiment(store)
        xr.testing.assert_allclose(ds.mean_nRMSE.drop_attrs(), held.mean_nRMSE.drop_attrs())


def test_exporting_parquet(apexr_command, experiment, tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    assert apexr_command("export", experiment, "--format", "parquet", "--output", path).code == 0
    assert len(pd.read_parquet(path)) == 36


@pytest.mark.parametrize(
    ("format", "package", "blocked"),
    [
        ("netcdf", "apexr[netcdf]", "h5netcdf"),
        ("parquet", "apexr[parquet]", "pyarrow"),
        ("well", "apexr[netcdf]", "h5py"),
    ],
)
def test_missing_packages_are_named(
    apexr_command, experiment, format, package, blocked, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, blocked, None)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == blocked else find(name)
    )
    said = apexr_command("export", experiment, "--format", format, "--output", tmp_path / "a")
    assert said.code == 2
    assert f"need the package {blocked}" in said.err
    assert package in said.err
    assert not list(tmp_path.iterdir())


def test_unknown_formats_list_the_known_ones(apexr_command, experiment):
    said = apexr_command("export", experiment, "--format", "xlsx")
    assert said.code == 2
    for known in ("csv", "parquet", "wide", "netcdf", "well", "safetensors"):
        assert known in said.err


def test_exporting_the_wide_table(apexr_command, study, tmp_path):
    said = apexr_command("export", study, "--format", "wide", "--output", tmp_path / "wide.csv")
    assert said.code == 0, said.err
    wide = pd.read_csv(tmp_path / "wide.csv")
    assert list(wide.columns) == list(apexr.to_wide(apexr.open_study(study)).columns)


def test_exporting_trajectories(apexr_command, experiment, study, tmp_path):
    said = apexr_command("export", experiment, "--format", "well", "--output", tmp_path / "a")
    assert said.out == f"written to {tmp_path / 'a.hdf5'}\n"
    ids = apexr.list_experiments(study)["id"]
    said = apexr_command("export", study, "--experiment", ids[0], "--format", "well",
                         "--output", tmp_path / "b.hdf5")  # fmt: skip
    assert said.code == 0, said.err
    said = apexr_command("export", study, "--format", "well", "--output", tmp_path / "c.hdf5")
    assert said.code == 2
    assert "export one of them" in said.err


def test_exporting_what_is_not_held(apexr_command, experiment):
    said = apexr_command("export", experiment, "--variable", "mean_nRSME")
    assert said.code == 2
    assert "no 'mean_nRSME' here" in said.err
    assert "did you mean 'mean_nRMSE'" in said.err


def test_exporting_to_where_nothing_can_be_written(apexr_command, experiment, tmp_path):
    for path in (tmp_path, experiment / "manifest.json" / "a.csv"):
        said = apexr_command("export", experiment, "--output", path)
        assert said.code == 2
        assert "cannot be written" in said.err
        assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["list", "nets"], "did you mean 'networks'?"),
        (["export", "nothere", "--format", "cvs"], "did you mean 'csv'?"),
    ],
)
def test_the_nearest_word_is_told(words, told):
    from typer.testing import CliRunner

    from apexr.cli._app import app

    done = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())
