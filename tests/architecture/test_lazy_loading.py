"""What importing loads: seen by fresh interpreters."""

import json
import subprocess
import sys

import pytest

from _tiny import loaded_after, python
from apexr import store as stores
from apexr.testing import mock_experiment

NUMERICS = ("jax", "equinox", "optax", "jaxlib")
RESULTS = ("xarray", "pandas", "dask", "zarr")
PICTURES = ("holoviews", "matplotlib", "bokeh")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("architecture")
    stores.publish_experiment(mock_experiment(), {}, folder / "adv.zarr")
    stores.create_study(folder / "study.zarr")
    unit = stores.unit_path(folder / "study.zarr", "0" * 32)
    stores.publish_experiment(mock_experiment(), {}, unit)
    return folder


def test_importing_the_package_loads_almost_nothing():
    heavy = (*NUMERICS, *RESULTS, *PICTURES, "numpy", "typer", "tqdm")
    code = "import apexr; dir(apexr); assert apexr.__version__"
    assert loaded_after(code, *heavy) == []


def test_asking_for_what_is_not_there_loads_nothing():
    code = "import apexr; assert not hasattr(apexr, 'nonsense'); assert 'run' in dir(apexr)"
    assert loaded_after(code, *NUMERICS, *RESULTS) == []


def test_results_are_read_and_tabled_without_jax(stored):
    code = """
import apexr
ds = apexr.open_experiment("adv.zarr")
study = apexr.open_study("study.zarr")
assert len(apexr.list_experiments("study.zarr")) == 1
for data in (ds, study):
    assert len(apexr.to_long(data, "mean_nRMSE")) == 24
    assert len(apexr.to_wide(data)) == 3
    assert len(apexr.melt_loss(data)) == 15
    assert len(apexr.melt_sample_rollouts(data)) == 3
    apexr.melt_metrics(data)
    data.apexr.validate()
apexr.analysis.geometric_mean(ds, "mean_nRMSE")
apexr.plot, apexr.schema, apexr.testing, apexr.store
"""
    loaded = loaded_after(code, *NUMERICS, *PICTURES, "apexr.scenarios", cwd=stored)
    assert loaded == []


def test_pictures_need_no_jax(stored):
    code = "import apexr; apexr.plot.metric(apexr.open_experiment('adv.zarr'))"
    assert loaded_after(code, *NUMERICS, "holoviews", cwd=stored) == ["holoviews"]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["run", "--help"], ["show", "adv.zarr"]]
)
def test_commands_that_compute_nothing_load_no_jax(stored, arguments):
    code = """
import sys
from apexr.cli import main
sys.argv = ["apexr", *ARGUMENTS]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
""".replace("ARGUMENTS", json.dumps(arguments))
    heavy = (*NUMERICS, *PICTURES)
    assert loaded_after(code, *heavy, cwd=stored) == []


def test_numerics_load_no_tables():
    code = "import apexr.engine, apexr.initial, apexr.steppers, apexr.training"
    assert loaded_after(code, *RESULTS, *PICTURES, "jax") == ["jax"]


@pytest.mark.parametrize(
    "code",
    [
        "import apexr, xarray",
        "import xarray, apexr",
        "import apexr, xarray.core.dataset, xarray",
        "import apexr; ds = apexr.testing; import xarray",
    ],
)
def test_the_accessor_is_there_whatever_is_imported_first(code):
    check = "assert xarray.Dataset().apexr.plot is not None; print('there')"
    assert python(f"{code}\n{check}") == "there\n"


def test_the_module_and_the_script_are_the_same_command():
    done = subprocess.run(
        [sys.executable, "-m", "apexr", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("apexr 0.")


@pytest.mark.parametrize(
    ("code", "seconds"),
    [
        ("import apexr", 0.3),
        ("import sys; sys.argv = ['apexr', '--help']; import apexr.__main__ as m; m.main()", 1.0),
    ],
    ids=["import", "help"],
)
def test_starting_is_quick(code, seconds):
    """Processor time, so that a busy machine does not matter; the best of three."""
    timed = f"""
import atexit, sys, time
atexit.register(lambda: print(time.process_time(), file=sys.stderr))
{code}
"""
    runs = [
        subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    assert min(float(run.stderr.split()[-1]) for run in runs) < seconds
