"""Programs of an experiment: each compiled once, none for a single operation or for weights."""

from collections import Counter

import pytest

import apexr
from _tiny import SIZES
from apexr.experiment._kept import Kept

ONCE = ("_begin_all", "on_device", "_roll_out", "_sample_block")
TWICE = ("_trajectories",)  # for training and for testing
TRIFLES = {"probe", "_identity", "_barrier_in_a_loop", "_threefry_seed", "stage"}


def _named(compiled):
    return Counter(name.removeprefix("jit(").removesuffix(")") for name in compiled)


@pytest.mark.parametrize(
    "chosen",
    [
        {"net": "UNet;4;1;relu", "num_seeds": 2},
        {"net": "Conv;4;1;relu", "num_seeds": 1},
        {"net": "Conv;4;1;relu", "num_seeds": 2, "task": "correct;sequential"},
        {"net": "FNO;4;4;1;gelu", "num_seeds": 2, "train": "div;2"},
        {"net": "Res;4;1;relu", "num_seeds": 2, "precision": "float64"},
    ],
    ids=lambda chosen: f"{chosen['net']}-{chosen['num_seeds']}",
)
def test_an_experiment_compiles_each_program_once(compiled, chosen, monkeypatch):
    monkeypatch.setattr("apexr.experiment._data._KEPT", Kept(0, int))
    apexr.run("diff_burgers", **{**SIZES, "num_test_samples": 2}, **chosen, progress=False)
    found = _named(compiled)
    assert {name: found[name] for name in ONCE} == dict.fromkeys(ONCE, 1)
    assert {name: found[name] for name in TWICE} == dict.fromkeys(TWICE, 2)
    assert found.pop("_made_of", 0) == chosen["net"].startswith("FNO")  # draws that NumPy leaves
    assert set(found) <= {*ONCE, *TWICE, *TRIFLES}


def test_a_second_experiment_of_the_same_shapes_compiles_nothing(compiled):
    for seed in (0, 5):
        before = len(compiled)
        apexr.run("diff_burgers", **SIZES, net="Conv;4;1;relu", start_seed=seed, progress=False)
    assert compiled[before:] == []
