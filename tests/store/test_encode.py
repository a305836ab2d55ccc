"""The files of a result are those that xarray and Zarr make, byte for byte where they are data."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from apexr.errors import StoreError
from apexr.schema import chunk_shape
from apexr.store import _encode, _zarr
from apexr.store._zarr import encoded_by_zarr
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


def test_what_xarray_stores_in_its_own_form_is_left_to_it():
    assert_same_files(mock_experiment().assign(flags=("seed", [True, False, True])))
    assert_same_files(mock_experiment(), {"gates": np.array([True]), "factor": np.array(2.0)})
    assert_same_files(mock_experiment(), {"modes": np.array([1 + 2j])})
    assert_same_files(mock_experiment(), {"up/weight": np.zeros(2), "up/bias": np.ones(1)})


@pytest.mark.parametrize("name", ["../up", "", "a//b"])
def test_names_that_lead_elsewhere_are_refused(name):
    with pytest.raises(StoreError, match="weights: cannot store"):
        _encode.encoded(mock_experiment(), {name: np.zeros(2)})
