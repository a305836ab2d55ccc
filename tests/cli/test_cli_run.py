"""``apexr run``, and what the shell sees of it."""

import os
import subprocess
import sys
import warnings

import pytest
import xarray as xr

import apexr
from _tiny import NET, SIZES
from apexr.errors import ApexrWarning

pytestmark = pytest.mark.quick

SET = [part for name, value in SIZES.items() for part in ("--set", f"{name}={value}")]


@pytest.fixture
def called(monkeypatch):
    """Replace the run; return the calls that reached it."""
    calls = []

    def run(scenario, **keywords):
        calls.append((scenario, keywords))
        return apexr.testing.mock_experiment(num_times=3)

    monkeypatch.setattr(apexr, "run", run)
    return calls


def test_the_module_runs_an_experiment(tmp_path):
    store, plot = tmp_path / "adv.zarr", tmp_path / "pictures" / "adv.png"
    arguments = ["diff_adv", "--net", NET, "--num-seeds", "2", *SET, "--store", store]
    done = subprocess.run(
        [sys.executable, "-m", "apexr", "run", *map(str, arguments), "--plot", str(plot)],
        env={
            **os.environ,
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "JAX_ENABLE_COMPILATION_CACHE": "true",
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "scenario 1d_diff_adv" in done.stdout
    assert "seeds 2\n" in done.stdout
    steps = [line.split()[0] for line in done.stdout.splitlines() if line[:6].strip().isdigit()]
    assert steps == ["1", "2", "3", "4", "5"]
    assert "100%" in done.stderr
    assert "Traceback" not in done.stderr
    assert plot.read_bytes().startswith(b"\x89PNG")
    with xr.open_zarr(store) as ds:
        assert ds.sizes["seed"] == 2
    assert any((tmp_path / "cache" / "apexr").iterdir())  # compiled programs are kept


def test_options_reach_the_run(apexr_command, called):
    said = apexr_command(
        *("run", "diff_adv", "--task", "predict", "--net", "Conv;2;1;relu", "--train", "sup;3"),
        *("--start-seed", 4, "--num-seeds", 2, "--no-progress", "--store", "a.zarr"),
        *("--precision", "float64", "--checkpoint-seconds", 9, "--init", "pre.zarr"),
        *("--set", "num_points=32", "--set", "ic_config=fourier;3;true;true"),
        *("--set", "advection_gamma=-2.5", "--set", "vlim=[-2, 2]", "--set", "conservative=True"),
    )
    assert said.code == 0, said.err
    ((scenario, keywords),) = called
    assert scenario == "diff_adv"
    assert str(keywords.pop("store")) == "a.zarr"
    assert keywords == {
        "task": "predict",
        "net": "Conv;2;1;relu",
        "train": "sup;3",
        "start_seed": 4,
        "num_seeds": 2,
        "precision": "float64",
        "init": "pre.zarr",
        "checkpoint_seconds": 9,
        "packed": False,
        "progress": False,
        "num_points": 32,
        "ic_config": "fourier;3;true;true",
        "advection_gamma": -2.5,
        "vlim": [-2, 2],
        "conservative": True,
    }
    assert "stored in a.zarr" in said.out


def test_a_finished_experiment_is_read(apexr_command, tmp_path, monkeypatch):
    store = tmp_path / "adv.zarr"
    arguments = ("run", "diff_adv", "--net", NET, *SET, "--store", store, "--no-progress")
    first = apexr_command(*arguments)
    assert first.code == 0, first.err

    def refuse(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr("apexr.experiment._execute.train", refuse)
    again = apexr_command(*arguments)
    assert (again.code, again.out) == (0, first.out)
    other = apexr_command(*arguments, "--start-seed", "1")
    assert other.code == 2
    assert "holds another experiment" in other.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["diff_avd"], "error: unknown scenario 'diff_avd'; did you mean 'diff_adv'?"),
        (["diff_adv", "--net", "Conv;26;10;rellu"], "did you mean 'relu'"),
        (
            ["diff_adv", "--net", "Conv;26"],
            "DEPTH is missing\n  Conv;26\n          ^\nusage: Conv;",
        ),
        (["diff_adv", "--train", "sup;99"], "raise train_temporal_horizon"),
        (["diff_adv", "--num-seeds", "0"], "num_seeds must be an integer from 1"),
        (["diff_adv", "--num-seeds", "two"], "valid integer"),
        (["diff_adv", "--set", "num_point=3"], "did you mean 'num_points'"),
        (["diff_adv", "--set", "num_points=3.5"], "num_points must be an integer, got 3.5"),
        (["diff_adv", "--set", "num_points"], "expected KEY=VALUE, got 'num_points'"),
        (["diff_adv", "--set", "=3"], "expected KEY=VALUE, got '=3'"),
        (["diff_adv", "--set", "net=Conv;2;1;relu"], "net is given by --net"),
        (["diff_adv", "--set", "num_seeds=2"], "num_seeds is given by --num-seeds"),
        (["diff_adv", "--set", "scenario=diff_diff"], "scenario is given by the argument"),
        (["diff_adv", "--set", "dt=1", "--set", "dt=2"], "dt is set twice"),
        (["diff_adv", "--plot", "picture.jpg"], "picture.jpg must end in one of .png"),
        (["diff_adv", "--store", __file__], "found a file"),
        (["diff_adv", "--nett", "Conv"], "No such option"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_meant_is_said_without_a_traceback(
    apexr_command, arguments, said, monkeypatch
):
    def refuse(*_, **__):
        raise AssertionError("something was computed")

    monkeypatch.setattr("apexr.experiment._data._trajectories", refuse)
    done = apexr_command("run", *arguments)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_a_run_that_fails_on_its_way_has_another_exit_code(apexr_command):
    done = apexr_command("run", "diff_burgers", *SET, "--set", "convection_delta=-1e6")
    assert done.code == 1
    assert "error: 1d_diff_burgers: 3 of 3 train trajectories" in done.err
    assert "Traceback" not in done.err


def test_warnings_are_one_line(apexr_command, called):
    assert apexr_command("run", "diff_adv").code == 0
    assert called
    warning = ApexrWarning("a batch is the full data")
    line = warnings.formatwarning(warning, ApexrWarning, "a/file.py", 12)
    assert line == "warning: a batch is the full data\n"
