"""The files of a result are those that xarray and Zarr make, byte for byte where they are data."""

import json
import warnings

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import MemoryStore

from apexr.errors import StoreError
from apexr.schema import chunk_shape
from apexr.store.unit import _encode, _zarr
from apexr.store.unit._zarr import encoded_by_zarr
from apexr.testing import mock_experiment

NUMBERS = ["<f4", "<f8", "<i4", "<i8", "<u1"]


@pytest.fixture
def no_help(monkeypatch):
    """Let nothing be left to Zarr."""
    monkeypatch.setattr(_encode, "encoded_by_zarr", None)


def assert_same_files(ds, weights=None):
    own, expected = _encode.encoded(ds, weights), encoded_by_zarr(ds, weights)
    assert list(own) == list(expected)
    for name, content in own.items():
        if name.endswith("zarr.json"):
            assert json.loads(content) == json.loads(expected[name]), name
        else:
            assert content == expected[name], name


@pytest.mark.usefixtures("no_help")
@pytest.mark.parametrize(
    "form",
    [
        {},
        {"num_spatial_dims": 2, "num_points": 6, "num_channels": 2, "diverged": [1]},
        {"num_spatial_dims": 3, "num_points": 3, "metrics": ("mean_nRMSE", "mean_MAE")},
    ],
    ids=["1d", "2d", "3d"],
)
def test_results(form):
    weights = {
        "layers.0.weight": np.arange(12.0, dtype=np.float32).reshape(3, 2, 2),
        "layers.0.bias": np.array([np.nan, -0.0]),
        "steps": np.arange(3),
    }
    assert_same_files(mock_experiment(**form), weights)
    assert_same_files(mock_experiment(**form), {})
    assert_same_files(mock_experiment(**form))


@settings(deadline=None, max_examples=30, derandomize=True, database=None)
@given(
    st.sampled_from(NUMBERS).flatmap(
        lambda dtype: arrays(dtype, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    ),
    st.lists(st.text(max_size=5), min_size=1, max_size=3),
)
def test_any_values(values, texts):
    ds = xr.Dataset(
        {"values": ([f"axis_{n}" for n in range(values.ndim)], values)},
        {"net": texts[0], "words": ("word", np.array(texts, dtype=object))},
        attrs={"count": np.int64(3), "extent": np.array([1.0, 2.0]), "name": "ä"},
    )
    assert_same_files(ds)


@pytest.mark.usefixtures("no_help")
def test_arrays_of_several_chunks(monkeypatch):
    def limited(dims, shape, itemsize):
        return chunk_shape(dims, shape, itemsize, 200)

    monkeypatch.setattr(_encode, "chunk_shape", limited)
    monkeypatch.setattr(_zarr, "chunk_shape", limited)
    assert_same_files(mock_experiment(), {"w": np.arange(300.0).reshape(10, 30)})


def read_by_zarr(files):
    """Return the variables as Zarr decodes them, with codecs of its own."""
    make = default_buffer_prototype().buffer.from_bytes
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Numcodecs codecs are not in the Zarr")
        group = zarr.open_group(MemoryStore({k: make(v) for k, v in files.items()}), mode="r")
        return {name: array[...] for name, array in group.arrays()}


@pytest.mark.usefixtures("no_help")
@pytest.mark.parametrize("limit", [200, 2**24], ids=["many chunks", "one"])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8"])
def test_what_is_smooth_in_time_comes_back_bit_for_bit(dtype, limit, monkeypatch):
    def limited(dims, shape, itemsize):
        return chunk_shape(dims, shape, itemsize, limit)

    monkeypatch.setattr(_encode, "chunk_shape", limited)
    ds = mock_experiment(num_spatial_dims=2, num_points=6, diverged=[1]).astype(dtype)
    ds["nRMSE"][1, 0] = np.frombuffer(np.random.default_rng(0).bytes(8 * ds.sizes["time"]), dtype)[
        : ds.sizes["time"]
    ]
    files = _encode.encoded(ds, dense=True)
    packed = {name for name in ds.data_vars if b"pcodec" in files[f"{name}/zarr.json"]}
    assert packed == {"sample_rollout", "sample_reference", "nRMSE"}
    read = read_by_zarr(files)
    for name in packed:
        assert (
            read[name].tobytes()
            == ds[name].values.astype(ds[name].dtype.newbyteorder("<")).tobytes()
        )


def test_trajectories_take_a_fifth_less():
    ds = mock_experiment(num_times=200, num_points=40)
    dims = ("sample", "time", "channel", "x")
    moved = 2 * np.pi * (ds.x - 0.0022 * ds.time)
    waves = np.exp(-0.003 * ds.time) * (np.sin(moved) + 0.3 * np.cos(3 * moved))
    waves = waves.expand_dims(("sample", "channel"))
    ds["sample_reference"][:] = waves.transpose(*dims)
    name = "sample_reference/c.0.0.0.0"
    sizes = [len(_encode.encoded(ds, dense=dense)[name]) for dense in (False, True)]
    assert sizes[1] < 0.8 * sizes[0]


def test_what_xarray_stores_in_its_own_form_is_left_to_it():
    assert_same_files(mock_experiment().assign(flags=("seed", [True, False, True])))
    assert_same_files(mock_experiment(), {"gates": np.array([True]), "factor": np.array(2.0)})
    assert_same_files(mock_experiment(), {"modes": np.array([1 + 2j])})
    assert_same_files(mock_experiment(), {"up/weight": np.zeros(2), "up/bias": np.ones(1)})


@pytest.mark.parametrize("name", ["../up", "", "a//b"])
def test_names_that_lead_elsewhere_are_refused(name):
    with pytest.raises(StoreError, match="weights: cannot store"):
        _encode.encoded(mock_experiment(), {name: np.zeros(2)})
