"""Numbers that are not finite, found before any work."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from apexr._digest import digest
from apexr.errors import SpecError
from apexr.training import Streamed

_CLEAN: set[str] = set()
"""Digests of data that have been looked at in this process."""


def check_finite(
    parts: Mapping[Any, Streamed], where: Callable[[str, int], str], scenario: Any
) -> None:
    """Refuse trajectories with NaN or infinite numbers; each set is looked at once a process.

    Parameters
    ----------
    parts
        The trajectories by part, which are read one at a time.
    where
        Names a trajectory by part and sample.
    scenario
        Says by its identity which data these are.

    Raises
    ------
    SpecError
        Naming the first trajectory at fault and the frame.
    """
    dtypes = [str(streamed.dtype) for streamed in parts.values()]
    mark = digest([scenario.identifying_parameters, dtypes])
    if mark in _CLEAN:
        return
    for part, streamed in parts.items():
        for sample in range(len(streamed)):
            frames = streamed.read(sample, 0, streamed.shape[1])
            if np.isfinite(frames).all():
                continue
            frame, channel = np.argwhere(~np.isfinite(frames))[0][:2]
            raise SpecError(
                f"{where(part, sample)}: not finite at time step {frame} (channel {channel}, in"
                f" {frames.dtype}); take it out, or mend the data"
            )
    _CLEAN.add(mark)
