"""Readers of recorded trajectories: one file a layout, and the form that all of them return.

A registered reader recognizes its layout in an open HDF5 file. Files of strangers are data: they
are read in parts, under limits, and nothing in them is run.
"""

from apexr.exchange.readers import _pdearena, _pdebench, _well  # noqa: F401 - registers
from apexr.exchange.readers._recording import Axis, Constant, Field, Recording
from apexr.exchange.readers._registry import LAYOUTS, Reader, layout, reader

__all__ = ["LAYOUTS", "Axis", "Constant", "Field", "Reader", "Recording", "layout", "reader"]
