"""The interface of equations: frozen data that states its linear symbol and its nonlinear term."""

import abc
from typing import Any, ClassVar

from apexr.spectral import Grid
from apexr.steppers._terms import NonlinearTerm, PseudoSpectral, ZeroTerm


class Equation(abc.ABC):
    """A semi-linear equation ``uₜ = 𝓛 u + 𝓝(u)`` with constant coefficients.

    Subclass it as a frozen dataclass whose fields are the coefficients, physical ones (on a
    domain of length ``L``, with a time step ``Δt``). It becomes a solver of any order, in any
    dimension, by :class:`~apexr.steppers.ETDRKStepper`.

    Examples
    --------
    The Kawahara equation ``uₜ + u uₓ + a uₓₓₓ - b uₓₓₓₓₓ = 0``:

    >>> @dataclasses.dataclass(frozen=True)
    ... class Kawahara(Equation):
    ...     a: float = 1.0
    ...     b: float = 1.0
    ...
    ...     def linear_symbol(self, grid):
    ...         return -self.a * summed_derivative(grid, 3) + self.b * summed_derivative(grid, 5)
    ...
    ...     def nonlinear_term(self, transform):
    ...         return QuadraticTerm(transform, square=-0.5 * summed_derivative(transform.grid, 1))
    """

    default_dealiasing_fraction: ClassVar[float] = 2 / 3

    @abc.abstractmethod
    def linear_symbol(self, grid: Grid) -> Any:
        """Return what ``𝓛`` multiplies each Fourier coefficient by.

        Returns
        -------
        ``(1 or channel, *spectrum)``, NumPy, or a traced JAX array if a coefficient is traced.
        Build it from :func:`apexr.spectral.derivative_operator` and its kin.
        """

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return ``𝓝``, acting on spectra.

        Parameters
        ----------
        transform
            Takes spectra to (dealiased) fields and back; knows the grid.
        """
        return ZeroTerm()

    def num_channels(self, grid: Grid) -> int:
        """Return the number of channels of a state."""
        return 1
