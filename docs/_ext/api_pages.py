"""The API reference: a page for each public module, with every name that it offers.

The pages are written to ``docs/api`` from the packages' own lists of names before Sphinx reads
them, so that nothing can be forgotten; a name without a word about it ends the build.
"""

import ast
import functools
import importlib
import inspect
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import apexr

HERE = Path(__file__).resolve().parents[1]
FOLDER = HERE / "api"
SOURCE = Path(apexr.__file__).parent
RENAMED = {"SAFETENSORS": "SUFFIX", "Place": "Address"}
"""Constants that are called otherwise where they are defined."""

EXTRA = ["apexr.experiment", "apexr.experiment.disk_cache", "apexr.accessor"]
"""Modules with public names that the package does not list itself."""

MARK = ".. made by docs/_ext/api_pages.py; edit the docstrings, not this page\n"


def public_modules() -> list[str]:
    """Return the modules that the package offers by name, itself first, and their own ones."""
    found = ["apexr"]
    for name in apexr.__all__:
        if inspect.ismodule(getattr(apexr, name)):
            module = getattr(apexr, name).__name__
            found += [module, *_public_parts(module)]
    found += EXTRA
    return list(dict.fromkeys(found))


def _public_parts(module: str) -> Iterator[str]:
    """Give the public modules within a package."""
    path = SOURCE.joinpath(*module.split(".")[1:])
    for part in sorted(path.glob("[!_]*")) if path.is_dir() else ():
        if part.suffix == ".py" or (part / "__init__.py").exists():
            yield f"{module}.{part.stem}"


def public_names(module: str) -> list[str]:
    """Return what a module offers: its list, or what is defined in it."""
    held = importlib.import_module(module)
    listed = getattr(held, "__all__", None)
    if listed is not None:
        return [name for name in listed if not inspect.ismodule(getattr(held, name))]
    return [
        name
        for name, value in vars(held).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module
    ]


def submodules(module: str) -> list[str]:
    """Return the modules that a module offers."""
    held = importlib.import_module(module)
    values = (getattr(held, name) for name in getattr(held, "__all__", ()))
    return list(dict.fromkeys(value.__name__ for value in values if inspect.ismodule(value)))


@functools.cache
def notes() -> dict[tuple[str, str], str]:
    """Return what stands below each constant, by the module that it is defined in and its name."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        module = ".".join(("apexr", *path.relative_to(SOURCE).with_suffix("").parts))
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for node, below in itertools.pairwise(body):
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                for name in _assigned(node):
                    key = (module.removesuffix(".__init__"), name)
                    found[key] = inspect.cleandoc(str(below.value.value))
    return found


def note_on(name: str, value: Any) -> str:
    """Return what stands below the constant wherever it is defined; empty if nothing does."""
    for (module, constant), text in notes().items():
        held = getattr(sys.modules.get(module), constant, None)
        if held is value and constant in (name, RENAMED.get(name)):
            return text
    return ""


def _assigned(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def is_data(value: Any) -> bool:
    """Tell a constant from a class or a function."""
    return not (inspect.isclass(value) or inspect.isroutine(value)) and not (
        callable(value) and inspect.isfunction(inspect.unwrap(value))
    )


def said_about(module: str, name: str) -> str:
    """Return the documentation of a public name, empty if there is none."""
    value = getattr(importlib.import_module(module), name)
    if is_data(value):
        return note_on(name, value)
    own = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    return inspect.cleandoc(own) if own else ""


def undocumented() -> list[str]:
    """Return the public names that nothing is said about."""
    return [
        f"{module}.{name}"
        for module in public_modules()
        for name in public_names(module)
        if not said_about(module, name)
    ]


def pages() -> dict[str, str]:
    """Return each page by the name of its module."""
    return {module: page(module) for module in public_modules()}


def page(module: str) -> str:
    """Return the page of a module."""
    held = importlib.import_module(module)
    title = _typed(module)
    lines = [MARK, title, "=" * len(title), "", f".. py:module:: {module}", ""]
    lines += [inspect.getdoc(held) or "", ""]
    if inside := submodules(module):
        lines += ["Modules", "-------", ""]
        lines += [f"- :doc:`{_typed(name)} <{name}>`: {_first_line(name)}" for name in inside]
        lines += ["", "Functions and classes", "---------------------", ""]
    for name in public_names(module):
        lines += [*_entry(held, name), ""]
    return "\n".join(lines) + "\n"


def _typed(module: str) -> str:
    """Return a module's name as users type it."""
    return {"apexr.plots": "apexr.plot"}.get(module, module)


