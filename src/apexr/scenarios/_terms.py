"""The terms of the shared equations: the slot of each, its formula, and who scales it.

A scenario names the coefficient of a term by a parameter, ``TERM_UNIT``: ``diffusion_gamma`` is the
difficulty of diffusion, ``diffusion_alpha`` its normalized coefficient, ``diffusion_coef`` its
physical one. Sets of coefficients, conversions and documentation follow from the name.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from apexr._grammar import Range

Coefficients = tuple[float, ...]
Triple = tuple[float, float, float]
TermOrder = Annotated[int, Range(minimum=0, maximum=16)]
Kind = Literal["linear", "nonlinear"]


@dataclasses.dataclass(frozen=True)
class Term:
    """A term of an equation.

    Attributes
    ----------
    kind, place
        Its slot: the order of a linear term, the place of a nonlinear one. It is None for the term
        ``linear``, whose order is a parameter, and for convection of several channels, whose
        equation has no other nonlinear term.
    formula
        The expression multiplied by its coefficient, on the right-hand side.
    """

    kind: Kind
    place: int | None
    formula: str


TERMS: Mapping[str, Term] = {
    "linear": Term("linear", None, "``Σ_d ∂_dʲ u``, j being ``linear_term_order``"),
    "drag": Term("linear", 0, "``u``"),
    "advection": Term("linear", 1, "``Σ_d ∂_d u``"),
    "diffusion": Term("linear", 2, "``Σ_d ∂_d² u``"),
    "dispersion": Term("linear", 3, "``Σ_d ∂_d³ u``"),
    "hyp_diffusion": Term("linear", 4, "``Σ_d ∂_d⁴ u``"),
    "hyper_diffusion": Term("linear", 4, "``Σ_d ∂_d⁴ u``"),
    "convection": Term("nonlinear", None, "``½ ∇·(u ⊗ u)``"),
    "quadratic": Term("nonlinear", 0, "``u²``"),
    "convection_sc": Term("nonlinear", 1, "``½ Σ_d ∂_d u²``"),
    "gradient_norm": Term("nonlinear", 2, "``½ ‖∇u‖²``"),
}


@dataclasses.dataclass(frozen=True)
class Scale:
    """How an interface scales coefficients and what it calls them.

    Attributes
    ----------
    interface
        As scenario names have it.
    noun, symbols
        The meaning of a coefficient, and the letters of linear and nonlinear ones.
    units
        The ends of parameters' names, by kind of the term.
    sets
        Parameters that hold all coefficients of a kind.
    """

    interface: str
    noun: str
    symbols: str
    units: Mapping[Kind, str]
    sets: Mapping[Kind, str]

    def parameter(self, term: str) -> str:
        """Return what the coefficient of a term is called: ``diffusion_gamma``."""
        return f"{term}_{self.units[TERMS[term].kind]}"

    def meanings(self) -> Iterator[tuple[str, str]]:
        """Give what each parameter of the interface means, by name."""
        first, second = tuple(self.symbols)
        many = {"Difficulty": "Difficulties"}.get(self.noun, f"{self.noun}s")
        linear = f"{first}₀, {first}₁, … of the linear terms ``Σ_d ∂_dʲ u``, from order 0 on."
        three = f"{second}₀, {second}₁, {second}₂ of ``u²``, ``½ Σ_d ∂_d u²`` and ``½ ‖∇u‖²``."
        yield self.sets["linear"], f"{many} {linear}"
        yield self.sets["nonlinear"], f"{many} {three}"
        for name, term in TERMS.items():
            said = f"{self.noun} of {term.formula}, on the right-hand side."
            yield self.parameter(name), said


DIFFICULTY = Scale(
    "diff",
    "Difficulty",
    "γδ",
    {"linear": "gamma", "nonlinear": "delta"},
    {"linear": "gammas", "nonlinear": "deltas"},
)
NORMALIZED = Scale(
    "norm",
    "Normalized coefficient",
    "αβ",
    {"linear": "alpha", "nonlinear": "beta"},
    {"linear": "alphas", "nonlinear": "betas"},
)
PHYSICAL = Scale(
    "phy",
    "Coefficient",
    "ab",
    {"linear": "coef", "nonlinear": "coef"},
    {"linear": "a_coefs", "nonlinear": "b_coefs"},
)

MEANINGS: Mapping[str, str] = {
    **dict(DIFFICULTY.meanings()),
    **dict(NORMALIZED.meanings()),
    **dict(PHYSICAL.meanings()),
    "poly_coefs": "Coefficients c₀, c₁, … of the powers ``uᵏ``, from power 0 on.",
    "linear_term_order": "Order j of the derivative.",
    "advection_coef_vector": "Coefficient of ``∂_d u`` for each axis d.",
    "diffusion_coef_vector": "Coefficient of ``∂_d² u`` for each axis d.",
    "diffusion_coef_matrix": "The symmetric, positive matrix A, row by row.",
    "feed_rate": "F.",
    "kill_rate": "K.",
    "pattern_type": "Name of the pattern, which sets feed rate and kill rate.",
}
"""Meaning of the parameters that interfaces share, by name."""
