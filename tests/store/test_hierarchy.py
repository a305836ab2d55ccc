"""A study is a hierarchy of Zarr groups: other programs get from it to every experiment."""

import json
import os
import shutil
import warnings
import zipfile
from pathlib import Path

import fsspec
import numpy as np
import pytest
import xarray as xr
import zarr

import apexr
from _tiny import python
from apexr import store
from apexr._digest import canonical_json, digest, experiment_id, with_seeds
from apexr.errors import StoreError
from apexr.schema import CONFIG_COORDS
from apexr.testing import mock_experiment

GOLDEN = Path(__file__).parent / "golden" / "schema_1.zip"
NETS = ("Conv;26;10;relu", "FNO;12;8;4;gelu")
PARTS = [(NETS[0], (0, 1, 2)), (NETS[0], (5,)), (NETS[1], (0, 1))]
"""Networks and seeds of the units of a study: the first experiment was given a seed more."""
STUDY_GROUPS = ("zarr.json", "experiments/zarr.json")

READER = """
import json, sys, warnings
sys.modules["apexr"] = None
import xarray as xr, zarr
warnings.simplefilter("ignore")
tree = xr.open_datatree(sys.argv[1])
group = zarr.open_group(sys.argv[1], mode="r")
told = []
for name, node in sorted(tree["experiments"].children.items()):
    ds = node["data.zarr"].to_dataset().load()
    for key, array in ds.data_vars.items():
        held = group[f"experiments/{name}/data.zarr/{key}"][...]
        assert (held == array.values).all(), key
    sums = {key: float(array.sum()) for key, array in ds.data_vars.items()}
    weights = float(group[f"experiments/{name}/data.zarr/weights/w"][...].sum())
    told.append({"attrs": dict(node.attrs), "sums": sums, "weights": weights})
print(json.dumps(told))
"""


def publish(path, net, seeds):
    spec = with_seeds({"scenario": "diff_adv", "net": net, "parameters": {}}, seeds)
    ds = mock_experiment(net=net, seeds=seeds, random_seed=seeds[0])
    ds.attrs |= {"experiment_id": digest(spec), "specification": canonical_json(spec)}
    unit = store.unit_path(path, digest(spec))
    store.publish_experiment(ds, {"w": np.full((len(seeds), 2), seeds[0] + 1.0)}, unit)
    return ds


@pytest.fixture
def results():
    return []


@pytest.fixture
def study(tmp_path, results):
    path = tmp_path / "study.zarr"
    store.create_study(path)
    results += [publish(path, *part) for part in PARTS]
    return path


def tree(path):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Object at")  # what is no group
        warnings.filterwarnings("ignore", message="Failed to open Zarr store with consolidated")
        return xr.open_datatree(path, engine="zarr")


def found(path):
    """Return the attributes and the results that a reader of Zarr finds, by the unit's name."""
    units = tree(path)["experiments"].children
    return {
        name: (dict(unit.attrs), next(iter(unit.children.values())).to_dataset().load())
        for name, unit in units.items()
    }


def assert_seen(path, results):
    held = found(path)
    assert sorted(held) == sorted(ds.attrs["experiment_id"] for ds in results)
    for ds in results:
        attrs, read = held[ds.attrs["experiment_id"]]
        xr.testing.assert_equal(read[list(ds.data_vars)], ds)
        assert attrs["seeds"] == ds.seed.values.tolist()
        assert attrs["experiment"] == experiment_id(json.loads(ds.attrs["specification"]))
        assert {name: attrs[name] for name in CONFIG_COORDS} == {
            name: ds[name].item() for name in CONFIG_COORDS
        }


def test_others_see_every_experiment_without_apexr(study, results):
    told = json.loads(python(READER, study))
    expected = {ds.attrs["experiment_id"]: ds for ds in results}
    names = sorted(expected)
    assert len(told) == len(names) == 3
    for name, one in zip(names, told, strict=True):
        sums = {key: float(array.sum()) for key, array in expected[name].data_vars.items()}
        assert one["sums"] == pytest.approx(sums, rel=1e-6)
        seeds = expected[name].seed.values
        assert one["weights"] == 2 * len(seeds) * (seeds[0] + 1)


