"""The first hour of a stranger: run, store, open, table, pages with plots, the command line.

Run where apexr alone is installed, without extras, in an empty folder.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import xarray as xr

import apexr

SIZES = {
    "num_points": 32,
    "num_train_samples": 5,
    "train_temporal_horizon": 5,
    "num_test_samples": 3,
    "test_temporal_horizon": 20,
    "batch_size": 5,
    "record_loss_every": 5,
    "optim_config": "adam;20;constant;1e-3",
}
NETS = ("Conv;4;2;relu", "FNO;4;4;1;gelu")


def main() -> None:
    assert "site-packages" in apexr.__file__, f"not the wheel: {apexr.__file__}"
    for package in ("matplotlib", "seaborn", "hvplot", "distributed", "h5netcdf"):
        assert importlib.util.find_spec(package) is None, f"{package}: not a bare installation"
    in_python()
    on_the_command_line()
    print(f"apexr {apexr.__version__} works alone on Python {sys.version.split()[0]}")


def in_python() -> None:
    result = apexr.run("diff_adv", net=NETS[0], num_seeds=2, store="adv.zarr", **SIZES)
    read = xr.open_zarr("adv.zarr")
    np.testing.assert_array_equal(read.mean_nRMSE, result.mean_nRMSE)
    assert len(apexr.to_long(result, "mean_nRMSE")) == 2 * 20

    configs = [{"scenario": "diff_burgers", "net": net, "num_seeds": 2, **SIZES} for net in NETS]
    study = apexr.run_study(configs, "study.zarr")
    assert study.sizes["experiment"] == len(apexr.list_experiments("study.zarr")) == 2
    assert "Conv" in apexr.table(apexr.open_study("study.zarr")).to_markdown()

    page(apexr.plot.metric(study, by="net"), "metric.html")
    page(apexr.plot.overview(result), "overview.html")
    page(apexr.plot.spacetime(result), "spacetime.html")
    try:
        apexr.plot.save(apexr.plot.loss(result), "loss.png")
    except apexr.errors.MissingExtraError as error:
        assert 'matplotlib: pip install "apexr[plot]"' in str(error), error
    else:
        raise AssertionError("a PNG without matplotlib")


def page(plot: object, name: str) -> None:
    assert "Bokeh" in apexr.plot.save(plot, name).read_text()


def on_the_command_line() -> None:
    sizes = [part for name, value in SIZES.items() for part in ("--set", f"{name}={value}")]
    run = ["run", "diff_adv", "--net", NETS[0], "--store", "cli.zarr", *sizes]
    assert "stored in cli.zarr" in apexr_prints(*run)
    assert "mean_nRMSE" in apexr_prints("show", "cli.zarr")
    assert "FNO" in apexr_prints("list", "networks")
    assert "published" in apexr_prints("show", "study.zarr")
    apexr_prints("verify", "study.zarr")
    apexr_prints("export", "study.zarr", "--variable", "mean_nRMSE", "--format", "csv")
    apexr_prints("dashboard", "study.zarr", "--export", "page.html")
    assert "Bokeh" in Path("page.html").read_text()


def apexr_prints(*arguments: str) -> str:
    """Return what a command prints; it is run in a process of its own."""
    done = subprocess.run(["apexr", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"apexr {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


if __name__ == "__main__":
    main()
