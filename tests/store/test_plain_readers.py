"""Other programs read what is stored: xarray and Zarr, without apexr and without its codec."""

import json
import tomllib

import numpy as np
import pytest
import xarray as xr

import apexr
from _tiny import python
from apexr import store
from apexr.errors import SpecError
from apexr.store._engine import ApexrBackend
from apexr.testing import mock_experiment

ID = "a" * 32

READER = """
import json, sys
sys.modules["pcodec"] = None
sys.modules["apexr"] = None
import xarray as xr, zarr
ds = xr.open_zarr(sys.argv[1], consolidated=True).load()
group = zarr.open_group(sys.argv[1], mode="r")
sums = {name: float(ds[name].astype(float).sum()) for name in ds.data_vars}
assert all(float(group[name][...].astype(float).sum()) == held for name, held in sums.items())
print(json.dumps(sums))
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "study.zarr"
    store.create_study(path)
    store.publish_experiment(mock_experiment(), {"w": np.ones(2)}, store.unit_path(path, ID))
    return path


def test_readers_without_apexr_get_the_same_numbers(study, tmp_path):
    single = store.publish_experiment(mock_experiment(), {}, tmp_path / "one.zarr")
    ds = mock_experiment()
    expected = {name: float(ds[name].astype(float).sum()) for name in ds.data_vars}
    for path in (study / "experiments" / ID / "data.zarr", single):
        assert json.loads(python(READER, path)) == expected


def test_the_codecs_are_those_of_the_specification(study):
    held = json.loads((study / "experiments" / ID / "data.zarr/zarr.json").read_text())
    nodes = held["consolidated_metadata"]["metadata"].values()
    names = {codec["name"] for node in nodes for codec in node.get("codecs", ())}
    assert names == {"bytes", "blosc", "crc32c", "vlen-utf8", "zstd"}


def test_compact_fields_are_a_choice_and_read_alike(tmp_path):
    ds = mock_experiment(num_points=64, num_times=20)
    unit = store.publish_experiment(ds, {}, tmp_path / "one.zarr", compact=True)
    told = json.loads((unit / "nRMSE" / "zarr.json").read_text())
    assert told["codecs"][0]["name"] == "numcodecs.pcodec"
    xr.testing.assert_identical(store.open_experiment(unit).load(), ds)


def test_xarray_opens_a_study_by_its_own_door(study):
    opened = xr.open_dataset(study, engine=ApexrBackend)
    xr.testing.assert_identical(opened.load(), apexr.open_study(study).load())
    one = xr.open_dataset(study / "experiments" / ID, engine=ApexrBackend)
    assert "experiment" not in one.dims
    assert "nRMSE" not in xr.open_dataset(study, engine=ApexrBackend, drop_variables="nRMSE")
    with pytest.raises(SpecError, match="named by its path, got int"):
        xr.open_dataset(3, engine=ApexrBackend)


def test_the_door_is_named_in_the_package(pytestconfig):
    told = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text())
    doors = told["project"]["entry-points"]["xarray.backends"]
    assert doors == {"apexr": f"{ApexrBackend.__module__}:{ApexrBackend.__name__}"}
