"""Long tables written piece by piece are those made in memory, and take little of it."""

import subprocess
import sys
import textwrap

import dask.array as da
import numpy as np
import pandas as pd
import pytest

import apexr
from apexr import store as stores
from apexr.errors import MissingVariableError, SpecError, StoreError
from apexr.exchange import _tables
from apexr.testing import mock_experiment

SUFFIXES = (".csv", ".parquet")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a study whose experiments differ in their extent."""
    path = tmp_path_factory.mktemp("long") / "study.zarr"
    stores.create_study(path)
    for number in range(5):
        ds = mock_experiment(net=f"Conv;{number};1;relu", num_times=8 - number % 2)
        stores.publish_experiment(ds, {}, stores.unit_path(path, f"{number:032x}"))
    return apexr.open_study(path)


@pytest.fixture
def even(study):
    """Return those of equal extent."""
    return study.isel(experiment=[0, 2, 4]).drop_vars("has_time")


def read(path):
    whole = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    texts = ("scenario", "task", "net", "train", "scenario_kwargs")
    return whole.astype({name: "str" for name in texts if name in whole})


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rows", [1, 7, 10**6])
@pytest.mark.parametrize("variable", ["mean_nRMSE", "train_loss", "num_parameters"])
def test_the_file_holds_what_the_table_in_memory_holds(
    study, tmp_path, monkeypatch, suffix, rows, variable
):
    monkeypatch.setattr(_tables, "ROWS", rows)
    path = apexr.to_long(study, variable, tmp_path / f"table{suffix}")
    assert path == tmp_path / f"table{suffix}"
    pd.testing.assert_frame_equal(
        read(path), apexr.to_long(study, variable), check_dtype=suffix == ".parquet"
    )


@pytest.mark.quick
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_result_a_wide_table_and_a_diverged_seed(tmp_path, suffix):
    ds = mock_experiment(diverged=(1,))
    whole = apexr.to_long(ds, "mean_nRMSE")
    for name, data in (("a", ds), ("b", apexr.to_wide(ds))):
        table = read(apexr.to_long(data, "mean_nRMSE", tmp_path / f"{name}{suffix}"))
        assert len(table) == len(whole)
        assert np.isinf(table["mean_nRMSE"]).sum() == np.isinf(whole["mean_nRMSE"]).sum() > 0


def test_row_groups_hold_whole_experiments(even, tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    study = even
    rows = study["mean_nRMSE"].isel(experiment=0).size
    monkeypatch.setattr(_tables, "ROWS", rows)
    path = apexr.to_long(study, "mean_nRMSE", tmp_path / "t.parquet")
    file = parquet.ParquetFile(path)
    groups = [file.read_row_group(n) for n in range(file.num_row_groups)]
    assert len(groups) == study.sizes["experiment"]
    assert {group.num_rows for group in groups} == {rows}


def test_each_chunk_is_read_once(study, tmp_path, monkeypatch):
    monkeypatch.setattr(_tables, "ROWS", 4)
    seen = []

    def block(block_info=None):
        seen.append(block_info[None]["chunk-location"])
        return np.zeros(block_info[None]["chunk-shape"])

    old = study["mean_nRMSE"]
    chunks = (
        (2,) * (old.shape[0] // 2) + (1,) * (old.shape[0] % 2),
        *((n,) for n in old.shape[1:]),
    )
    lazy = da.map_blocks(block, chunks=chunks, dtype=float, meta=np.empty((0,) * old.ndim))
    apexr.to_long(study.assign(mean_nRMSE=old.copy(data=lazy)), "mean_nRMSE", tmp_path / "t.csv")
    assert len(seen) == len(set(seen)) == len(chunks[0])


def test_what_cannot_be_written(tmp_path):
    ds = mock_experiment()
    with pytest.raises(SpecError, match=r"\.csv or \.parquet"):
        apexr.to_long(ds, "mean_nRMSE", tmp_path / "table.xlsx")
    with pytest.raises(MissingVariableError, match="did you mean 'mean_nRMSE'"):
        apexr.to_long(ds, "mean_nRSME", tmp_path / "t.csv")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        apexr.to_long(ds, "mean_nRMSE", tmp_path / "file" / "t.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_interrupted_table_leaves_the_old_one(study, tmp_path, monkeypatch):
    path = apexr.to_long(study, "mean_nRMSE", tmp_path / "t.csv")
    before = path.read_bytes()
    monkeypatch.setattr(_tables, "ROWS", 1)
    monkeypatch.setattr(
        pd.DataFrame, "to_csv", lambda *_, **__: (_ for _ in ()).throw(OSError("full"))
    )
    with pytest.raises(StoreError, match="full"):
        apexr.to_long(study, "mean_nRMSE", path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


LARGE = """
    import resource, sys
    import dask.array as da
    import numpy as np
    import xarray as xr
    import apexr

    SIZES = {"experiment": 2_000, "seed": 10, "time": 200}
    values = da.random.default_rng(0).random(tuple(SIZES.values()), chunks=(100, 10, 200))
    text = {name: ("experiment", np.array([f"{name} {n}" for n in range(2_000)], dtype=object))
            for name in ("scenario", "task", "net", "train", "scenario_kwargs")}
    study = xr.Dataset({"mean_nRMSE": (tuple(SIZES), values)},
                       {dim: np.arange(size) for dim, size in SIZES.items()} | text)
    apexr.to_long(study.isel(experiment=slice(200)), "mean_nRMSE", sys.argv[1])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    apexr.to_long(study, "mean_nRMSE", sys.argv[1])
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_study(tmp_path):
    """Four million rows would take several hundred megabytes in memory."""
    parquet = pytest.importorskip("pyarrow.parquet")
    command = [sys.executable, "-c", textwrap.dedent(LARGE), str(tmp_path / "t.parquet")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    assert float(done.stdout) < 60
    assert parquet.ParquetFile(tmp_path / "t.parquet").metadata.num_rows == 4_000_000
