"""`apexr decompose`, `climate`, `ladder` and `breakeven` on stored experiments."""

import xarray as xr

import apexr

TINY = {
    "num_points": 24,
    "num_train_samples": 4,
    "train_temporal_horizon": 5,
    "num_test_samples": 2,
    "test_temporal_horizon": 6,
    "optim_config": "adam;5;constant;1e-3",
    "record_loss_every": 5,
}


def test_the_parts_of_a_stored_error(apexr_command, tmp_path):
    store, written = tmp_path / "adv.zarr", tmp_path / "parts.nc"
    asked = {"net": "Pure;3", "num_seeds": 2, "store": store, "progress": False}
    result = apexr.run("diff_adv", **asked, **TINY)
    said = apexr_command("decompose", store, "--output", written)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[2] == "1d_diff_adv  Pure;3  one"
    assert lines[3].split()[:4] == ["step", "error", "one_step", "propagated"]
    first = lines[4].split()
    assert (first[0], first[3]) == ("1", "0")  # nothing is propagated yet
    error = result.mean_nRMSE.sel(time=5).load().median("seed").item()
    assert abs(float(lines[8].split()[1]) - error) < 5e-3 * error
    with xr.open_dataset(written) as parts:
        assert parts.one_step.sizes == {"seed": 2, "test_sample": 2, "time": 6}


def test_the_statistics_of_stored_networks(apexr_command, tmp_path):
    store, written = tmp_path / "ks.zarr", tmp_path / "climate.nc"
    asked = {"net": "Pure;3", "num_seeds": 2, "store": store, "progress": False}
    apexr.run("diff_ks_cons", **asked, **TINY)
    said = apexr_command(
        "climate", store, "--steps", 20, "--spinup", 2, "--samples", 1, "--output", written
    )
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[2] == "1d_diff_ks_cons  Pure;3  one"
    assert lines[3].split()[:2] in (["bounded", "1"], ["bounded", "0"], ["bounded", "0.5"])
    with xr.open_dataset(written) as told:
        (line,) = (line.split() for line in lines if line.startswith("histogram_l1"))
        assert line[1] == f"{told.histogram_l1.median('seed').item():.3g}"
        assert line[3] == f"{told.histogram_l1_noise.item():.3g})"


def test_what_cannot_be_split(apexr_command, tmp_path):
    assert apexr_command("decompose", tmp_path / "nothing.zarr").code == 2
    said = apexr_command("decompose", tmp_path, "--plot", "parts.txt")
    assert said.code == 2
    assert "--plot" in said.err


def test_a_ladder_and_when_emulators_pay(apexr_command, tmp_path, monkeypatch):
    monkeypatch.setattr("apexr.engine._clocks.LEAST_SECONDS", 0.0)
    store, written = tmp_path / "burgers.zarr", tmp_path / "ladder.nc"
    asked = {"net": "Pure;3", "num_seeds": 2, "store": store, "progress": False}
    apexr.run("diff_burgers", **asked, **TINY)
    sizes = [part for key, value in TINY.items() for part in ("--set", f"{key}={value}")]
    rungs = ("--points", 12, "--points", 24, "--substeps", 1, "--solver", "etdrk;2")
    said = apexr_command("ladder", "diff_burgers", *rungs, "--steps", 4, "-o", written, *sizes)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[2].split()[:3] == ["etdrk;2", "12", "1"]
    assert "rule 2: met" in said.out
    said = apexr_command("breakeven", store, written, "--over", 3)
    assert said.code == 0, said.err
    assert said.out.splitlines()[0].startswith("steps 1 to 3")
    assert said.out.splitlines()[2].endswith("1d_diff_burgers  Pure;3  one")
    with xr.open_dataset(written) as ladder:
        found = apexr.analysis.breakeven(apexr.open_experiment(store), ladder.load(), over=3)
        found.load()
    assert said.out.splitlines()[2].split()[0] == f"{found['median'].item():.4g}"


def test_ladders_that_cannot_be_made(apexr_command, tmp_path):
    assert apexr_command("ladder", "diff_burgers", "-o", tmp_path / "l.txt").code == 2
    said = apexr_command("ladder", "diff_burgers", "--points", 999)
    assert said.code == 2
    assert "at most those of the scenario" in said.err
    assert apexr_command("breakeven", tmp_path, tmp_path / "none.nc").code == 2