def _first_line(module: str) -> str:
    return (inspect.getdoc(importlib.import_module(module)) or "").split("\n")[0]


def _entry(held: ModuleType, name: str) -> list[str]:
    """Return the documentation of a name, or where it stands if another module offers it, too."""
    value = getattr(held, name)
    full = f"{held.__name__}.{name}"
    kind, role = _kind_of(value)
    if kind == "data":
        text = note_on(name, value).split("\n")
        return [f".. py:data:: {name}", "", *(f"   {line}".rstrip() for line in text)]
    home = homes()[id(value)]
    if home != full:
        return [f".. py:{kind}:: {name}", "", f"   The same as :{role}:`{home}`."]
    options = [] if kind == "function" else ["   :members:"]
    if inspect.isclass(value) and value.__bases__ != (object,):
        options.append("   :show-inheritance:")
    return [f".. auto{kind}:: {full}", *options]


def _kind_of(value: Any) -> tuple[str, str]:
    """Return the directive and the role of Sphinx for a value."""
    if is_data(value):
        return "data", "data"
    if inspect.isclass(value):
        return ("exception", "exc") if issubclass(value, BaseException) else ("class", "class")
    return "function", "func"


@functools.cache
def homes() -> dict[int, str]:
    """Return under which of its names each class and function is documented in full."""
    found: dict[int, str] = {}
    for module in public_modules():
        for name in public_names(module):
            value = getattr(importlib.import_module(module), name)
            if not is_data(value):
                found.setdefault(id(value), f"{module}.{name}")
    return found


def index(modules: list[str]) -> str:
    """Return the page above the others."""
    lines = [MARK, "API reference", "=============", ""]
    lines += ["Every public name, by the module that offers it. ``apexr.NAME`` is loaded when it"]
    lines += ["is first used.", "", ".. toctree::", "   :maxdepth: 1", ""]
    lines += [f"   {_typed(module)} <{module}>" for module in modules]
    return "\n".join(lines) + "\n"


def write(folder: Path = FOLDER) -> None:
    """Write all pages; those that have not changed are left alone, those of no module removed."""
    folder.mkdir(exist_ok=True)
    texts = {**pages(), "index": index(public_modules())}
    for name, text in texts.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.glob("*.rst"):
        if path.stem not in texts:
            path.unlink()


def setup(app: Any) -> dict[str, bool]:
    """Write the pages before Sphinx reads, and look for every name when it has read."""
    app.connect("builder-inited", _begin)
    app.connect("autodoc-process-docstring", _part_attributes, priority=400)  # before napoleon
    app.connect("env-check-consistency", _check)
    return {"parallel_read_safe": True}


def _begin(app: Any) -> None:
    from sphinx.errors import ExtensionError

    if missing := undocumented():
        raise ExtensionError(f"public names without a docstring: {', '.join(missing)}")
    write()


def _part_attributes(
    app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Give each of several attributes that share a description an entry of its own."""
    if "Attributes" not in lines:
        return
    start = lines.index("Attributes") + 2
    out, names, text = lines[:start], [], []
    for line in [*lines[start:], ""]:
        if line.startswith(" ") or (not line and text):
            text.append(line)
            continue
        out += [part for each in names for part in (each, *text)]
        names, text = line.split(", "), []
    out += [part for each in names for part in (each, *text)]
    lines[:] = out


def _check(app: Any, env: Any) -> None:
    """Refuse a build whose pages lack a public name."""
    from sphinx.errors import ExtensionError

    there = env.domains["py"].objects
    wanted = [f"{module}.{name}" for module in public_modules() for name in public_names(module)]
    if missing := [name for name in [*wanted, *public_modules()] if name not in there]:
        raise ExtensionError(f"public names on no page: {', '.join(missing)}")
