"""Every scenario shows its parameters in its signature, and their meaning when asked for help."""

import inspect

import pytest

import apexr
from apexr.recipe._meanings import described, meanings, parse
from apexr.scenarios import SCENARIOS

OURS = [key for key in SCENARIOS.names() if SCENARIOS.get(key).__module__.startswith("apexr.")]


@pytest.mark.parametrize("key", OURS)
def test_all_parameters_are_in_the_signature_and_have_a_meaning(key):
    cls = SCENARIOS.get(key)
    signature = inspect.signature(cls)
    assert set(signature.parameters) == set(cls.parameters())
    assert all(p.kind is p.KEYWORD_ONLY for p in signature.parameters.values())
    found = described(parse(inspect.getdoc(cls))["Parameters"])
    assert set(found) == set(signature.parameters)
    assert all(len(text) > 1 for text in found.values())
    assert found == meanings(cls)


def test_defaults_are_those_of_the_class():
    signature = inspect.signature(apexr.difficulty.Burgers)
    made = apexr.difficulty.Burgers()
    assert {n: p.default for n, p in signature.parameters.items()} == made.all_parameters
    assert signature.parameters["diffusion_gamma"].default == 1.5
    assert signature.parameters["num_points"].annotation is not inspect.Parameter.empty
    bound = signature.bind(diffusion_gamma=2.0)
    assert apexr.difficulty.Burgers(**bound.kwargs).diffusion_gamma == 2.0


def test_the_documentation_reads_as_a_page():
    text = inspect.getdoc(apexr.difficulty.Burgers)
    assert text.startswith("The Burgers equation ``uₜ")
    assert text.count("\nParameters\n----------\n") == 1
    assert (
        "diffusion_gamma : float, default: 1.5\n"
        "    Difficulty of ``Σ_d ∂_d² u``, on the right-hand side."
    ) in text
    assert "num_points : int" in text
    assert "Grid points along each axis" in text


def test_calling_an_object_has_the_signature_of_a_run():
    names = list(inspect.signature(apexr.difficulty.Burgers()).parameters)
    assert names[:3] == ["task_config", "network_config", "train_config"]


class Mine(apexr.difficulty.Advection):
    """Advection with a wind.

    Parameters
    ----------
    wind
        How strong it is,
        in cells a step.

    Examples
    --------
    >>> Mine(wind=2.0)
    """

    wind: float = 1.0
    plain: int = 3
    num_points: int = 20


def test_a_scenario_of_ones_own_is_documented_alike():
    held = parse(inspect.getdoc(Mine))
    assert list(held) == ["", "Parameters", "Examples"]
    assert held["Examples"] == ">>> Mine(wind=2.0)"
    found = described(held["Parameters"])
    assert found["wind"] == "How strong it is, in cells a step."
    assert found["num_points"].startswith("Grid points along each axis")
    assert "plain : int, default: 3" in held["Parameters"]
    assert inspect.signature(Mine).parameters["num_points"].default == 20

    class Bare(Mine):
        pass

    assert inspect.getdoc(Bare).startswith("The scenario Bare.")
    assert described(parse(inspect.getdoc(Bare))["Parameters"])["wind"] == found["wind"]
