"""Scenarios of recorded trajectories, from files, URLs, arrays and labeled data."""

from apexr._doors import check_all
from apexr.exchange.readers import (
    LAYOUTS,
    Axis,
    Constant,
    Field,
    Reader,
    Recording,
    layout,
    reader,
)
from apexr.scenarios.recorded._inspect import inspect
from apexr.scenarios.recorded._scenario import Recorded

__all__ = [
    "LAYOUTS",
    "Axis",
    "Constant",
    "Field",
    "Reader",
    "Recorded",
    "Recording",
    "inspect",
    "layout",
    "reader",
]

check_all(globals())
