"""The parts that config strings name, under the published benchmark's names.

Each is a mapping from a name to what is registered under it, to be listed and looked up in. A part
of one's own is registered by a decorator; see ``docs/custom.md``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from apexr._registry import Registry
from apexr.errors import SpecError
from apexr.initial import INITIAL_CONDITIONS
from apexr.metrics import METRICS
from apexr.networks import ACTIVATIONS, NETWORKS
from apexr.training import OPTIMIZERS, SCHEDULES


class Registered(Mapping[str, Any]):
    """The registered parts of a kind, by name.

    Parameters
    ----------
    registry
        The registry.
    decorator
        The decorator that registers a part of your own.
    """

    def __init__(self, registry: Registry[Any], decorator: str) -> None:
        self._registry = registry
        self._decorator = decorator

    def __getitem__(self, name: str) -> Any:
        return self._registry.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._registry

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry.names())

    def __len__(self) -> int:
        return len(self._registry.names())

    def __setitem__(self, name: str, value: object) -> None:
        """Say how a part of one's own is registered.

        Raises
        ------
        SpecError
            Always.
        """
        raise SpecError(
            f"{self._registry.noun} {name!r} is registered by the decorator {self._decorator}; its"
            ' class says what the arguments of the config string are (docs/custom.md, "Parts of'
            ' your own")'
        )

    def __repr__(self) -> str:
        return f"{self._registry.noun}s: {', '.join(self)}"


activation_fn_dict = Registered(ACTIVATIONS, "apexr.networks.activation")
"""Activation functions."""
architecture_dict = Registered(NETWORKS.registry, "apexr.networks.network")
"""Networks."""
ic_dict = Registered(INITIAL_CONDITIONS.registry, "apexr.initial.initial_condition")
"""Initial conditions."""
lr_scheduler_dict = Registered(SCHEDULES.registry, "apexr.training.schedule")
"""Schedules of the learning rate."""
metric_dict = Registered(METRICS.registry, "apexr.metrics.metric")
"""Metrics."""
optimizer_dict = Registered(OPTIMIZERS.registry, "apexr.training.optimizer")
"""Optimizers."""

__all__ = [
    "activation_fn_dict",
    "architecture_dict",
    "ic_dict",
    "lr_scheduler_dict",
    "metric_dict",
    "optimizer_dict",
]
