"""Quantities that equations conserve: mass, energy, enstrophy, and velocities without divergence.

Integrals are over the scenario's domain, ``∫ s = Π L_d ⟨s⟩``. ``M_c = ∫ u_c`` is the mass of a
channel, ``E = ½ ∫ Σ_c u_c²`` the energy; of a vorticity it is that of its velocity. The enstrophy
is ``Z = ½ ∫ |ω|²`` of the vorticity, which is the curl of a velocity.
"""

import abc
import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.errors import SpecError
from apexr.metrics._domain import DomainMetric, Fields
from apexr.metrics._kind import metric
from apexr.metrics._scale import scale_of_all, scales
from apexr.spectral import curl, divergence, velocity_from_vorticity

State = Float[Array, "channel *space"]
Derived = Float[Array, "component *space"]
"""A field that is made of a state: a velocity, a vorticity."""
_KINDS = {"scalars": "scalars", "velocity": "a velocity", "vorticity": "a vorticity"}


class _Prediction(DomainMetric, abc.ABC):
    """A quantity of the prediction alone: a perfect one has that of the reference."""

    best = float("nan")

    @abc.abstractmethod
    def quantity(self, state: State, fields: Fields) -> Float[Array, ""]:
        """Return the quantity of one state."""

    def error_on(self, prediction: State, target: State, fields: Fields) -> Float[Array, ""]:
        """Return the quantity of one predicted state."""
        return self.quantity(prediction, fields)


class _RelativeChange(DomainMetric, abc.ABC):
    """How much half the mean square of a field differs from that of the reference."""

    @abc.abstractmethod
    def squared(self, state: State, fields: Fields) -> Derived:
        """Return the field whose square is integrated."""

    def error_on(self, prediction: State, target: State, fields: Fields) -> Float[Array, ""]:
        """Return the relative error of the quantity of one predicted state."""
        own, true = (self.squared(state, fields) for state in (prediction, target))
        scale = scales(own.reshape(1, -1), true.reshape(1, -1))[1][0, 0]
        held = jnp.mean((true / scale) ** 2)
        return jnp.abs(jnp.mean((own / scale) ** 2) - held) / held


def _volume(fields: Fields) -> float:
    return math.prod(fields.grid.extents)


def _moving(state: State, fields: Fields) -> Derived:
    """Return the field whose energy is meant: the velocity of a vorticity, else the state."""
    if fields.kind == "vorticity":
        return velocity_from_vorticity(state, fields.grid.domain_extent)
    return state


def _turning(state: State, fields: Fields) -> Derived:
    """Return the vorticity."""
    return state if fields.kind == "vorticity" else curl(state, fields.grid.domain_extent)


def _energy(field: Derived, fields: Fields) -> Float[Array, ""]:
    scale = scale_of_all(field)
    return _volume(fields) * jnp.sum(jnp.mean((field / scale) ** 2, _space(field))) / 2 * scale**2


def _space(field: Derived) -> tuple[int, ...]:
    return tuple(range(1, field.ndim))


def _check_velocity(name: str, fields: Fields) -> None:
    """Refuse states that are no velocity of two or three components."""
    dims, held = fields.grid.num_spatial_dims, fields.num_channels
    if fields.kind in (None, "velocity") and held == dims > 1:
        return
    given = _KINDS.get(fields.kind or "", "of unknown meaning")
    raise SpecError(
        f"metric {name!r} is of a velocity with one channel a dimension, in 2D or 3D; the states"
        f" have {held} channel{'s' if held > 1 else ''} in {dims}D"
        + (f", which are {given}" if fields.kind else "")
    )


@metric("mean_total_mass")
class TotalMass(_Prediction):
    """mean_total_mass - integral of the prediction, summed over channels."""

    formula = "Σ_c ∫ u_c"
    span = "−∞ … ∞"

    def quantity(self, state: State, fields: Fields) -> Float[Array, ""]:
        """Return ``Σ_c ∫ u_c``."""
        return _volume(fields) * jnp.sum(jnp.mean(state, _space(state)))


@metric("mean_mass_error")
class MassError(DomainMetric):
    """mean_mass_error - how far the mass is from that of the reference, relative to all of it."""

    formula = "Σ_c |∫ u_c − ∫ r_c| / ∫ |r_c|"

    def error_on(self, prediction: State, target: State, fields: Fields) -> Float[Array, ""]:
        """Return the relative error of the mass of one predicted state."""
        change = jnp.abs(jnp.mean(prediction - target, _space(target)))
        return jnp.sum(change / jnp.mean(jnp.abs(target), _space(target)))


@metric("mean_total_energy")
class TotalEnergy(_Prediction):
    """mean_total_energy - half the integral of the squared prediction; kinetic of a vorticity."""

    formula = "½ ∫ Σ_c u_c²"

    def quantity(self, state: State, fields: Fields) -> Float[Array, ""]:
        """Return ``½ ∫ Σ_c u_c²``."""
        return _energy(_moving(state, fields), fields)


@metric("mean_energy_error")
class EnergyError(_RelativeChange):
    """mean_energy_error - how far the energy is from that of the reference, relative to it."""

    formula = "|E(u) − E(r)| / E(r)"

    def squared(self, state: State, fields: Fields) -> Derived:
        """Return the state, or the velocity of a vorticity."""
        return _moving(state, fields)


def _check_turning(name: str, fields: Fields) -> None:
    if fields.kind != "vorticity":
        _check_velocity(name, fields)


@metric("mean_total_enstrophy")
class TotalEnstrophy(_Prediction):
    """mean_total_enstrophy - half the integral of the squared vorticity of the prediction."""

    formula = "½ ∫ |ω(u)|²"

    def check(self, fields: Fields) -> None:
        """Refuse states that are no vorticity and no velocity."""
        _check_turning(str(self), fields)

    def quantity(self, state: State, fields: Fields) -> Float[Array, ""]:
        """Return ``½ ∫ |ω|²``."""
        return _energy(_turning(state, fields), fields)


@metric("mean_enstrophy_error")
class EnstrophyError(_RelativeChange):
    """mean_enstrophy_error - how far the enstrophy is from that of the reference, relative."""

    formula = "|Z(u) − Z(r)| / Z(r)"

    def check(self, fields: Fields) -> None:
        """Refuse states that are no vorticity and no velocity."""
        _check_turning(str(self), fields)

    def squared(self, state: State, fields: Fields) -> Derived:
        """Return the vorticity."""
        return _turning(state, fields)


@metric("mean_divergence")
class Divergence(_Prediction):
    """mean_divergence - root mean square of the divergence of the predicted velocity."""

    formula = "⟨(∇·u)²⟩^½"

    def check(self, fields: Fields) -> None:
        """Refuse states that are no velocity."""
        _check_velocity(str(self), fields)

    def quantity(self, state: State, fields: Fields) -> Float[Array, ""]:
        """Return ``⟨(∇·u)²⟩^½``."""
        sources = divergence(state, fields.grid.domain_extent)
        scale = scale_of_all(sources)
        return jnp.sqrt(jnp.mean((sources / scale) ** 2)) * scale
