"""One experiment of a study: planned from its configuration, known by its id."""

import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from typing import Any

from apexr._digest import canonical_json, digest, experiment_id, with_seeds
from apexr._run import plan_experiment
from apexr.errors import SpecError
from apexr.experiment import Experiment, operations
from apexr.networks import NETWORKS
from apexr.scenarios import BaseScenario, Request, check_storable

KEYS = ("scenario", "task", "net", "train", "start_seed", "num_seeds", "precision", "init")
MOST_LAYERS = 1_000
_COUNTED = ("depth", "blocks", "levels", "dilation_depth")
"""Fields of networks that say how often something is built."""

_NOT_SHAPES = ("ic_config", "vlim", "train_seed", "test_seed")


@dataclasses.dataclass(frozen=True)
class Planned:
    """One experiment of a study.

    Attributes
    ----------
    id
        Digest of its specification, whatever the seeds.
    scenario, experiment
        The experiment to run, for all its seeds.
    given
        The configuration as it was written, of which another process can make the same.
    """

    id: str
    scenario: BaseScenario
    experiment: Experiment
    given: Mapping[str, Any]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that are asked for, in order."""
        return self.experiment.seeds

    @property
    def updates(self) -> int:
        """How many updates its training makes."""
        return self.experiment.training.optimizer.updates

    @functools.cached_property
    def operations(self) -> float:
        """The floating-point operations of the network in the rollouts of one update."""
        return len(self.seeds) * operations(self.experiment)

    @property
    def numbers(self) -> float:
        """How many numbers its training and test data have."""
        return float(sum(math.prod(shape) for shape in self.experiment.shapes.values()))

    @functools.cached_property
    def shape(self) -> str:
        """The key that experiments share if they can run the same compiled programs."""
        spec = json.loads(self.experiment.attrs["specification"])
        spec["num_seeds"] = len(self.seeds)
        del spec["start_seed"]
        spec.pop("init", None)
        sizes = {
            name: value
            for name, value in spec.pop("parameters").items()
            if name not in _NOT_SHAPES and not _is_real(value)
        }
        return canonical_json({**spec, **sizes})

    def part(self, seeds: tuple[int, ...]) -> Experiment:
        """Return the experiment with these seeds alone, which follow one another."""
        spec = with_seeds(json.loads(self.experiment.attrs["specification"]), seeds)
        identity = {"experiment_id": digest(spec), "specification": canonical_json(spec)}
        attrs = {**self.experiment.attrs, **identity}
        return dataclasses.replace(self.experiment, seeds=seeds, attrs=attrs)


def plan_one(config: Any) -> Planned:
    """Return the experiment that one configuration means.

    Raises
    ------
    SpecError
        For anything invalid.
    """
    if not isinstance(config, Mapping) or "scenario" not in config:
        raise SpecError("a configuration is a dictionary with a scenario")
    given = dict(config)
    if "net" in given:
        check_layers(given["net"])
    request = {key: given[key] for key in KEYS[1:] if key in given}
    parameters = {key: value for key, value in given.items() if key not in KEYS}
    scenario, experiment = plan_experiment(given["scenario"], Request(**request), parameters)
    told = json.loads(experiment.attrs["specification"])
    check_storable(told)
    identity = experiment_id(told)
    return Planned(identity, scenario, experiment, given)


def check_layers(net: Any) -> None:
    """Refuse a network of more layers than can be looked at before a study starts.

    Raises
    ------
    SpecError
        If a field counts more than :data:`MOST_LAYERS`, or the string cannot be read.
    """
    parsed: Any = NETWORKS.parse(net)
    while parsed is not None:
        for name in _COUNTED:
            if getattr(parsed, name, 0) > MOST_LAYERS:
                raise SpecError(
                    f"network config: {name.upper()} of {net!r} must be at most {MOST_LAYERS}"
                )
        parsed = getattr(parsed, "inner", None)


def _is_real(value: Any) -> bool:
    if isinstance(value, list):
        return any(_is_real(item) for item in value)
    return isinstance(value, float)
