"""Tasks, objectives and optimizers by string, from the call to the stored result."""

import json

import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES
from apexr.experiment import _execute
from apexr.objectives import OBJECTIVES
from apexr.training import NEVER

COMMON = {"net": NET, "progress": False, **SIZES}
EXAMPLES = {
    "one": "one",
    "sup": "sup;2",
    "div": "div;2;true;true",
    "chain": "chain;3;2",
    "mix": "mix;1;2",
    "residuum": "residuum;2",
    "loss": "loss;nMAE;div;2",
    "weights": "weights;1,0.5;sup;2",
    "cut": "cut;2;sup;3",
    "composite": "composite;1,0.1;one|div;3",
    "noise": "noise;0.1;div;2",
    "push": "push;2",
    "curriculum": "curriculum;1@0,2@3;sup;2",
}


def test_every_objective_is_tried():
    assert set(EXAMPLES) == set(OBJECTIVES.names())


@pytest.mark.parametrize("train", EXAMPLES.values(), ids=EXAMPLES)
def test_every_objective_trains_a_corrected_solver(train):
    result = apexr.run("diff_burgers", task="correct;sequential", train=train, **COMMON)
    assert result["train"].item() == str(OBJECTIVES.parse(train))  # however it was typed
    assert result["task"].item() == "correct;sequential"
    assert result.train_loss.shape == (1, 2)
    assert np.isfinite(result.train_loss).all()
    assert np.isfinite(result.mean_nRMSE).all()
    assert json.loads(result.attrs["specification"])["train"] == str(OBJECTIVES.parse(train))


def test_a_corrected_solver_comes_back_from_its_store(tmp_path):
    strings = {
        "task": "correct;parallel",
        "train": "div;2",
        "optim_config": "clip;1.0;adamw;6;cosine;1e-3",
        "num_seeds": 2,
    }
    store = tmp_path / "corrected.zarr"
    result = apexr.run("diff_burgers", **{**COMMON, **strings}, store=store)
    networks = apexr.load_networks(store)
    state = result.initial_state.isel(sample=0).values
    for index in range(2):
        stepped = apexr.engine.select_seed(networks, index)(state)
        wanted = result.sample_rollout.isel(seed=index, sample=0, time=0)
        np.testing.assert_allclose(stepped, wanted, atol=1e-5)
    scenario = apexr.difficulty.Burgers(**SIZES)
    assert int(result.num_parameters) == scenario.get_parameter_count(NET)


def test_one_seed_that_diverges_does_not_stop_the_others(monkeypatch):
    """Its first weights are made infinite; the rest is what it would have been."""
    calm = apexr.run("diff_adv", train="div;2", **COMMON, num_seeds=3)
    draw = _execute.draw_emulators

    def spoilt(seeds, plan):
        emulators, keys = draw(seeds, plan)
        import equinox as eqx

        weight = emulators.layers[0].weight.at[1].set(np.inf)
        return eqx.tree_at(lambda net: net.layers[0].weight, emulators, weight), keys

    monkeypatch.setattr(_execute, "draw_emulators", spoilt)
    with pytest.warns(apexr.errors.ApexrWarning, match="1 of 3 seeds diverged"):
        result = apexr.run("diff_adv", train="div;2", **COMMON, num_seeds=3)
    assert result.diverged_at.values.tolist() == [NEVER, 0, NEVER]
    others = {"seed": [0, 2]}
    for name in ("train_loss", "mean_nRMSE"):
        np.testing.assert_allclose(result[name].isel(others), calm[name].isel(others), rtol=1e-6)
        assert not np.isfinite(result[name].isel(seed=1)).any()


def test_full_loss_makes_reference_steps():
    scenario = apexr.difficulty.Burgers(**SIZES)
    solver = scenario.get_ref_stepper()
    assert scenario.full_loss(solver, train_config="div;3") == pytest.approx(0, abs=1e-10)
    coarse = scenario.full_loss(scenario.get_coarse_stepper(), train_config="div;3")
    assert coarse > 1e-6
