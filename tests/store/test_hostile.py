"""Stores from somewhere: they ask for memory, programs or other people's files, and are refused."""

import json
import os
import zipfile

import numcodecs
import numpy as np
import pytest
from numcodecs.pcodec import PCodec

from apexr import store
from apexr._files._durable import digest, json_bytes
from apexr.errors import StoreError
from apexr.store.unit._manifest import entries_below, make_manifest
from apexr.testing import mock_experiment

pytestmark = pytest.mark.acceptance

ID = "a" * 32
DS = mock_experiment()


@pytest.fixture
def unit(tmp_path):
    store.create_study(tmp_path)
    return store.publish_experiment(DS, {"w": np.ones(3)}, store.unit_path(tmp_path, ID))


def signed(unit):
    """Write the manifest that fits what lies in the unit now, as an attacker would."""
    manifest = json.loads((unit / "manifest.json").read_text())
    (unit / "manifest.json").unlink()
    labels = {key: manifest[key] for key in ("config", "attrs", "sizes", "seeds")}
    (unit / "manifest.json").write_bytes(
        json_bytes(make_manifest(labels, entries_below(store.place(unit))))
    )


def change(unit, name, **fields):
    """Change what the consolidated metadata say of an array."""
    path = unit / "data.zarr" / "zarr.json"
    data = json.loads(path.read_text())
    data["consolidated_metadata"]["metadata"][name] |= fields
    path.write_text(json.dumps(data))
    signed(unit)


def read_everything(unit):
    store.open_experiment(unit).load()
    store.read_weights(unit)


def grid(*chunk):
    return {"name": "regular", "configuration": {"chunk_shape": list(chunk)}}


CODECS = [{"name": "bytes", "configuration": {"endian": "little"}}]
ZSTD = {"name": "zstd", "configuration": {"level": 3, "checksum": False}}
BLOSC = {"name": "blosc", "configuration": {"cname": "zstd", "clevel": 3}}
SMOOTH = [{"name": "numcodecs.pcodec", "configuration": {}}, {"name": "crc32c"}]
TURNED = {"name": "transpose", "configuration": {"order": [9, 9, 9]}}
PICKLE = [*CODECS, {"name": "numcodecs.pickle", "configuration": {}}]
DECLARED = {
    "a coordinate of 10^12": ("time", {"shape": [10**12], "chunk_grid": grid(10**6)}),
    "a variable of 10^12": (
        "mean_nRMSE",
        {"shape": [10**6, 10**6], "chunk_grid": grid(2000, 2000)},
    ),
    "10^12 chunks": ("mean_nRMSE", {"shape": [10**5, 10**5], "chunk_grid": grid(1, 1)}),
    "10^6 chunks": ("mean_nRMSE", {"shape": [1000, 1000], "chunk_grid": grid(1, 1)}),
    "10^6 chunks of weights": ("weights/w", {"shape": [10**6], "chunk_grid": grid(1)}),
    "zstd twice": ("mean_nRMSE", {"codecs": [*CODECS, ZSTD, ZSTD, {"name": "crc32c"}]}),
    "zstd within blosc": ("mean_nRMSE", {"codecs": [*CODECS, ZSTD, BLOSC, {"name": "crc32c"}]}),
    "one chunk of 4 GB": (
        "mean_nRMSE",
        {"shape": [10**5, 10**4], "chunk_grid": grid(10**5, 10**4)},
    ),
    "weights of 10^12": ("weights/w", {"shape": [10**12], "chunk_grid": grid(10**6)}),
    "a negative shape": ("mean_nRMSE", {"shape": [-1, 8]}),
    "a shape of text": ("mean_nRMSE", {"shape": "huge"}),
    "chunks of no size": ("mean_nRMSE", {"chunk_grid": grid(0, 0)}),
    "other dimensions of the chunks": ("mean_nRMSE", {"chunk_grid": grid(3)}),
    "shards": ("mean_nRMSE", {"codecs": [{"name": "sharding_indexed", "configuration": {}}]}),
    "a pickle codec": ("mean_nRMSE", {"codecs": PICKLE}),
    "a program as codec": ("mean_nRMSE", {"codecs": [{"name": "os.system"}]}),
    "packed along time and once more": ("nRMSE", {"codecs": [*SMOOTH, {"name": "zstd"}]}),
    "bytes packed along time": ("nRMSE", {"codecs": [*CODECS, *SMOOTH]}),
    "text packed along time": ("nRMSE", {"data_type": "string", "codecs": SMOOTH}),
    "integers packed along time": ("time", {"codecs": SMOOTH}),
    "axes in no order": ("nRMSE", {"codecs": [TURNED, *SMOOTH]}),
    "codecs that are none": ("mean_nRMSE", {"codecs": 7}),
    "objects": ("mean_nRMSE", {"data_type": "object"}),
    "a type of its own": ("mean_nRMSE", {"data_type": {"name": "struct", "configuration": {}}}),
    "raw bits": ("mean_nRMSE", {"data_type": "r99999999"}),
    "a transformer": ("mean_nRMSE", {"storage_transformers": [{"name": "indirect"}]}),
    "a name that leads out": ("../../x", {"node_type": "array", "shape": [1]}),
}


