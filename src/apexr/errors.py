"""Exceptions of apexr: each is an :class:`ApexrError` and a fitting built-in class.

A message says what was given, what was expected and what to do next.
"""

import difflib
import re
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class ApexrError(Exception):
    """Base class of every error that apexr raises on purpose."""


class SpecError(ApexrError, ValueError):
    """An invalid configuration: a string, a keyword, a number."""


class UnknownNameError(SpecError, KeyError):
    """A name that no registry holds."""

    __str__ = Exception.__str__  # a KeyError would print its message in quotes


class ShapeError(ApexrError, ValueError):
    """An array whose shape does not fit what it is used for."""


class SchemaError(ApexrError, ValueError):
    """A dataset that breaks the declared result schema."""


class MissingVariableError(ApexrError, LookupError):
    """A variable that a dataset or table does not hold."""


class StoreError(ApexrError, OSError):
    """A store that cannot be read or written."""


class DivergenceError(ApexrError, ArithmeticError):
    """Reference data that became NaN or infinite."""


class MissingExtraError(ApexrError, ImportError):
    """A feature whose optional packages are not installed."""


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """Have imports say what to install if they fail: ``with needs("plot", "plots"): import …``.

    Parameters
    ----------
    extra
        The extra of apexr that holds the packages.
    what
        The feature that does not work without it, as the beginning of a sentence, with its verb.

    Raises
    ------
    MissingExtraError
        For the package that is missing.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(
            f"{what} the package {error.name}: {how_to_install(extra)}"
        ) from error


def how_to_install(extra: str) -> str:
    """Return the commands that install an extra of apexr, from an index and in a clone."""
    return f'pip install "apexr[{extra}]" (in a clone of the repository: pip install ".[{extra}]")'


class WorkerDiedError(ApexrError, RuntimeError):
    """An experiment whose worker process died, again and again."""


class ClusterError(ApexrError, ConnectionError):
    """A Dask cluster that does not start, or whose scheduler does not answer any more."""


class Terminated(SystemExit):
    """The end of the work after SIGTERM, with what to do next as its text.

    Where nobody catches it, the process ends with exit code 143, which is what batch systems
    expect of a job that they end.

    Parameters
    ----------
    message
        How far the work is.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(128 + signal.SIGTERM)
        self.message = message

    def __str__(self) -> str:
        return self.message


class ApexrWarning(UserWarning):
    """Something that works, but perhaps not as meant."""


class ResolutionWarning(ApexrWarning):
    """A grid or a time step that is too coarse for the equation."""


LONGEST_NAME = 200
"""Longer ones are no misspellings, and comparing them takes long."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known name nearest to ``name``, or ``""``."""
    if len(name) > LONGEST_NAME:
        return ""
    by_lower = {one.lower(): one for one in known if not _other_number(name, one)}
    given = name.strip().lower()
    holding = [candidate for candidate in by_lower if len(given) > 2 and given in candidate]
    near = sorted(holding, key=len)[:1] or difflib.get_close_matches(given, by_lower, 1, 0.5)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""


def _other_number(name: str, candidate: str) -> bool:
    """Tell whether both are a word and a number that differs: float16 is no misspelled float64."""
    both = [re.fullmatch(r"[a-z]+(\d+)", text.strip().lower()) for text in (name, candidate)]
    numbers = {match[1] for match in both if match}
    return None not in both and len(numbers) > 1


def warn(message: str, category: type[ApexrWarning] = ApexrWarning) -> None:
    """Warn with a kind of :class:`ApexrWarning` that points at the caller's line, outside apexr."""
    level = 1
    while _is_inside(level):
        level += 1
    warnings.warn(message, category, stacklevel=level + 1)


def _is_inside(level: int) -> bool:
    """Tell whether the frame so far above the caller is apexr's, or of what makes its objects."""
    try:
        frame = sys._getframe(level + 1)
    except ValueError:
        return False
    name = frame.f_globals.get("__name__", "")
    return name.partition(".")[0] in ("apexr", "equinox") or frame.f_code.co_filename == "<string>"
