"""Networks of a stranger: too deep, too large, or not those of their experiment."""

import json

import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES
from apexr import store
from apexr._files._durable import json_bytes
from apexr._run import plan_experiment
from apexr.engine import named_shapes, skeleton
from apexr.errors import ApexrError, StoreError
from apexr.scenarios import Request, emulator_plan
from apexr.store.unit._manifest import entries_below, make_manifest
from apexr.testing import mock_experiment

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def planned():
    """Return a result of a real experiment that was never trained, and its weights."""
    request = Request("predict", NET, "one", 0, 1, None)
    scenario, experiment = plan_experiment("diff_adv", request, dict(SIZES))
    shapes = named_shapes(skeleton(emulator_plan(scenario, "predict", NET)))
    ds = mock_experiment(net=NET, num_points=16, seeds=(0,)).assign_attrs(experiment.attrs)
    return ds, {name: np.ones(shape, "f4") for name, shape in shapes.items()}


@pytest.fixture
def publish(planned, tmp_path):
    """Return the function that publishes the weights under a changed specification."""
    ds, weights = planned

    def published(change=dict, weights=weights):
        told = change(json.loads(ds.attrs["specification"]))
        changed = ds.assign_attrs(specification=json.dumps(told))
        return store.publish_experiment(changed, weights, tmp_path / "one.zarr")

    return published


def test_what_fits_is_loaded(publish):
    assert apexr.load_networks(publish())(np.ones((1, 16), "f4")).shape == (1, 16)


NETWORKS = {
    "deep": "Conv;4;100000;relu",
    "deep blocks": "Res;4;100000;relu",
    "deep dilations": "Dil;4;100000;2;relu",
    "deep levels": "UNet;4;100000;relu",
    "deep kernels": "Pure;100000",
    "many modes": "FNO;100000;8;4;gelu",
    "as deep as may be": "Conv;4;1000;relu",
    "wide": "Conv;65536;2;relu",
    "wide and deep": "MLP;65536;1000;relu",
    "wider": "Conv;1000000000;2;relu",
    "widest": f"Conv;{10**30};2;relu",
    "below nothing": "Conv;-4;2;relu",
    "a program": "os:system",
    "long": "Conv;" + "9" * 10**5,
    "nothing": "",
    "another one": "Conv;3;1;tanh",
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_that_ask_for_too_much(publish, name, bounded_memory):
    unit = publish(lambda told: told | {"net": NETWORKS[name]})
    with pytest.raises(ApexrError):
        apexr.load_networks(unit)


SPECIFICATIONS = {
    "no scenario": lambda told: {k: told[k] for k in told if k != "scenario"},
    "another scenario": lambda told: told | {"scenario": "no_such"},
    "parameters as a list": lambda told: told | {"parameters": []},
    "a grid without end": lambda told: (
        told | {"parameters": told["parameters"] | {"num_points": 10**9}}
    ),
    "a grid in ten dimensions": lambda told: (
        told | {"parameters": told["parameters"] | {"num_spatial_dims": 10}}
    ),
    "a grid of text": lambda told: told | {"parameters": told["parameters"] | {"num_points": "x"}},
    "a parameter of its own": lambda told: told | {"parameters": {"__class__": "x"}},
    "a task of its own": lambda told: told | {"task": "correct;os.system"},
    "a precision of its own": lambda told: told | {"precision": "float8"},
    "a precision as a list": lambda told: told | {"precision": []},
    "a list": lambda told: [told],
    "brackets": lambda told: json.loads("[" * 500 + "]" * 500),
}


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_specifications_that_are_none(publish, name, bounded_memory):
    with pytest.raises(ApexrError):
        apexr.load_networks(publish(SPECIFICATIONS[name]))


def first(weights):
    return min(weights, key=lambda name: (-weights[name].ndim, name))


SHAPES = {
    "one is missing": lambda held: {k: held[k] for k in held if k != first(held)},
    "one more": lambda held: held | {"layers/99/bias": np.ones(3, "f4")},
    "axes exchanged": lambda held: held | {first(held): held[first(held)].T},
    "one axis less": lambda held: held | {first(held): held[first(held)][0]},
    "as for two seeds": lambda held: {k: np.stack([held[k]] * 2) for k in held},
    "flat": lambda held: held | {first(held): held[first(held)].ravel()},
    "empty": lambda held: held | {first(held): np.ones((0, 2, 3), "f4")},
    "names alone": lambda held: {f"x{k}": held[k] for k in held},
}


@pytest.mark.parametrize("name", SHAPES)
def test_weights_of_other_shapes(publish, planned, name, bounded_memory):
    unit = publish(weights=SHAPES[name](planned[1]))
    with pytest.raises(StoreError, match="not the weights of its experiment"):
        apexr.load_networks(unit)


def declared(unit, shapes):
    """Let the metadata declare other shapes of weights, of which nothing is stored."""
    path = unit / "zarr.json"
    data = json.loads(path.read_text())
    nodes = data["consolidated_metadata"]["metadata"]
    for name, shape in shapes.items():
        chunk = [min(size, 1000) for size in shape]
        grid = {"name": "regular", "configuration": {"chunk_shape": chunk}}
        nodes[f"weights/{name}"] |= {"shape": [*shape], "chunk_grid": grid}
        for path_of_chunk in (unit / "weights" / name).glob("c*"):
            path_of_chunk.unlink()
    path.write_text(json.dumps(data))
    held = json.loads((unit / "manifest.json").read_text())
    (unit / "manifest.json").unlink()
    labels = {key: held[key] for key in ("config", "attrs", "sizes", "seeds")}
    (unit / "manifest.json").write_bytes(
        json_bytes(make_manifest(labels, entries_below(store.place(unit))))
    )


def test_a_bias_that_is_declared_and_does_not_fit(publish, planned, bounded_memory):
    unit = publish()
    bias = next(name for name in planned[1] if name.endswith("bias"))
    declared(unit, {bias: (12_000, 65_536)})
    with pytest.raises(StoreError, match="not the weights of its experiment"):
        apexr.load_networks(unit)
    with pytest.raises(StoreError, match="declares weights that it does not hold"):
        store.read_weights(unit)


def test_weights_that_fit_a_large_network_and_are_not_there(publish, bounded_memory):
    net = "Conv;8000;2;relu"
    scenario = apexr.difficulty.Advection(**SIZES)
    shapes = named_shapes(skeleton(emulator_plan(scenario, "predict", net)))
    assert sum(4 * np.prod(shape) for shape in shapes.values()) > 700 * 2**20
    weights = {name: np.ones([1] * len(shape), "f4") for name, shape in shapes.items()}
    unit = publish(lambda told: told | {"net": net}, weights)
    declared(unit, shapes)
    with pytest.raises(StoreError, match="declares weights that it does not hold"):
        apexr.load_networks(unit)
