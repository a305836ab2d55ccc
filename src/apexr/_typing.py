"""Type aliases shared by all layers; this module imports no other part of apexr."""

from os import PathLike

PathInput = str | PathLike[str]
"""A path as users give it."""
