"""The normalization that most initial conditions share, and checks of their arguments."""

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.errors import SpecError


@dataclasses.dataclass(frozen=True)
class Normalization:
    """The normalization of a drawn state: ``(u - shift) / divisor``.

    Parameters
    ----------
    zero_mean
        Subtract the mean.
    std_one
        Then divide by the standard deviation over all points.
    max_one
        Then divide by the largest absolute value.

    Raises
    ------
    SpecError
        For ``std_one`` without ``zero_mean`` or together with ``max_one``.
    """

    zero_mean: bool = False
    std_one: bool = False
    max_one: bool = False

    def __post_init__(self) -> None:
        if self.std_one and not self.zero_mean:
            raise SpecError("STD_ONE needs a state of zero mean: ZERO_MEAN must be true as well")
        if self.std_one and self.max_one:
            raise SpecError("STD_ONE and MAX_ONE exclude each other: one of them must be false")

    def __call__(self, u: Float[Array, "channel *space"]) -> Float[Array, "channel *space"]:
        """Return the normalized state; one that is the same everywhere is only shifted."""
        return normalize(u, *self.measure(u))

    @property
    def changes(self) -> bool:
        """Whether anything is done at all."""
        return self.zero_mean or self.std_one or self.max_one

    def measure(self, u: Float[Array, "channel *space"]) -> tuple[Array, Array]:
        """Return shift and divisor."""
        shift = jnp.mean(u) if self.zero_mean else jnp.zeros((), u.dtype)
        divisor = jnp.ones((), u.dtype)
        if self.std_one:
            divisor = jnp.std(u)
        if self.max_one:
            divisor = jnp.max(jnp.abs(u - shift))
        return shift, nonzero(divisor)


def normalize(
    u: Float[Array, "channel *space"], shift: Float[Array, ""], divisor: Float[Array, ""]
) -> Float[Array, "channel *space"]:
    """Return ``(u - shift) / divisor``."""
    return (u - shift) / divisor


def nonzero(divisor: Float[Array, ""]) -> Float[Array, ""]:
    """Return the divisor, or 1 for 0."""
    return jnp.where(divisor == 0, 1, divisor)


def check_range(name: str, low: float, high: float) -> None:
    """Refuse a range that ends before it starts.

    Raises
    ------
    SpecError
        Naming both ends.
    """
    if low > high:
        raise SpecError(f"{name}_LOW must be at most {name}_HIGH, got {low} and {high}")
