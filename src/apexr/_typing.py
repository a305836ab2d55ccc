"""Type aliases shared by all layers; this module imports no other part of apexr."""

from os import PathLike
from typing import Literal

PathInput = str | PathLike[str]
"""A path as users give it."""

Precision = Literal["float32", "float64"]
"""What is computed with."""
