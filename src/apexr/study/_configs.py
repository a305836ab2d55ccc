"""The experiments that a study means, all checked before anything runs."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from apexr import store as stores
from apexr._digest import experiment_id
from apexr._typing import PathInput
from apexr.errors import SpecError, warn
from apexr.scenarios import CONFIGS, meaning
from apexr.study._expand import Placed, expand
from apexr.study._limits import shortened
from apexr.study._planned import Planned, plan_one
from apexr.study._problems import diagnose, listed
from apexr.study._read import read_study
from apexr.trackers import Watcher, read_trackers

Configs = PathInput | Iterable[Mapping[str, Any]] | Mapping[str, Any]
"""A study: a file, a list of configurations, or a grid of them."""

MOST_WRONG = 500
"""Wrong configurations after which a study is not looked at any further."""

_SETTINGS = ("trackers", "packed")
"""Keys of a study that say something of all its experiments."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of a study for all its experiments.

    Attributes
    ----------
    trackers
        Those that its table ``trackers`` names.
    packed
        Its key ``packed``: whether each experiment becomes one file.
    """

    trackers: tuple[Watcher, ...] = ()
    packed: bool = False


def plan_study(study: Configs, *, allow_python: bool = False) -> list[Planned]:
    """Return the experiments of a study in order, each once, with all its seeds.

    Parameters
    ----------
    study
        A list of dictionaries with the keys ``scenario``, ``task``, ``net``, ``train``,
        ``start_seed``, ``num_seeds``, ``precision``, ``init`` (those of :func:`apexr.run`) and
        parameters of the scenario; a grid of such, see :mod:`apexr.study`; or a TOML or JSON file
        with either.
    allow_python
        Whether to run a Python file for its list ``CONFIGS``.

    Raises
    ------
    SpecError
        Listing what is wrong in every configuration, with its place.

    Warns
    -----
    ApexrWarning
        Naming what is asked for more than once.
    """
    return load_study(study, allow_python=allow_python)[0]


def load_study(
    study: Configs, *, allow_python: bool = False
) -> tuple[list[Planned], tuple[Watcher, ...]]:
    """Return the experiments of a study, and the trackers that its table ``trackers`` names.

    Parameters, errors and warnings are those of :func:`plan_study`.
    """
    planned, settings = load_whole(study, allow_python=allow_python)
    return planned, settings.trackers


def load_whole(study: Configs, *, allow_python: bool = False) -> tuple[list[Planned], Settings]:
    """Return the experiments of a study, and what it says of all of them.

    Parameters, errors and warnings are those of :func:`plan_study`.
    """
    source = f"{study}: " if isinstance(study, str | Path) else ""
    if isinstance(study, str | Path):
        study = read_study(study, allow_python=allow_python)
    settings = Settings()
    if isinstance(study, Mapping):
        settings = _settings(study, allow_python=allow_python)
        study = {key: value for key, value in study.items() if key not in _SETTINGS}
    placed = expand(study)
    planned, problems = _plan_all(placed)
    if problems:
        wrong = len({id(entry) for entry, _ in problems})
        more = " (and possibly more, not looked at)" if wrong >= MOST_WRONG else ""
        said = f"{source}{wrong} of {len(placed)} experiments are invalid{more}:\n"
        raise SpecError(said + "\n".join(listed(problems)))
    groups: dict[str, list[tuple[Placed, Planned]]] = {}
    for entry, one in planned:
        groups.setdefault(_meaning(one), []).append((entry, one))
    _warn_of_duplicates(groups.values())
    return [_joined([one for _, one in same]) for same in groups.values()], settings


def _settings(study: Mapping[str, Any], *, allow_python: bool) -> Settings:
    """Return what a study says of all its experiments."""
    packed = study.get("packed", False)
    if not isinstance(packed, bool):
        raise SpecError(f"packed is true or false, got {shortened(packed)}")
    if "trackers" not in study:
        return Settings(packed=packed)
    return Settings(read_trackers(study["trackers"], allow_python=allow_python), packed)


def _plan_all(
    placed: Iterable[Placed],
) -> tuple[list[tuple[Placed, Planned]], list[tuple[Placed, str]]]:
    """Return what can be planned, and what is wrong in the others."""
    planned: list[tuple[Placed, Planned]] = []
    problems: list[tuple[Placed, str]] = []
    wrong = 0
    for entry in placed:
        try:
            planned.append((entry, plan_one(entry.config)))
        except Exception as error:  # whatever a scenario of one's own raises, all are looked at
            problems += [(entry, message) for message in diagnose(entry.config, error)]
            wrong += 1
            if wrong == MOST_WRONG:
                break
    return planned, problems


def _meaning(one: Planned) -> str:
    """Return what is the same for all spellings of an experiment's config strings."""
    return experiment_id(meaning(json.loads(one.experiment.attrs["specification"])))


def spelt_as_stored(
    planned: Iterable[Planned], study: stores.Study, held: Mapping[str, Sequence[stores.Part]]
) -> list[Planned]:
    """Return experiments with their config strings as a store spells those that it holds.

    Ids are of config strings as they were typed. An experiment that is finished under another
    spelling is the same one, and is not to be run again.
    """
    planned = list(planned)
    new = {_meaning(one): one for one in planned if one.id not in held}
    others = held.keys() - {one.id for one in planned}
    if not (new and others):
        return planned
    units = [held[name][0].unit for name in others]
    told = study.specifications(units).values()
    spelled = [_spelled(new, one) for one in told]
    known = {before.id: after for before, after in filter(None, spelled) if after.id in held}
    return [known.get(one.id, one) for one in planned]


def _spelled(new: Mapping[str, Planned], told: Mapping[str, Any]) -> tuple[Planned, Planned] | None:
    """Return the experiment of the same meaning as a stored one, before and after respelling."""
    if not isinstance(told.get("parameters"), Mapping):
        return None
    one = new.get(experiment_id(meaning(told)))
    if one is None:
        return None
    spelling = told["parameters"].get
    texts = {name: spelling(name) for name in CONFIGS if isinstance(spelling(name), str)}
    after = plan_one({**one.given, **texts})
    return one, dataclasses.replace(
        after, experiment=dataclasses.replace(after.experiment, seeds=one.seeds)
    )


def _joined(same: list[Planned]) -> Planned:
    """Return one experiment with the seeds of all that differ in their seeds alone."""
    seeds = tuple(sorted({seed for one in same for seed in one.seeds}))
    first = same[0]
    return dataclasses.replace(first, experiment=dataclasses.replace(first.experiment, seeds=seeds))


def _warn_of_duplicates(groups: Iterable[list[tuple[Placed, Planned]]]) -> None:
    repeated = [", ".join(_repeated(group)) for group in groups if _repeated(group)]
    if repeated:
        told = "\n".join(repeated[:10]) + ("\n…" if len(repeated) > 10 else "")
        warn(f"asked for more than once, run once:\n{told}")


def _repeated(group: list[tuple[Placed, Planned]]) -> list[str]:
    """Return the places of an experiment some seeds of which are asked for again."""
    asked = [seed for _, one in group for seed in one.seeds]
    return [_where(entry) for entry, _ in group] if len(set(asked)) < len(asked) else []


def _where(entry: Placed) -> str:
    choices = ", ".join(f"{key}[{index}]" for key, index in entry.choices.items())
    return f"{entry.place}.{choices}" if choices else entry.place
