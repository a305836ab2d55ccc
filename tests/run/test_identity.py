"""The same experiment has the same id and the same labels, however it is spelled."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import apexr
from _tiny import SIZES
from apexr._digest import experiment_id
from apexr.errors import ApexrWarning, StoreError
from apexr.scenarios import Request, difficulty, plan, resolve
from apexr.study import plan_study, preview

SMALL = {
    "num_points": 16,
    "num_train_samples": 3,
    "train_temporal_horizon": 4,
    "num_test_samples": 3,
    "test_temporal_horizon": 5,
    "batch_size": 4,
    "record_loss_every": 3,
    "optim_config": "adam;6;constant;1e-3",
}
KNOWN = [
    ("diff_adv", {}, {}, "6623857527bc4cd5a5e0e06d627ed583", "b0ebb3dc13a61451216c41b8656ef6d0"),
    (
        "diff_adv",
        SMALL,
        {"net": "Conv;2;1;tanh"},
        "bec7e4dcbd40eadf6dcc07c97f346231",
        "94ed6f4aba76ea547e43712379beff6d",
    ),
    (
        "diff_burgers",
        {"optim_config": "adam;10_000;warmup_cosine;0.0;1e-3;2_000", "num_points": 48},
        {"net": "Res;4;2;ReLU", "train": "sup;3;true", "num_seeds": 3},
        "ed8983531977119dd053ecba2a5d4d58",
        "fec3859488e42a5134d8c8a0ed64f9e7",
    ),
    (
        "phy_kdv",
        {"dt": 0.002, "vlim": (-2, 2)},
        {"net": "FNO;4;4;2;gelu", "task": "correct;parallel", "train": "div;2", "start_seed": 4},
        "587d0e012d5ede04aa32c537ff35f584",
        "900b845454d77af782735f0156c3fe01",
    ),
    (
        "norm_ks",
        {"report_metrics": "mean_nRMSE,mean_correlation", "callbacks": "net;100"},
        {"net": "UNet;4;2;relu"},
        "62416a4a5010097745d78836d93d6179",
        "ede7c2f5464e07475be192b241837b8a",
    ),
    (
        "diff_burgers",
        {"num_spatial_dims": 2, "num_points": 16},
        {"net": "MoRes;4;1;tanh"},
        "2f745dbed215a277a3bc439a73c47d1a",
        "a482e216a2e5e1e090cf85f5315e71d9",
    ),
]
"""What release 0.1 called these: with their seeds, and whatever the seeds."""

FIRST = {"advection_gamma": -2.0, "num_points": 16}
BATCH = {"batch_size": 5}
SAME = {
    "case of names": (
        ({}, {"net": "conv;2;1;ReLU"}),
        ({}, {"net": "Conv;2;1;relu"}),
        ({}, {"net": "CONV;2;1;RELU"}),
    ),
    "defaults spelled out": (
        ({}, {}),
        ({"vlim": (-1, 1)}, {}),
        ({"vlim": [-1.0, 1.0], "num_points": 160, "callbacks": ""}, {"train": "ONE"}),
        ({"advection_gamma": -4, "batch_size": 20}, {"task": "predict"}),
        ({"adv_difficulty": 4.0}, {}),
    ),
    "numbers": (
        (FIRST, {}),
        ({"advection_gamma": -2, "num_points": 16}, {}),
        ({"advection_gamma": np.float64(-2), "num_points": np.int64(16)}, {}),
        ({"advection_gamma": np.array(-2.0), "num_points": np.array(16)}, {}),
        ({"advection_gamma": jnp.asarray(-2.0), "num_points": jnp.asarray(16)}, {}),
        ({"adv_difficulty": jnp.asarray(2.0), "num_points": 16}, {"start_seed": np.int64(0)}),
        (FIRST, {"start_seed": jnp.asarray(0), "num_seeds": jnp.asarray(1)}),
    ),
    "lists": (
        ({"vlim": (-2.0, 2.0)}, {}),
        ({"vlim": [-2, 2]}, {}),
        ({"vlim": np.array([-2, 2])}, {}),
        ({"vlim": jnp.array([-2.0, 2.0])}, {}),
    ),
    "numbers in strings": (
        (BATCH, {"train": "weights;0.001,1;mix;1;1"}),
        (BATCH, {"train": "weights;1e-3,1.0;mix;1;1"}),
        (BATCH, {"train": "Weights;1E-3,1;mix;1;1"}),
    ),
    "arguments left out": (({}, {"train": "sup;3"}), ({}, {"train": "sup;3;false"})),
}


def planned(key, parameters, request):
    scenario = resolve(key, parameters)
    return plan(scenario, Request(**request))


def ids(experiment):
    told = json.loads(experiment.attrs["specification"])
    return experiment.attrs["experiment_id"], experiment_id(told)


@pytest.mark.parametrize(("key", "parameters", "request_", "first", "second"), KNOWN)
def test_ids_are_those_of_earlier_releases(key, parameters, request_, first, second):
    assert ids(planned(key, parameters, request_)) == (first, second)


@pytest.mark.parametrize("kind", SAME)
def test_the_same_experiment_has_the_same_id_and_labels(kind):
    made = [planned("diff_adv", *given) for given in SAME[kind]]
    made += [plan(difficulty.Advection(**p), Request(**request)) for p, request in SAME[kind]]
    first, *others = made
    for other in others:
        assert ids(other) == ids(first)
        assert dict(other.config) == dict(first.config)


def test_what_differs_has_other_ids_and_labels():
    made = [planned("diff_adv", *forms[0]) for forms in SAME.values()]
    assert len({ids(one) for one in made}) == len(SAME)
    assert len({json.dumps(dict(one.config), sort_keys=True) for one in made}) == len(SAME)


def test_labels_are_the_canonical_form():
    given = {"vlim": (-1, 1), "advection_gamma": -2, "num_points": np.int32(16)}
    one = planned("diff_adv", given, {"net": "conv;2;1;ReLU", "train": "sup;3;false"})
    assert dict(one.config) == {
        "scenario": "1d_diff_adv",
        "task": "predict",
        "net": "Conv;2;1;relu",
        "train": "sup;3",
        "scenario_kwargs": '{"advection_gamma": -2.0, "num_points": 16}',
    }


SPELT = ("adam;200;constant;1e-3", "adam;200;constant;0.001", "Adam;200;Constant;1.0E-3")


def test_spellings_of_a_config_string_have_one_label_and_the_ids_that_they_had():
    made = [planned("diff_adv", {"optim_config": text}, {}) for text in SPELT]
    assert {one.config["scenario_kwargs"] for one in made} == {
        '{"optim_config": "adam;200;constant;0.001"}'
    }
    told = [json.loads(one.attrs["specification"])["parameters"]["optim_config"] for one in made]
    assert told == list(SPELT)
    assert len({ids(one)[0] for one in made}) == len(SPELT)


def test_defaults_that_are_spelled_out_are_not_labeled():
    spelled = {
        "optim_config": "adam;10000;warmup_cosine;0.0;0.001;2000",
        "ic_config": "Fourier;5;True;TRUE",
        "vlim": [-1, 1],
    }
    one, usual = planned("diff_adv", spelled, {}), planned("diff_adv", {}, {})
    assert dict(one.config) == dict(usual.config)


def test_a_study_takes_spellings_as_one_experiment():
    grid = [
        {"scenario": "diff_adv", "optim_config": text, "start_seed": seed}
        for seed, text in enumerate(SPELT)
    ]
    (one,) = plan_study(grid)
    assert one.seeds == (0, 1, 2)
    assert one.id == plan_study(grid[:1])[0].id
    with pytest.warns(ApexrWarning, match="asked for more than once"):
        plan_study([{**grid[0], "start_seed": 0}, {**grid[1], "start_seed": 0}])


def test_a_stored_experiment_is_found_under_another_spelling(tmp_path):
    given = {**SIZES, "net": "Pure;3", "store": tmp_path / "one.zarr", "progress": False}
    first, second = (apexr.run("diff_adv", **{**given, "optim_config": t}) for t in SPELT[:2])
    assert second.identical(first)  # the seconds that it took included
    with pytest.raises(StoreError, match="holds another experiment"):
        apexr.run("diff_adv", **{**given, "optim_config": "adam;200;constant;0.002"})


def test_a_study_takes_what_is_stored_under_another_spelling(tmp_path):
    given = {"scenario": "diff_adv", "net": "Pure;3", **SIZES}
    store = tmp_path / "study.zarr"
    first = apexr.run_study([{**given, "optim_config": SPELT[0]}], store, progress=False).load()
    second = {**given, "optim_config": SPELT[1], "ic_config": "Fourier;5;True;TRUE"}
    assert preview(plan_study([second]), store).pending == 0
    again = apexr.run_study([second], store, progress=False)
    assert again.load().identical(first)  # the seconds that it took included
    more = apexr.run_study([{**second, "num_seeds": 2}], store, progress=False)
    assert more.sizes["experiment"] == 1
    assert more.sizes["seed"] == 2
    other = apexr.run_study([{**second, "optim_config": "adam;5;constant;0.002"}], store)
    assert other.sizes["experiment"] == 2
