"""What every registered config string keeps to: described, documented by its own usage."""

import dataclasses
import inspect
import re

import pytest

import apexr
from apexr.errors import UnknownNameError

KINDS = {
    "networks": apexr.networks.NETWORKS,
    "objectives": apexr.objectives.OBJECTIVES,
    "tasks": apexr.engine.TASKS,
    "optimizers": apexr.training.OPTIMIZERS,
    "schedules": apexr.training.SCHEDULES,
    "metrics": apexr.metrics.METRICS,
    "callbacks": apexr.engine.CALLBACKS,
    "initial_conditions": apexr.initial.INITIAL_CONDITIONS,
    "solvers": apexr.steppers.SOLVERS,
}
NAMES = [
    pytest.param(kind, name, id=f"{group}-{name}")
    for group, kind in KINDS.items()
    for name in kind.names()
]


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_specs_are_frozen_described_and_known_by_their_usage(kind, name):
    cls = kind.registry.get(name)
    assert dataclasses.is_dataclass(cls)
    assert cls.__dataclass_params__.frozen
    assert kind.usage(name).startswith(name)
    form, dash, meaning = kind.describe(name).partition(" - ")
    assert re.split(r"[;\[]", form)[0] == name
    assert dash
    assert meaning.endswith((".", "standard.")), meaning
    assert not inspect.isabstract(cls)


@pytest.mark.parametrize("group", KINDS)
def test_groups_are_named_alike_everywhere(group):
    assert KINDS[group].registry.group == f"apexr.{group}"


@pytest.mark.parametrize("group", KINDS)
def test_a_near_miss_is_corrected(group):
    kind = KINDS[group]
    for name in kind.names():
        with pytest.raises(UnknownNameError) as caught:
            kind.parse(f"{name}x;1")
        assert "did you mean" in str(caught.value)
        assert all(known in str(caught.value) for known in kind.names())


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("networks", {"Conv", "FNO"}),
        ("objectives", {"one", "sup", "div", "chain", "mix", "residuum", "composite"}),
        ("objectives", {"loss", "weights", "cut"}),
        ("tasks", {"predict", "correct"}),
        ("optimizers", {"adam", "adamw", "sgd", "lion", "clip", "decay"}),
        ("schedules", {"constant", "exp", "warmup_cosine", "cosine", "linear"}),
        ("initial_conditions", {"fourier", "diffused", "grf", "clamp", "modes"}),
        ("solvers", {"etdrk", "fd"}),
        ("metrics", {f"mean_{m}" for m in ("MAE", "nMSE", "sRMSE", "nRMSE", "correlation")}),
    ],
)
def test_the_promised_names_are_there(group, names):
    assert names <= set(KINDS[group].names())


def test_the_promised_activations_are_there():
    known = {"relu", "sigmoid", "tanh", "swish", "gelu", "identity"}
    assert known <= set(apexr.networks.ACTIVATIONS.names())
