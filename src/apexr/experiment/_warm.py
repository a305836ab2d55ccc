"""Weights that a training begins with: those of a stored experiment, seed by seed."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from apexr._digest import ID_BYTES
from apexr.engine import EmulatorPlan, named_shapes, named_weights, skeleton, with_weights
from apexr.errors import SpecError, StoreError, suggest

FEWEST_DIGITS = 4
"""Digits of an id that are enough where no other begins so."""
MOST_SHOWN = 3
"""Experiments that a message names."""


@dataclasses.dataclass(frozen=True)
class WarmStart:
    """The stored weights of an experiment.

    Attributes
    ----------
    text
        ``STORE`` or ``STORE#EXPERIMENT``, as it was given.
    unit
        Where they lie.
    digest
        Of all weights and their seeds: it identifies what begins with them.
    """

    text: str
    unit: Any
    digest: str

    @property
    def label(self) -> str:
        """Its short name in results: the store's name, and the experiment."""
        store, found, experiment = self.text.rpartition("#")
        return PurePath(store).name + f"#{experiment}" if found else PurePath(self.text).name

    def begin(self, emulators: Any, seeds: Sequence[int]) -> Any:
        """Return emulators of these seeds with their stored weights.

        Raises
        ------
        SpecError
            If the store has changed meanwhile.
        """
        weights, held = _read(self.text, self.unit)
        if _digest(weights, held) != self.digest:
            raise SpecError(f"init {self.text!r}: the store has changed since it was looked at")
        places = [held.index(seed) for seed in seeds]
        types = {name: array.dtype for name, array in named_weights(emulators).items()}
        chosen = {name: weights[name][places].astype(dtype) for name, dtype in types.items()}
        return with_weights(emulators, chosen)


def warm_start(text: Any, emulator: EmulatorPlan, seeds: Sequence[int]) -> WarmStart:
    """Return the weights that a training of an emulator begins with, checked before any work.

    Parameters
    ----------
    text
        ``STORE`` or ``STORE#EXPERIMENT``.
    emulator
        The emulators to train.
    seeds
        Its seeds.

    Raises
    ------
    SpecError
        If nothing is stored there, the experiment or a seed is missing, or the weights are those
        of another architecture.
    """
    if not isinstance(text, str) or not text:
        raise SpecError(f"init must be 'STORE' or 'STORE#EXPERIMENT', got {text!r}")
    unit = _unit(text)
    weights, held = _read(text, unit)
    _check_architecture(text, weights, emulator)
    missing = sorted(set(seeds) - set(held))
    if missing:
        from apexr import store as stores

        raise SpecError(
            f"init {text!r}: has no weights of seed {stores.in_short(missing)}; there are those of"
            f" {stores.in_short(held)}. Each seed begins with its own: take start_seed and"
            " num_seeds among these"
        )
    return WarmStart(text, unit, _digest(weights, held))


def _unit(text: str) -> Any:
    """Return where the experiment lies that a text names."""
    from apexr import store as stores

    whole = text.endswith(stores.SAFETENSORS) or "#" not in text
    store, experiment = (text, "") if whole else text.rsplit("#", 1)
    if whole and text.endswith(stores.SAFETENSORS):
        return text
    try:
        study = stores.Study.at(store)
        if not study.is_there():
            if experiment:
                raise SpecError(
                    f"init {text!r}: {store} is no study, so that no experiment is named in it"
                )
            if not stores.is_published(store):
                raise SpecError(f"init {text!r}: no finished experiment is stored there")
            return store
        ids = sorted(study.parts())
    except StoreError as error:
        raise SpecError(f"init {text!r}: {error}") from error
    begun = [name for name in ids if name.startswith(experiment)]
    if len(begun) == 1 and (not experiment or len(experiment) >= FEWEST_DIGITS):
        return study.unit(begun[0])
    known = ", ".join(ids[:MOST_SHOWN]) + (" …" if len(ids) > MOST_SHOWN else "")
    said = (
        f"the study has no finished experiment {experiment!r}{suggest(experiment, ids)}"
        if experiment
        else "it is a study; name one of its experiments: STORE#EXPERIMENT"
    )
    raise SpecError(f"init {text!r}: {said} (there are {known or 'none'}; see `apexr show`)")


def _read(text: str, unit: Any) -> tuple[dict[str, np.ndarray], list[int]]:
    """Return the weights of an experiment, which lead with its seeds, and these."""
    from apexr import store as stores

    try:
        if str(unit).endswith(stores.SAFETENSORS):
            weights, told = stores.read_safetensors(unit)
            seeds = stores.seeds_of_file(unit, told)
        else:
            weights, seeds = _of_store(unit)
    except StoreError as error:
        raise SpecError(f"init {text!r}: {error}") from error
    if not weights:
        raise SpecError(f"init {text!r}: holds no weights; it was published without them")
    if len(seeds) == 1:
        weights = {name: array[None] for name, array in weights.items()}
    return weights, seeds


def _of_store(unit: Any) -> tuple[dict[str, np.ndarray], list[int]]:
    from apexr import store as stores

    result = stores.open_experiment(unit)
    return stores.read_weights(unit), result["seed"].values.tolist()


def _check_architecture(
    text: str, weights: Mapping[str, np.ndarray], emulator: EmulatorPlan
) -> None:
    """Refuse weights of another architecture.

    Raises
    ------
    SpecError
        Naming the first array that differs.
    """
    expected = named_shapes(skeleton(emulator))
    held = {name: array.shape[1:] for name, array in weights.items()}
    for name in sorted({*expected, *held}):
        wanted, there = expected.get(name), held.get(name)
        if wanted != there:
            raise SpecError(
                f"init {text!r}: the weights are those of another architecture than"
                f" {str(emulator.network)!r}: {name} has shape {there or 'none'} there, and"
                f" {wanted or 'none'} here; begin with weights of the same network and task"
            )


def _digest(weights: Mapping[str, np.ndarray], seeds: Sequence[int]) -> str:
    """Return the digest of weights, the same whichever order their seeds are stored in."""
    state = hashlib.blake2b(digest_size=ID_BYTES)
    order = np.argsort(seeds)
    state.update(repr(sorted(seeds)).encode())
    for name in sorted(weights):
        array = np.ascontiguousarray(weights[name][order])
        state.update(repr((name, array.dtype.str, array.shape)).encode())
        state.update(array.tobytes())
    return state.hexdigest()