ATTRIBUTES = {
    "coordinates": [None, 7, ["time"], {}],
    "units": [None, 7, "days since 0", "seconds since 2000-99-99", {}],
    "scale_factor": [None, "x", [], {}],
    "add_offset": [None, "x", {}],
    "_FillValue": [None, "x", {}, [1, 2]],
    "missing_value": [None, "x", {}],
    "dtype": [None, "x", "datetime64[ns]", {}],
    "calendar": [None, 7, "no such"],
    "_Unsigned": [None, 7, "true"],
    "grid_mapping": [None, 7, {}],
    "bounds": [None, 7, "time"],
    "_ARRAY_DIMENSIONS": [None, 7, ["x"]],
}
"""Attributes by which xarray makes other things of what is stored."""


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes_of_a_stranger_are_read_or_refused(unit, name):
    for array in ("mean_nRMSE", "time"):
        held = entry_of(unit, array)["attributes"]
        for value in ATTRIBUTES[name]:
            change(unit, array, attributes={**held, name: value})
            try:
                read_everything(unit)
            except StoreError as error:
                assert str(unit) in str(error)
            else:  # none makes other numbers of those that are stored
                found = store.open_experiment(unit)[array]
                np.testing.assert_array_equal(found.values, DS[array].values)


@pytest.mark.parametrize(
    "fields",
    [
        {"dimension_names": ""},
        {"dimension_names": False},
        {"chunk_key_encoding": {"name": "default", "configuration": {"separator": None}}},
    ],
)
def test_metadata_of_weights_that_zarr_cannot_take(unit, fields):
    change(unit, "weights/w", **fields)
    with pytest.raises(StoreError, match="not readable"):
        store.read_weights(unit)


@pytest.mark.parametrize("name", DECLARED)
def test_metadata_that_ask_for_too_much(unit, name, bounded):
    array, fields = DECLARED[name]
    if ".." in array:
        fields = {**entry_of(unit, "mean_nRMSE"), **fields, "chunk_grid": grid(1)}
        path = unit / "data.zarr" / "zarr.json"
        data = json.loads(path.read_text())
        data["consolidated_metadata"]["metadata"][array] = fields
        path.write_text(json.dumps(data))
        signed(unit)
    else:
        change(unit, array, **fields)
    with pytest.raises(StoreError):
        read_everything(unit)


def entry_of(unit, name):
    path = unit / "data.zarr" / "zarr.json"
    return json.loads(path.read_text())["consolidated_metadata"]["metadata"][name]


def test_a_coordinate_that_is_loaded_though_it_has_two_dimensions(unit, bounded):
    path = unit / "data.zarr" / "zarr.json"
    data = json.loads(path.read_text())
    data["attributes"]["coordinates"] = "mean_nRMSE"
    nodes = data["consolidated_metadata"]["metadata"]
    nodes["mean_nRMSE"] |= {"shape": [10**5, 10**4], "chunk_grid": grid(1000, 1000)}
    path.write_text(json.dumps(data))
    signed(unit)
    with pytest.raises(StoreError, match="coordinate of 4 GB"):
        store.open_experiment(unit)


