"""Records of a training: the losses, and the values that recorders return."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

NEVER = -1
"""The value of ``diverged_at`` for a seed whose losses all stayed finite."""


class Record(NamedTuple):
    """Values by seed at some update steps.

    Attributes
    ----------
    update_steps
        ``(record,)``.
    values
        ``(seed, record, …)``.
    """

    update_steps: Int[np.ndarray, " record"]
    values: np.ndarray


@dataclasses.dataclass
class Series:
    """A record that grows; the newest values may still be on their device."""

    steps: list[int] = dataclasses.field(default_factory=list)
    values: list[Any] = dataclasses.field(default_factory=list)

    def add(self, step: int, values: Any) -> None:
        """Note the values of one step; those before it are done by now and fetched."""
        if self.values:
            self.values[-1] = np.asarray(self.values[-1])
        self.steps.append(step)
        self.values.append(values)

    def record(self) -> Record:
        """Return all that was noted."""
        return Record(np.asarray(self.steps), np.stack(list(map(np.asarray, self.values)), axis=1))


_LOSSES, _STEPS, _VALUES = "losses", "steps", "values"
_NOTED, _MEASURED = "noted/", "measured/"

VALID_LOSS, VALID_SCORE = "valid_loss", "valid_score"
"""The quantity that validation measures."""


class Records:
    """The losses of a training, what validation measures, and the records of its recorders."""

    def __init__(self) -> None:
        self.losses = Series()
        self.noted: dict[str, Series] = {}
        self.measured: dict[str, Series] = {}

    def note(self, step: int, values: Mapping[str, Any]) -> None:
        """Note what a recorder returned."""
        for name, value in values.items():
            self.noted.setdefault(name, Series()).add(step, value)

    def measure(self, step: int, values: Mapping[str, Any], running: Any = True) -> None:
        """Note what validation measured; of seeds that do not run, what was last measured."""
        for name, value in values.items():
            series = self.measured.setdefault(name, Series())
            series.add(
                step, np.where(running, value, series.values[-1] if series.values else value)
            )

    def repeat(self, step: int) -> None:
        """Note for all seeds what validation last measured."""
        for series in self.measured.values():
            series.add(step, series.values[-1])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything as plain arrays by name; :meth:`from_arrays` reads them."""
        held = {_LOSSES: self.losses}
        held |= {_NOTED + name: series for name, series in self.noted.items()}
        held |= {_MEASURED + name: series for name, series in self.measured.items()}
        return {
            f"{name}/{part}": array
            for name, series in held.items()
            for part, array in zip((_STEPS, _VALUES), series.record(), strict=True)
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Records":
        """Return the records that :meth:`arrays` gave."""
        records = cls()
        for key, steps in arrays.items():
            name, _, part = key.rpartition("/")
            if part != _STEPS:
                continue
            values = arrays[f"{name}/{_VALUES}"]
            series = Series(steps.tolist(), [values[:, i] for i in range(len(steps))])
            if name == _LOSSES:
                records.losses = series
            elif name.startswith(_MEASURED):
                records.measured[name.removeprefix(_MEASURED)] = series
            else:
                records.noted[name.removeprefix(_NOTED)] = series
        return records
