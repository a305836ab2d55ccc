"""Importing results and working on stores at URLs from the command line."""

import shutil
import uuid
from pathlib import Path

import pandas as pd
import pytest

import apexr
from apexr import store as stores

GOLDEN = Path(__file__).parents[1] / "parity" / "golden" / "results"


def test_importing_tables_and_weights(apexr_command, tmp_path):
    store = tmp_path / "published results.zarr"
    said = apexr_command("import", GOLDEN / "conv.csv", GOLDEN / "unet.csv", "--store", store)
    assert said.code == 0, said.err
    ids = apexr.list_experiments(store)["id"].tolist()
    lines = said.out.splitlines()
    assert sorted(line.split()[0] for line in lines[:2]) == ids
    assert "2 seeds, networks of conv.eqx" in lines[0]
    assert lines[2] == f"imported into {store}"
    shown = apexr_command("show", store)
    assert "Conv;4;2;relu" in shown.out
    out = tmp_path / "wide.csv"
    apexr_command("export", store, "--experiment", lines[0].split()[0], "--format", "wide",
                  "--output", out)  # fmt: skip
    given, back = pd.read_csv(GOLDEN / "conv.csv"), pd.read_csv(out)
    pd.testing.assert_series_equal(back["mean_nRMSE_0003"], given["mean_nRMSE_0003"])


def test_what_the_table_does_not_tell(apexr_command, tmp_path):
    said = apexr_command("import", GOLDEN / "mlp.csv", "--store", tmp_path / "s.zarr")
    assert said.code == 2
    assert "--scenario KEY" in said.err
    said = apexr_command(
        "import", GOLDEN / "mlp.csv", "--store", tmp_path / "s.zarr", "--scenario", "phy_burgers"
    )
    assert said.code == 0, said.err


@pytest.mark.parametrize("name", ["conv.eqx", "outputs.npz", "nothing.csv"])
def test_wrong_files_are_named(apexr_command, tmp_path, name):
    said = apexr_command("import", GOLDEN / name, "--store", tmp_path / "s.zarr")
    assert said.code == 2
    assert name in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "s.zarr").exists()


def test_a_store_that_is_no_study_is_refused(apexr_command, experiment, tmp_path):
    shutil.copytree(experiment, tmp_path / "adv.zarr")
    said = apexr_command("import", GOLDEN / "conv.csv", "--store", tmp_path / "adv.zarr")
    assert said.code == 2
    assert "expected an apexr study" in said.err


def test_stores_at_urls(apexr_command, study, tmp_path):
    url = f"memory://{uuid.uuid4().hex}/study.zarr"
    said = apexr_command("merge", url, study)
    assert said.out == f"2 experiments merged into {url}\n"
    assert apexr_command("verify", url).out.startswith("2 units checked")
    assert "Conv;26;10;relu" in apexr_command("show", url).out
    said = apexr_command("export", url, "--output", tmp_path / "t.csv")
    assert said.code == 0, said.err
    assert len(pd.read_csv(tmp_path / "t.csv")) == len(
        apexr.to_long(apexr.open_study(study), "mean_nRMSE")
    )
    assert "needs a path of this machine" in apexr_command("pack", url).err
    assert apexr_command("repair", url).code == 0
    assert stores.is_study(url)
