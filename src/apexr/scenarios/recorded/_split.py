"""Which trajectories are for training, for validation and for testing.

Trajectories are split, never windows of them. A split that is drawn depends on its seed and on the
number of trajectories alone, and is nested: fewer trajectories for training are the first of those
of a larger number, and those for testing stay the same.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from apexr.errors import SpecError
from apexr.exchange.readers._recording import PARTS, Part

AUTO, FILE = "auto", "file"
USUAL = "0.8;0.1;0.1"
"""The split where neither the files nor their layout say one."""

FORMS = (
    "'file' (what the files say), '0.8;0.1;0.1' (parts for training, validation and testing),"
    " '40;5;5' (numbers), 'last;0.1' or 'first;0.1' (a part for testing, in the order of the files)"
)


@dataclass(frozen=True)
class Split:
    """The trajectories of each part, by their number in the order of the files.

    Attributes
    ----------
    config
        How it was said.
    train, valid, test
        The trajectories in the order in which they are taken.
    """

    config: str
    train: tuple[int, ...]
    valid: tuple[int, ...]
    test: tuple[int, ...]


def make_split(config: str, seed: int, parts: Sequence[Part | None], usual: str | None) -> Split:
    """Return the split that a config string means.

    Parameters
    ----------
    config
        ``"auto"``, or one of the forms.
    seed
        From which trajectories are drawn.
    parts
        For each trajectory the part that its file says.
    usual
        The split of the layout, for ``"auto"``.

    Raises
    ------
    SpecError
        If the string means nothing, or there are too few trajectories.
    """
    if config == AUTO:
        stated = {"train", "test"} <= set(parts) or {"train", "valid"} <= set(parts)
        config = FILE if stated else usual or USUAL
    words = [word.strip() for word in config.split(";")]
    if words == [FILE]:
        return _of_files(parts)
    if words[0] in ("last", "first"):
        return _at_an_end(config, words, len(parts))
    return _drawn(config, words, seed, len(parts))


def _of_files(parts: Sequence[Part | None]) -> Split:
    held = {part: tuple(i for i, said in enumerate(parts) if said == part) for part in PARTS}
    test = held["test"] or held["valid"]
    if not held["train"] or not test:
        raise SpecError(
            "split 'file': the files name no trajectories for"
            f" {'testing' if held['train'] else 'training'}; take another split: {FORMS}"
        )
    return Split(FILE, held["train"], held["valid"] if held["test"] else (), test)


def _at_an_end(config: str, words: list[str], total: int) -> Split:
    numbers = _numbers(config, words[1:])
    if not 1 <= len(numbers) <= 2:
        raise _meaningless(config)
    test, valid = _counts(config, [*numbers, *(0.0,) * (2 - len(numbers))], total)
    _check_enough(config, total, max(1, test) + valid + 1)
    order = range(total) if words[0] == "last" else range(total - 1, -1, -1)
    test = max(1, test)
    ends = [tuple(sorted(order[place])) for place in _slices(total - test - valid, valid, total)]
    return Split(config, *ends)


def _drawn(config: str, words: list[str], seed: int, total: int) -> Split:
    numbers = _numbers(config, words)
    if len(numbers) == 2:
        numbers.insert(1, 0.0)
    if len(numbers) != 3:
        raise _meaningless(config)
    train, valid, test = _counts(config, numbers, total)
    if any("." in word for word in words):  # what is left over by rounding is for training
        test = max(1, test)
        spare = total - valid - test
        train = spare if sum(numbers) > 1 - 1e-9 else min(max(1, train), spare)
    _check_enough(config, total, max(1, train) + valid + max(1, test))
    if not train or not test:
        raise SpecError(f"split {config!r}: at least one trajectory for training and testing each")
    order = sorted(range(total), key=lambda place: _mark(seed, place))
    return Split(
        config,
        tuple(order[:train]),
        tuple(order[total - test - valid : total - test]),
        tuple(order[total - test :]),
    )


def _mark(seed: int, place: int) -> bytes:
    """Return what trajectories are sorted by: as good as random, on every machine the same."""
    return hashlib.blake2b(f"{seed}:{place}".encode(), digest_size=16).digest()


def _slices(train: int, valid: int, total: int) -> tuple[slice, slice, slice]:
    return slice(0, train), slice(train, train + valid), slice(train + valid, total)


def _numbers(config: str, words: list[str]) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        raise _meaningless(config) from None
    if not all(0 <= number < 2**53 for number in numbers):
        raise _meaningless(config)
    return numbers


def _counts(config: str, numbers: list[float], total: int) -> list[int]:
    """Return whole numbers of trajectories; parts are rounded."""
    if any("." in word for word in config.split(";")):
        if sum(numbers) > 1 + 1e-9:
            raise SpecError(f"split {config!r}: parts add up to {sum(numbers):g}, over 1")
        return [round(number * total) for number in numbers]
    return [int(number) for number in numbers]


def _check_enough(config: str, total: int, wanted: int) -> None:
    if wanted > total:
        raise SpecError(
            f"split {config!r} needs at least {wanted} trajectories and there are {total}; take"
            " fewer for each part, or more data"
        )


def _meaningless(config: str) -> SpecError:
    return SpecError(f"split {config!r} means nothing; it is one of {FORMS}")


def listed(numbers: Sequence[int]) -> str:
    """Return numbers as short text in which runs are written by their ends: ``0-39,45``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