def test_groups_say_which_of_them_are_one_experiment(study, results):
    assert_seen(study, results)
    groups = {}
    for attrs, ds in found(study).values():
        groups.setdefault(attrs["experiment"], []).append(ds)
    assert sorted(len(parts) for parts in groups.values()) == [1, 2]
    for name, parts in groups.items():
        ours = store.open_experiment(study, name)
        ordered = sorted(parts, key=lambda ds: ds.seed.values[0])
        how = {"data_vars": "minimal", "coords": "minimal", "compat": "override"}
        theirs = xr.concat(ordered, "seed", join="outer", **how)
        np.testing.assert_array_equal(theirs.seed, ours.seed)
        np.testing.assert_array_equal(theirs.nRMSE, ours.nRMSE)


def test_a_study_that_grows_is_seen_as_it_is(study, results):
    assert len(found(study)) == 3
    results.append(publish(study, NETS[1], (7,)))
    assert_seen(study, results)


def test_packed_units_are_hierarchies_of_their_own(study, results):
    store.pack(study)
    for ds in results:
        path = study / "experiments" / f"{ds.attrs['experiment_id']}.zip"
        held = zarr.storage.ZipStore(path, mode="r")
        assert zarr.open_group(held, mode="r").attrs["seeds"] == ds.seed.values.tolist()
        read = xr.open_zarr(held, group="data.zarr", consolidated=False).load()
        xr.testing.assert_equal(read[list(ds.data_vars)], ds)
    assert not found(study)


def test_object_stores_are_hierarchies_too(study, results):
    url = f"memory://{digest(str(study))}/study.zarr"
    assert store.merge(url, study) == 3
    assert_seen(url, results)
    fs, path = fsspec.core.url_to_fs(url)
    unit = f"{path}/experiments/{results[0].attrs['experiment_id']}"
    (data,) = [name for name in fs.ls(unit, detail=False) if name.endswith(".zarr")]
    fs.pipe(f"{unit}/data-{'0' * 16}.zarr/zarr.json", fs.cat(f"{data}/zarr.json"))
    assert_seen(url, results)  # what a writer that died has left is no result
    assert store.verify(url) == 3


def test_a_group_that_an_object_store_lost_comes_with_the_same_result(study, results):
    url = f"memory://{digest(str(study))}/again.zarr"
    store.merge(url, study)
    fs, path = fsspec.core.url_to_fs(url)
    for ds in results:
        fs.rm(f"{path}/experiments/{ds.attrs['experiment_id']}/zarr.json")
    assert not found(url)
    store.merge(url, study)
    assert_seen(url, results)


def test_objects_come_back_as_groups(study, results, tmp_path):
    url = f"memory://{digest(str(study))}/there.zarr"
    store.merge(url, study)
    store.merge(tmp_path / "back.zarr", url)
    assert_seen(tmp_path / "back.zarr", results)
    assert store.verify(tmp_path / "back.zarr") == 3


def test_older_studies_are_given_groups_by_who_writes(tmp_path):
    with zipfile.ZipFile(GOLDEN) as held:
        held.extractall(tmp_path)
    old = tmp_path / "study.zarr"
    apexr.open_study(old)
    apexr.list_experiments(old)
    assert store.verify(old) == 2
    assert not [name for name in STUDY_GROUPS if (old / name).exists()]
    store.create_study(old)
    assert not found(old)  # units are never rewritten
    store.merge(tmp_path / "new.zarr", old)
    read = found(tmp_path / "new.zarr")
    ours = apexr.open_study(old)
    assert {attrs["experiment"] for attrs, _ in read.values()} == set(ours.experiment.values)
    for attrs, ds in read.values():
        own = ours.sel(experiment=attrs["experiment"])
        np.testing.assert_array_equal(ds.nRMSE, own.nRMSE.sel(seed=ds.seed))
    assert store.verify(tmp_path / "new.zarr") == 2


@pytest.mark.parametrize("name", STUDY_GROUPS)
@pytest.mark.parametrize("kind", ["consolidated", "text", "an array", "link", "fifo", "folder"])
def test_what_misleads_other_readers_is_named_and_mended(study, results, name, kind, tmp_path):
    path = study / name
    held = json.loads(path.read_text())
    path.unlink()
    match kind:
        case "consolidated":
            inline = {"kind": "inline", "must_understand": False, "metadata": {}}
            path.write_text(json.dumps({**held, "consolidated_metadata": inline}))
        case "text":
            path.write_text("{" * 200_000)
        case "an array":
            path.write_text(json.dumps({**held, "node_type": "array"}))
        case "link":
            (tmp_path / "theirs").write_text("theirs")
            path.symlink_to(tmp_path / "theirs")
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
            (path / "theirs").write_text("theirs")
    ours = apexr.open_study(study)  # apexr does not need them
    assert ours.sizes["experiment"] == 2
    with pytest.raises(StoreError, match=r"zarr\.json: "):
        store.verify(study)
    assert len(store.repair(study).moved) == 1
    assert store.verify(study) == 3
    assert_seen(study, results)
    if kind == "link":
        assert (tmp_path / "theirs").read_text() == "theirs"


