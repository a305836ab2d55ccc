"""All that is wrong in a configuration, piece by piece, and in many configurations at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from apexr.engine import TASKS
from apexr.errors import SpecError, suggest
from apexr.networks import NETWORKS
from apexr.objectives import OBJECTIVES
from apexr.scenarios import Request, emulator_plan, resolve
from apexr.store import in_short
from apexr.study._expand import Placed
from apexr.study._limits import shortened
from apexr.study._planned import KEYS, check_layers

MOST_SHOWN = 200
"""Different problems that are written out."""

_KINDS: Mapping[str, Any] = {"task": TASKS, "net": NETWORKS, "train": OBJECTIVES}


def diagnose(config: Any, error: Exception) -> list[str]:
    """Return everything that is wrong in a configuration that could not be planned.

    Parameters
    ----------
    config
        The configuration.
    error
        The outcome of planning it, where each piece alone is right.
    """
    if not isinstance(config, Mapping):
        return [f"must be a dictionary, got {shortened(config)}"]
    found = [*_missing(config), *_text_problems(config), *_request_problems(config)]
    found += _scenario_problems(config) if "scenario" in config else []
    return list(dict.fromkeys(found)) or [told(error)]


def told(error: Exception) -> str:
    """Return what an error says; errors that are not apexr's with their names."""
    return str(error) if isinstance(error, SpecError) else f"{type(error).__name__}: {error}"


def listed(problems: Iterable[tuple[Placed, str]]) -> list[str]:
    """Return a line for each different problem, led by all its places."""
    places: dict[tuple[str, str], list[Placed]] = {}
    for placed, message in problems:
        section = placed.place.partition("[")[0] if not placed.choices else placed.place
        places.setdefault((section, message), []).append(placed)
    lines = [f"{_place(section, held)}: {text}" for (section, text), held in places.items()]
    more = len(lines) - MOST_SHOWN
    return [*lines[:MOST_SHOWN], *([f"… and {more} more"] if more > 0 else [])]


def _place(section: str, held: list[Placed]) -> str:
    """Return where a problem stands: numbers in a list, the entries of axes in a grid."""
    if not held[0].choices:
        numbers = [one.place.removeprefix(section).strip("[]") for one in held]
        return f"{section}[{in_short(map(int, numbers))}]" if all(numbers) else section
    shared = [
        f"{key}[{index}]"
        for key, index in held[0].choices.items()
        if all(one.choices.get(key) == index for one in held)
    ]
    count = f" ({len(held)} experiments)" if len(held) > 1 else ""
    return ".".join(filter(None, (section, ", ".join(shared)))) + count


def _missing(config: Mapping[str, Any]) -> Iterator[str]:
    if "scenario" not in config:
        yield f"scenario is missing{suggest('scenario', map(str, config))}"


def _text_problems(config: Mapping[str, Any]) -> Iterator[str]:
    for key, kind in _KINDS.items():
        if key in config:
            yield from _tried(kind.parse, config[key])


def _request_problems(config: Mapping[str, Any]) -> Iterator[str]:
    for key in ("start_seed", "num_seeds", "precision"):
        if key in config:
            yield from _tried(lambda key=key: Request(**{key: config[key]}).seeds)


def _scenario_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong in the parameters, each left out once it has been named."""
    parameters = {key: value for key, value in config.items() if key not in KEYS}
    yield from _tried(check_layers, config["net"]) if "net" in config else []
    while True:
        try:
            chosen = resolve(config["scenario"], parameters, beside=KEYS[1:])
        except Exception as error:
            yield _with_hint(told(error), parameters)
            named = _named_in(str(error), parameters)
            if named is None:
                return
            del parameters[named]
        else:
            break
    task, net = config.get("task", "predict"), config.get("net")
    if net is not None and not (wrong := _tried(check_layers, net)):
        wrong = _tried(lambda: emulator_plan(chosen, task, net).check())
        yield from wrong


def _named_in(message: str, parameters: Mapping[str, Any]) -> str | None:
    """Return the parameter that a message is about: its name, or else its text, stands in it."""
    words = message.replace("'", " ").replace(",", " ").split()
    by_name = next((key for key in parameters if key in words), None)
    texts = {key: value for key, value in parameters.items() if isinstance(value, str) and value}
    return by_name or next((key for key, value in texts.items() if value in message), None)


def _with_hint(message: str, parameters: Mapping[str, Any]) -> str:
    """Return the message with what to do where an axis of a grid was meant as one value."""
    hint = " (in a grid, write a value that is a list within one more list: [[…]])"
    return message + hint if " must be a sequence" in message else message


def _tried(attempt: Callable[..., Any], *arguments: Any) -> list[str]:
    try:
        attempt(*arguments)
    except Exception as error:  # a scenario of one's own may raise anything
        return [told(error)]
    return []
