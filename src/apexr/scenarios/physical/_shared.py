"""The equations that the physical interface shares with the others."""

from apexr.scenarios._equations import scenarios_of
from apexr.scenarios._terms import PHYSICAL

_made = scenarios_of(PHYSICAL, __name__)
globals().update(_made)
__all__ = list(_made)
