"""Study files: TOML or JSON, which are data; Python only where the caller says so."""

import json
import runpy
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apexr._typing import PathInput
from apexr.errors import SpecError, suggest
from apexr.study._limits import (
    MOST_BYTES,
    check_number,
    shortened,
    text_problem,
    value_problems,
)

_NAME = "CONFIGS"
_TRACKERS = "TRACKERS"
_PACKED = "PACKED"


def read_study(path: PathInput, *, allow_python: bool = False) -> Any:
    """Return what a study file holds: a list of dictionaries, a grid, or a table of both.

    Parameters
    ----------
    path
        A file ending in ``.toml`` or ``.json``; or in ``.py``, with a list ``CONFIGS`` and
        perhaps a dictionary ``TRACKERS`` and ``PACKED``.
    allow_python
        Whether to run a Python file. It is a program, and can do anything.

    Raises
    ------
    SpecError
        If the file cannot be read, is no study, or is a program and ``allow_python`` is false.
    """
    file = Path(path)
    readers: dict[str, Callable[[Path], Any]] = {".toml": _read_toml, ".json": _read_json}
    if file.suffix == ".py":
        if not allow_python:
            raise SpecError(
                f"{file}: a Python file is a program, which is run to read its {_NAME}; allow that"
                " with --allow-python (allow_python=True), or write the study as TOML"
            )
        readers[".py"] = _run_python
    if file.suffix not in readers:
        raise SpecError(f"{file}: a study file ends in .toml or .json")
    return readers[file.suffix](file)


def _read_toml(file: Path) -> Any:
    return _parse(file, tomllib.loads)


def _read_json(file: Path) -> Any:
    return _parse(
        file,
        lambda text: json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant),
    )


def _parse(file: Path, parse: Callable[[str], Any]) -> Any:
    text = _read_text(file)
    problem = text_problem(text)
    if problem:
        raise SpecError(f"{file}: not a study, {problem}")
    try:
        data = parse(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{file}: cannot be read, {error}") from None
    if isinstance(data, list):
        check_number(len(data))
    problems = list(value_problems(data))
    if problems:
        raise SpecError(f"{file}:\n" + "\n".join(problems))
    return data


def _read_text(file: Path) -> str:
    """Return the text of a file that is one, and small."""
    try:
        told = file.stat()
        if not stat.S_ISREG(told.st_mode):
            raise SpecError(f"{file}: not a file")
        with file.open("rb") as opened:
            held = opened.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise SpecError(f"{file}: no study file to read ({error}){_near(file)}") from None
    if len(held) > MOST_BYTES:
        raise SpecError(
            f"{file}: larger than {MOST_BYTES} bytes; write its experiments as a grid, or make the"
            " list in Python"
        )
    try:
        return held.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise SpecError(f"{file}: not UTF-8 text ({error.reason} at byte {error.start})") from None


def _near(file: Path) -> str:
    try:
        return suggest(file.name, [other.name for other in file.parent.iterdir()])
    except (OSError, ValueError):
        return ""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"{shortened(key)} is given twice")
        table[key] = value
    return table


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _run_python(file: Path) -> Any:
    if not file.is_file():
        raise SpecError(f"{file}: no study file to read{_near(file)}")
    names = runpy.run_path(str(file))
    if _NAME not in names:
        raise SpecError(f"{file}: expected a list {_NAME}{suggest(_NAME, names)}")
    configs = names[_NAME]
    table = {name.lower(): names[name] for name in (_TRACKERS, _PACKED) if name in names}
    if not table:
        return configs
    return {**(configs if isinstance(configs, dict) else {"experiments": configs}), **table}
