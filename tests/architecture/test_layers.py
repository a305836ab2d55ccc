"""The house rules: layers import downwards only, files stay small, nothing is evaluated."""

import ast
from pathlib import Path

import pytest

import apexr
from _tiny import python
from apexr import store

ROOT = Path(apexr.__file__).parent
PROJECT = Path(__file__).parents[2]
FILES = sorted(ROOT.rglob("*.py"))
LONGEST = 520


@pytest.mark.quick
def test_layers_import_downwards_only():
    pytest.importorskip("importlinter")
    code = "import sys, importlinter.cli as c; sys.exit(c.lint_imports(no_cache=True))"
    assert "7 kept, 0 broken" in python(code, cwd=PROJECT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small(path):
    assert len(path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_evaluated_or_unpickled(path):
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"eval", "exec", "__import__"}
    text = path.read_text()
    for asked in ("import cloudpickle\n", "cloudpickle.dumps("):  # whether a worker can be sent it
        text = text.replace(asked, "")
    assert "pickle" not in text


def test_a_registered_class_is_annotated_with_objects():
    """Annotations of specs are read, so they must not be turned into text."""
    for path in FILES:
        assert "from __future__ import annotations" not in path.read_text(), path


def test_only_the_doors_of_the_store_take_paths():
    """A path becomes a ``Study``, a ``Unit`` or a place once; inside, nobody asks again."""
    takers = set()
    for path in [*(ROOT / "store").rglob("*.py"), *(ROOT / "_files").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                told = [one.annotation for one in (*node.args.args, *node.args.kwonlyargs)]
                told += [node.args.vararg.annotation] if node.args.vararg else []
                if any("PathLike" in ast.unparse(one) for one in told if one is not None):
                    takers.add(node.name)
    parsed = {"place", "local", "at", "open", "__init__"}  # Study.at, Unit.open, Checkpoints
    assert takers - {*store.__all__} <= parsed
    assert {"open_study", "verify", "publish_experiment", "place"} <= takers
