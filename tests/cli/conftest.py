"""The command line, called in this process, and results to read."""

import dataclasses
import sys
import warnings

import pytest

from apexr import store as stores
from apexr.testing import mock_experiment


@dataclasses.dataclass
class Said:
    """What a command said."""

    code: int
    out: str
    err: str


@pytest.fixture
def apexr_command(monkeypatch, capsys):
    """Return the function that runs a command as a shell would."""
    from apexr import cli, kernels

    monkeypatch.setattr(kernels, "keep_compiled", lambda: None)
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["apexr", *map(str, arguments)])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def experiment(tmp_path_factory):
    """Return the store of a made-up experiment; one of its three seeds diverged."""
    path = tmp_path_factory.mktemp("cli") / "adv.zarr"
    ds = mock_experiment(num_times=12, diverged=(1,), metrics=("mean_nRMSE", "mean_correlation"))
    return stores.publish_experiment(ds, {}, path)


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """Return a study of two made-up experiments and a failed one."""
    path = tmp_path_factory.mktemp("cli") / "study.zarr"
    stores.create_study(path)
    for number, net in enumerate(("Conv;26;10;relu", "FNO;12;8;4;gelu")):
        ds = mock_experiment(net=net, random_seed=number)
        stores.publish_experiment(ds, {}, stores.unit_path(path, f"{number:032x}"))
    config = {"scenario": "1d_diff_kdv", "task": "predict", "net": "x", "train": "one"}
    stores.Study.at(path).notes.record_failure(f"{9:032x}", RuntimeError("out of memory"), config)
    return path
