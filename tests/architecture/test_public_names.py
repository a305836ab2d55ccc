"""The public names: they exist, are declared to type checkers, and are documented."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import apexr

NAMES = [name for name in apexr.__all__ if name != "__version__"]
ROOT = Path(apexr.__file__).parent
MODULES = sorted(
    name for _, name, _ in pkgutil.walk_packages([str(ROOT)], "apexr.") if name != "apexr.__main__"
)
PUBLIC = [name for name in MODULES if not any(p.startswith("_") for p in name.split("."))]


def declared():
    """Return the names that the stub file declares."""
    names = set()
    for node in ast.parse((ROOT / "__init__.pyi").read_text()).body:
        if isinstance(node, ast.ImportFrom | ast.Import):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.AnnAssign):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets}
    return {name for name in names if not name.startswith("_") or name == "__version__"}


@pytest.mark.parametrize("name", NAMES)
def test_public_names_resolve_and_are_documented(name):
    thing = getattr(apexr, name)
    assert (inspect.getdoc(thing) or "").strip(), f"apexr.{name} has no docstring"
    assert vars(apexr)[name] is thing  # found once, kept


def test_the_stub_declares_exactly_the_public_names():
    assert declared() == set(apexr.__all__)


def test_promised_names_are_public():
    promised = {
        *("run", "run_experiment", "evaluate", "load_networks", "BaseScenario"),
        *("scenarios", "difficulty", "run_study", "run_study_convenience", "open_study"),
        *("open_rollouts", "list_experiments", "to_wide", "to_long", "melt_loss", "plot"),
        *("melt_metrics", "melt_sample_rollouts", "aggregate_gmean", "relative_by_config"),
        *("split_train", "read_in_kwargs", "steppers", "spectral", "initial", "networks"),
        *("metrics", "training"),
    }
    assert promised <= set(NAMES)


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="has no attribute 'runn'"):
        _ = apexr.runn


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_documented(name):
    assert importlib.import_module(name).__doc__


@pytest.mark.parametrize("name", PUBLIC)
def test_what_modules_export_exists_and_is_documented(name):
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", ())
    for entry in exported:
        thing = getattr(module, entry)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), f"{name}.{entry} has no docstring"
    assert len(set(exported)) == len(exported)


def test_packages_say_what_they_export():
    packages = [name for name in PUBLIC if (ROOT / name.split(".")[1] / "__init__.py").exists()]
    missing = [name for name in packages if not hasattr(importlib.import_module(name), "__all__")]
    assert [name for name in missing if name.count(".") == 1] == []
