"""What all physical scenarios have: a domain and a time step."""

from apexr._grammar import PositiveFloat
from apexr.recipe import Extent, derived
from apexr.scenarios._families import Coefficients, Family


class Domain(Family):
    """An equation on a domain of some extent, with a step of some time.

    Parameters
    ----------
    domain_extent
        Length of the domain along each axis; a tuple of one number an axis where they differ.
    dt
        Time from one recorded state to the next.
    """

    interface = "phy"
    domain_extent: Extent = 1.0
    dt: PositiveFloat = 0.1


class Physical(Domain):
    """An equation with the linear coefficients a₀, a₁, … in ``a_coefs``."""

    linear_field = "a_coefs"
    a_coefs: Coefficients = derived()