@pytest.fixture(params=["sized", "unsized", "other frame", "blosc", "not blosc"])
def bomb(request):
    """Return a few kB that expand to 150 MB."""
    form = request.param
    bomb = numcodecs.Zstd().encode(bytes(150 * 2**20))
    if form.endswith("blosc"):
        bomb = numcodecs.Blosc("zstd", 9).encode(bytes(150 * 2**20))
        bomb = bomb if form == "blosc" else b"\3" + bomb[1:]
    if form == "unsized":  # a frame that does not say how much it holds
        bomb = bomb[:4] + bytes([0x00, 0x58]) + bomb[6 + bomb[4] // 64 * 2 :]
    if form == "other frame":
        bomb = b"\x50\x2a\x4d\x18\x00\x00\x00\x00" + bomb
    return bomb


def test_a_chunk_that_expands(unit, bomb, bounded):
    chunk = unit / "data.zarr" / "mean_nRMSE" / "c.0.0"
    chunk.write_bytes(bomb + b"\0\0\0\0")
    signed(unit)
    with pytest.raises(StoreError, match=r"mean_nRMSE/c.0.0: expands to"):
        store.open_experiment(unit).mean_nRMSE.load()


def frames():
    """Return the right chunk of an array in one frame of Zstandard, and 150 MB in another."""
    values = np.arange(DS.mean_nRMSE.size, dtype="f4")
    return numcodecs.Zstd().encode(values), numcodecs.Zstd().encode(bytes(150 * 2**20))


SEVERAL = {
    "a frame more": lambda right, large: right + large,
    "the large one first": lambda right, large: large + right,
    "the same twice": lambda right, large: right + right,
    "packed once more": lambda right, large: numcodecs.Zstd().encode(right),
    "the large one packed once more": lambda right, large: numcodecs.Zstd().encode(large),
    "a frame that nobody reads": lambda right, large: (
        right + b"\x50\x2a\x4d\x18" + (2**31).to_bytes(4, "little")
    ),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_frames_and_frames_within_frames(unit, name, bounded):
    change(unit, "mean_nRMSE", codecs=[*CODECS, ZSTD, {"name": "crc32c"}])
    chunk = unit / "data.zarr" / "mean_nRMSE" / "c.0.0"
    right, large = frames()
    chunk.write_bytes(right + b"\0\0\0\0")
    signed(unit)
    np.testing.assert_array_equal(
        store.open_experiment(unit).mean_nRMSE.values.ravel(), np.arange(DS.mean_nRMSE.size)
    )
    chunk.write_bytes(SEVERAL[name](right, large) + b"\0\0\0\0")
    signed(unit)
    with pytest.raises(StoreError, match=r"mean_nRMSE/c.0.0: (expands to|not readable)"):
        store.open_experiment(unit).mean_nRMSE.load()


FALSE = {
    "150 MB": lambda count: PCodec().encode(np.zeros(150 * 2**18, "f4")),
    "too few": lambda count: PCodec().encode(np.zeros(count - 1, "f4")),
    "nothing": lambda count: b"",
    "half": lambda count: PCodec().encode(np.arange(count, dtype="f4"))[:-20],
    "another type": lambda count: PCodec().encode(np.zeros(count, "i8")),
    "another codec": lambda count: numcodecs.Blosc().encode(np.zeros(count, "f4")),
    "no end of chunks": lambda count: PCodec().encode(np.zeros(count, "f4"))[:-1] * 1000,
}


@pytest.fixture(params=FALSE)
def false(request):
    return FALSE[request.param](DS.nRMSE.size)


@pytest.fixture
def compact(tmp_path):
    """Return a unit whose errors are packed along time."""
    store.create_study(tmp_path)
    unit = store.unit_path(tmp_path, ID)
    return store.publish_experiment(DS, {"w": np.ones(3)}, unit, compact=True)


def test_chunks_packed_along_time_that_hold_something_else(compact, false, bounded):
    unit = compact
    (unit / "data.zarr" / "nRMSE" / "c.0.0.0").write_bytes(false + b"\0\0\0\0")
    signed(unit)
    with pytest.raises(
        StoreError, match=r"nRMSE/c.0.0.0: (holds more or fewer|not float32 packed)"
    ):
        store.open_experiment(unit).nRMSE.load()


@pytest.fixture
def packed(unit):
    """Return a packed unit whose manifest expands to 100 MB."""
    store.pack(unit)
    packed = unit.with_name(unit.name + ".zip")
    packed.unlink()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * 100 * 2**20)
    return packed


def test_a_zip_bomb(unit, packed, bounded):
    with pytest.raises(StoreError, match="compressed"):
        read_everything(unit)
    packed.write_bytes(b"PK")
    with pytest.raises(StoreError, match="not readable"):
        read_everything(unit)


def test_a_packed_file_that_leads_out(unit, bounded):
    store.pack(unit)
    packed = unit.with_name(unit.name + ".zip")
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("../../../evil", b"x")
    with pytest.raises(StoreError, match="not in the manifest"):
        read_everything(unit)


def test_a_packed_file_of_very_many_entries(unit, bounded):
    store.pack(unit)
    packed = unit.with_name(unit.name + ".zip")
    count = 10**6
    entry = b"PK\1\2" + bytes(24) + (1).to_bytes(2, "little") + bytes(16) + b"a"
    end = b"PK\5\6" + bytes(4) + b"\xff\xff" * 2
    packed.write_bytes(entry * count + end + (len(entry) * count).to_bytes(4, "little") + bytes(6))
    with pytest.raises(StoreError, match="too long"):
        read_everything(unit)


def test_a_manifest_of_very_many_files(unit, bounded_memory):
    one = '"data.zarr/nRMSE/c.%06d": {"size": 1, "blake2b": ""}'
    with (unit / "manifest.json").open("w") as file:
        file.write('{"format": "apexr-experiment", "schema_version": 1, "files": {')
        file.writelines(f"{one % number},\n" for number in range(10**6))
        file.write(f"{one % 10**6}}}}}")
    with pytest.raises(StoreError, match="no part of a store"):
        read_everything(unit)


def rewritten(unit, **fields):
    manifest = json.loads((unit / "manifest.json").read_text()) | fields
    manifest.pop("digest")
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    manifest["digest"] = digest(text.encode())
    (unit / "manifest.json").write_text(json.dumps(manifest))


FILES = {
    "a file outside": {"../../study.json": {"size": 62, "blake2b": "0" * 64}},
    "an absolute path": {"/etc/passwd": {"size": 1, "blake2b": "0" * 64}},
    "no size": {"data.zarr/zarr.json": {"blake2b": "0" * 64}},
    "no dictionary": ["data.zarr/zarr.json"],
}


@pytest.mark.parametrize("name", FILES)
def test_manifests_that_list_what_is_not_theirs(unit, name, bounded):
    rewritten(unit, files=FILES[name])
    with pytest.raises(StoreError, match="refused"):
        read_everything(unit)
    with pytest.raises(StoreError):
        store.verify(unit)


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero", "."])
def test_links(unit, target, bounded):
    chunk = unit / "data.zarr" / "mean_nRMSE" / "c.0.0"
    chunk.unlink()
    chunk.symlink_to(target)
    with pytest.raises(StoreError, match="symbolic links"):
        read_everything(unit)


def test_a_pipe(unit, bounded):
    chunk = unit / "data.zarr" / "mean_nRMSE" / "c.0.0"
    chunk.unlink()
    os.mkfifo(chunk)
    with pytest.raises(StoreError, match="neither a file nor a folder"):
        read_everything(unit)


@pytest.mark.parametrize("text", ["[" * 10**6, "{}", "[]", "\0", '{"format": NaN}', "1" * 10**6])
def test_json_that_is_none(unit, text, bounded):
    for path in (unit / "manifest.json", unit.parent.parent / "study.json"):
        path.write_text(text)
    with pytest.raises(StoreError):
        read_everything(unit)
    with pytest.raises(StoreError):
        store.open_study(unit.parent.parent)


def test_json_without_end(unit, bounded):
    with (unit / "manifest.json").open("wb") as file:
        file.truncate(10**10)
    with pytest.raises(StoreError, match="no part of a store"):
        read_everything(unit)


@pytest.mark.parametrize("name", ["A" * 32, "a" * 31, "a" * 33, ".hidden", "x\ny", "ünïcødé"])
def test_names_that_are_no_ids(unit, name, bounded):
    (unit.parent / name).mkdir()
    with pytest.raises(StoreError, match="32 hexadecimal digits"):
        store.open_study(unit.parent.parent)


def test_a_large_store_reads_only_what_is_asked_for(unit, bounded):
    shape = [1000, 1000, 25_000]
    change(unit, "nRMSE", shape=shape, chunk_grid=grid(100, 100, 1000))
    (unit / "data.zarr/nRMSE/c.0.0.0").unlink()
    for dim, size in zip(("seed", "test_sample", "time"), shape, strict=True):
        change(unit, dim, shape=[size], chunk_grid=grid(size))
        (unit / "data.zarr" / dim / "c.0").unlink()
    signed(unit)
    keep = ["nRMSE", "seed", "test_sample", "time"]
    path = unit / "data.zarr" / "zarr.json"
    data = json.loads(path.read_text())
    nodes = data["consolidated_metadata"]["metadata"]
    data["consolidated_metadata"]["metadata"] = {name: nodes[name] for name in keep}
    path.write_text(json.dumps(data))
    signed(unit)
    ds = store.open_experiment(unit)
    assert ds.nRMSE.nbytes == 10**11
    assert ds.nRMSE[3, 4, :10].load().shape == (10,)
