"""Other programs read what is stored, in processes that cannot import apexr nor its codec."""

import hashlib
import json
import tomllib

import numpy as np
import pytest
import xarray as xr

import apexr
from _tiny import python
from apexr import store
from apexr.errors import SpecError
from apexr.store.study._open import ApexrBackend
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


NAMED = """
import hashlib, json, sys
sys.modules["apexr"] = sys.modules["pcodec"] = None
import numpy as np
path, names = sys.argv[1], json.loads(sys.argv[2])

def digest(values):
    values = np.asarray(values)
    return [str(values.dtype), list(values.shape), hashlib.sha256(values.tobytes()).hexdigest()]

def tell(read):
    print(json.dumps({name: digest(read(name)) for name in names}))
"""

TENSORSTORE = """
import tensorstore as ts

def read(name):
    kvstore = {"driver": "file", "path": f"{path}/{name}/"}
    return ts.open({"driver": "zarr3", "kvstore": kvstore}).result().read().result()

tell(read)
assert "zarr" not in sys.modules and "xarray" not in sys.modules
"""

ZARR = """
import zarr
group = zarr.open_group(path, mode="r")
tell(lambda name: group[name][...])
assert set(group.group_keys()) == {"weights"}
"""

XARRAY = """
import xarray as xr
ds = xr.open_zarr(path).load()
tell(lambda name: ds[name].values)
assert str(ds["net"].values) == "Conv;26;10;relu", ds["net"]
"""

PACKED = """
import xarray as xr, zarr
path, _, group = path.partition("#")
store = zarr.storage.ZipStore(path, mode="r")
ds = xr.open_zarr(store, group=group or None, consolidated=False).load()
tell(lambda name: ds[name].values)
"""

NETCDF4 = """
import netCDF4
held = netCDF4.Dataset(path)
held.set_auto_mask(False)
tell(lambda name: held[name][...])
assert held["net"][...] == "Conv;26;10;relu"
"""

H5NETCDF = """
import h5netcdf
held = h5netcdf.File(path)
tell(lambda name: held[name][...])
"""

H5PY = """
import h5py
held = h5py.File(path)
tell(lambda name: held[name][...])
"""


@pytest.fixture(scope="module")
def numbers():
    """Return the numbers of a result by name, coordinates among them: type, shape, digest."""
    ds = mock_experiment()
    plain = {name: v.values for name, v in ds.variables.items() if v.dtype.kind in "biuf"}
    assert len(plain) > 10
    return {
        name: [str(v.dtype), [*v.shape], hashlib.sha256(v.tobytes()).hexdigest()]
        for name, v in plain.items()
    }


@pytest.fixture(scope="module")
def forms(study, tmp_path_factory):
    """Return a result in each form in which others may get it."""
    root = tmp_path_factory.mktemp("forms")
    ds, weights = mock_experiment(), {"w": np.ones(2)}
    store.publish_experiment(ds, weights, root / "one.zarr")
    store.publish_experiment(ds, weights, root / "small.zarr", packed=True)
    store.create_study(root / "packed.zarr")
    unit = store.unit_path(root / "packed.zarr", ID)
    store.publish_experiment(ds, weights, unit, packed=True)
    store.publish_dataset(apexr.open_experiment(root / "one.zarr"), root / "one.nc")
    return {
        "single": root / "one.zarr",
        "of a study": study / "experiments" / ID / "data.zarr",
        "packed": f"{root / 'small.zarr.zip'}#",
        "packed of a study": f"{unit}.zip#data.zarr",
        "netCDF": root / "one.nc",
    }


@pytest.mark.parametrize(
    ("form", "reader"),
    [
        *(
            (form, reader)
            for form in ("single", "of a study")
            for reader in ("TENSORSTORE", "ZARR")
        ),
        *((form, "XARRAY") for form in ("single", "of a study")),
        *((form, "PACKED") for form in ("packed", "packed of a study")),
        *(("netCDF", reader) for reader in ("NETCDF4", "H5NETCDF", "H5PY")),
    ],
)
def test_programs_of_others_read_the_same_bits(forms, numbers, form, reader):
    told = python(NAMED + globals()[reader], forms[form], json.dumps([*numbers]))
    assert json.loads(told.splitlines()[-1]) == numbers


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


def test_what_xarray_opens_is_taken_by_public_functions(tmp_path):
    """``xr.open_zarr`` reads text as NumPy's own strings, which other libraries do not know."""
    path = store.publish_experiment(mock_experiment(num_channels=2), {}, tmp_path / "one.zarr")
    plain = xr.open_zarr(path, consolidated=True)
    ours = store.open_experiment(path)
    table = apexr.to_long(plain, "mean_nRMSE")
    assert table.equals(apexr.to_long(ours, "mean_nRMSE"))
    for draw in (apexr.plot.metric, apexr.plot.loss, apexr.plot.overview, apexr.plot.pareto):
        draw(plain)
    plain.apexr.to_long("mean_nRMSE")
