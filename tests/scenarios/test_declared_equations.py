"""What is made of the declarations of equations: classes, sets of coefficients, stubs."""

import ast
import importlib
import importlib.util
import inspect
from pathlib import Path

import pytest

import apexr
from apexr.scenarios import difficulty, normalized, physical

TOOL = Path(__file__).parents[2] / "tools" / "scenario_stubs.py"
HOME = Path(apexr.scenarios.__file__).parent
STUBS = {
    difficulty: HOME / "difficulty.pyi",
    normalized: HOME / "normalized.pyi",
    physical: HOME / "physical" / "_shared.pyi",
}


def test_stubs_are_those_of_the_declarations():
    spec = importlib.util.spec_from_file_location("scenario_stubs", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert set(tool.STUBS) == set(STUBS.values())
    for path, scale in tool.STUBS.items():
        assert path.read_text(encoding="utf-8") == tool.stub(scale)


@pytest.mark.parametrize("module", STUBS, ids=lambda module: module.__name__)
def test_type_checkers_and_signatures_know_the_same_fields(module):
    """Every class of a stub exists, is found where it says, and has the fields of the stub."""
    body = ast.parse(STUBS[module].read_text(encoding="utf-8")).body
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    assert len(classes) >= 15
    for node in classes:
        cls = getattr(module, node.name)
        assert getattr(importlib.import_module(cls.__module__), cls.__name__) is cls
        declared = [field.target.id for field in node.body]
        assert set(declared) <= set(inspect.signature(cls).parameters)


@pytest.mark.parametrize(
    ("scenario", "sets"),
    [
        (
            difficulty.FirstFour(
                advection_gamma=1.0,
                diffusion_gamma=2.0,
                dispersion_gamma=3.0,
                hyp_diffusion_gamma=-4.0,
            ),
            {"gammas": (0.0, 1.0, 2.0, 3.0, -4.0)},
        ),
        (
            normalized.FisherKPP(quadratic_beta=-1.0, drag_alpha=2.0, diffusion_alpha=3.0),
            {"alphas": (2.0, 0.0, 3.0, 0.0, 0.0), "betas": (-1.0, 0.0, 0.0)},
        ),
        (
            physical.KortewegDeVries(
                convection_sc_coef=5.0, dispersion_coef=6.0, hyp_diffusion_coef=-7.0
            ),
            {"a_coefs": (0.0, 0.0, 0.0, 6.0, -7.0), "b_coefs": (0.0, 5.0, 0.0)},
        ),
        (
            physical.KuramotoSivashinsky(gradient_norm_coef=-2.0),
            {"a_coefs": (0.0, 0.0, -1.0, 0.0, -1.0), "b_coefs": (0.0, 0.0, -2.0)},
        ),
        (
            difficulty.LinearSimple(linear_gamma=0.5, linear_term_order=6),
            {"gammas": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5)},
        ),
        (physical.Burgers(diffusion_coef=0.1), {"a_coefs": (0.0, 0.0, 0.1, 0.0, 0.0)}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_coefficients_of_single_terms_fill_their_slots(scenario, sets):
    assert {name: getattr(scenario, name) for name in sets} == sets


def test_a_field_of_a_user_s_class_fills_no_slot():
    class Named(difficulty.Advection):
        diffusion_gamma: float = 3.0

    assert Named().gammas == difficulty.Advection().gammas
