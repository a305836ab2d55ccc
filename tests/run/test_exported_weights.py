"""Weights leave as safetensors and come back as networks, for every network and task."""

import sys

import jax
import numpy as np
import pytest

import apexr
from _tiny import SIZES
from apexr.engine import named_weights, skeleton, with_weights
from apexr.errors import MissingExtraError, SpecError, StoreError
from apexr.networks import NETWORKS
from apexr.scenarios import emulator_plan

CONFIGS = {
    "Conv": "Conv;2;1;tanh",
    "Res": "Res;2;1;tanh",
    "UNet": "UNet;2;1;tanh",
    "Dil": "Dil;2;2;1;tanh",
    "FNO": "FNO;2;2;1;tanh",
    "MLP": "MLP;2;1;tanh",
    "Pure": "Pure;3",
    "MoRes": "MoRes;2;1;tanh",
    "MoUNet": "MoUNet;2;1;tanh",
    "CNeXt": "CNeXt;2;1;1",
    "FFNO": "FFNO;2;2;1;2",
    "LocalNO": "LocalNO;4;2;1",
    "TFNO": "TFNO;4;2;1",
    "Trans": "Trans;4;2;1",
    "UNO": "UNO;3;2;1",
    "UNetMod": "UNetMod;8;1,2;1",
    "AViT": "AViT;48;2;1;4",
    "delta": "delta;Pure;3",
    "norm": "norm;zscore;Pure;3",
    "history": "history;1;Pure;3",
    "bundle": "bundle;1;Pure;3",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "adv.zarr"
    task = {"task": "correct;parallel", "num_seeds": 2, "progress": False}
    apexr.run("diff_burgers", net="FNO;2;2;1;tanh", **task, **SIZES, store=path)
    return path


@pytest.mark.quick
@pytest.mark.parametrize("name", NETWORKS.names())
@pytest.mark.parametrize("task", ["predict", "correct;sequential"])
def test_every_network_is_rebuilt_from_named_arrays(name, task):
    dims = 2 if name == "AViT" else 1
    scenario = apexr.difficulty.Burgers(num_spatial_dims=dims, **SIZES)
    plan = emulator_plan(scenario, task, CONFIGS[name])
    empty = skeleton(plan)
    rng = np.random.default_rng(1)
    drawn = jax.tree.map(
        lambda leaf: (
            jax.numpy.asarray(rng.normal(size=leaf.shape).astype("f4"))
            if isinstance(leaf, jax.ShapeDtypeStruct)
            else leaf
        ),
        empty,
    )
    arrays = named_weights(drawn)
    assert arrays
    rebuilt = with_weights(empty, arrays)
    for key, array in named_weights(rebuilt).items():
        np.testing.assert_array_equal(array, arrays[key])
    state = np.ones((plan.num_channels, *(16,) * dims), "f4")
    assert rebuilt(state).shape == state.shape


def test_round_trip(store, tmp_path):
    pytest.importorskip("safetensors")
    path = apexr.store.export_safetensors(store, tmp_path / "deep" / "adv.safetensors")
    arrays, told = apexr.store.read_safetensors(path)
    for name, array in apexr.store.read_weights(store).items():
        np.testing.assert_array_equal(arrays[name], array)
    assert told["net"] == "FNO;2;2;1;tanh"
    assert told["seeds"] == "[0, 1]"
    first, second = apexr.load_networks(store), apexr.load_networks(path)
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)


def test_bad_files(store, tmp_path):
    pytest.importorskip("safetensors")
    with pytest.raises(SpecError, match=r"must end in \.safetensors"):
        apexr.store.export_safetensors(store, tmp_path / "adv.npz")
    with pytest.raises(StoreError, match="not a finished apexr experiment"):
        apexr.store.export_safetensors(tmp_path / "none.zarr", tmp_path / "adv.safetensors")
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(b"\x10\x00\x00")
    for path in (torn, tmp_path / "none.safetensors"):
        with pytest.raises(StoreError, match="cannot be read"):
            apexr.load_networks(path)


def test_the_missing_extra_is_named(store, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(MissingExtraError, match=r'pip install "apexr\[safetensors\]"'):
        apexr.store.export_safetensors(store, tmp_path / "adv.safetensors")