def test_lost_groups_are_no_damage_and_come_back(study, results):
    for name in STUDY_GROUPS:
        (study / name).unlink()
    assert store.verify(study) == 3
    store.create_study(study)
    assert_seen(study, results)
    assert not [path for path in study.iterdir() if path.name.startswith(".zarr")]


def test_the_group_of_a_unit_is_checked_as_all_its_files(study, results):
    unit = study / "experiments" / results[0].attrs["experiment_id"]
    (unit / "zarr.json").write_text("{}")
    with pytest.raises(StoreError, match=r"zarr\.json: 2 bytes, expected"):
        store.verify(study)


def test_a_reader_leaves_the_groups_as_they_are(study):
    for name in STUDY_GROUPS:
        (study / name).unlink()
    for read in (apexr.open_study, apexr.list_experiments, store.verify, store.open_rollouts):
        read(study)
    assert not [name for name in STUDY_GROUPS if (study / name).exists()]


# --- files and attributes --------------------------------------------------------------------

EDGES = {
    "a number": [0.1, 0.1],
    "zero": [0.0, 0.0],
    "negative zero": [-0.0, -0.0],
    "both zeros": [0.0, -0.0],
    "NaN": [np.nan, np.nan],
    "infinite": [np.inf, np.inf],
    "minus infinite": [-np.inf, -np.inf],
    "subnormal": [1e-310, 1e-310],
    "one number": [3.0],
}


@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<i8", "|u1"])
@pytest.mark.parametrize("values", EDGES.values(), ids=EDGES)
def test_small_arrays_of_one_value_keep_every_bit(values, dtype, tmp_path):
    with np.errstate(all="ignore"):
        held = np.array(values).astype(dtype)
    text = "Conv;8;3;\0äöü"
    files = apexr.store.unit._encode.encoded(
        xr.Dataset({"held": ("axis", held)}, {"net": text, "same": ("axis", held)})
    )
    path = tmp_path / "group.zarr"
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    group = zarr.open_group(path, mode="r", use_consolidated=False)
    assert group["held"][...].tobytes() == held.tobytes()
    assert group["same"][...].tobytes() == held.tobytes()
    assert str(group["net"][...]) == text
    read = xr.open_zarr(path).load()
    assert read.held.values.tobytes() == held.tobytes()  # nothing is taken for missing
    shutil.rmtree(path)


def test_what_is_one_value_takes_no_file_of_its_own(study, results):
    unit = study / "experiments" / results[0].attrs["experiment_id"] / "data.zarr"
    scalars = [name for name, v in results[0].variables.items() if not v.dims]
    assert len(scalars) >= 9
    for name in scalars:
        assert [path.name for path in (unit / name).iterdir()] == ["zarr.json"]


def test_attributes_follow_the_conventions(study, results):
    for _, ds in found(study).values():
        assert ds.attrs["Conventions"] == "CF-1.11"
        assert ds.seed.attrs["standard_name"] == "realization"
        assert ds.x.attrs["axis"] == "X"
        assert ds.x.attrs["units"] == "1"
        for name, array in ds.variables.items():
            if array.dtype.kind in "OUT":
                assert "units" not in array.attrs, name
        for name in ds.coords:
            assert "_FillValue" not in {**ds[name].attrs, **ds[name].encoding}, name
    assert tree(study).attrs["Conventions"] == "CF-1.11"


def test_each_axis_of_space_is_one(tmp_path):
    ds = mock_experiment(num_spatial_dims=3, num_points=3)
    axes = {dim: ds[dim].attrs["axis"] for dim in ("x", "y", "z")}
    assert axes == {"x": "X", "y": "Y", "z": "Z"}
    named = mock_experiment(num_channels=2)
    assert named.channel.attrs["units"] == "1"  # numbers


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_datasets_of_data_have_no_fill_value_on_coordinates(suffix, tmp_path):
    ds = mock_experiment()[["sample_reference"]]
    path = store.publish_dataset(ds, tmp_path / f"data{suffix}")
    engine = "zarr" if suffix == ".zarr" else "h5netcdf"
    with xr.open_dataset(path, engine=engine) as held:
        assert "_FillValue" not in held.x.encoding
        assert "_FillValue" not in held.time_value.encoding
        assert held.attrs["Conventions"] == "CF-1.11"
