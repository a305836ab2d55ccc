"""The equations that all interfaces share: each declared once, with its defaults in all of them.

A declaration names the terms of an equation; :mod:`apexr.scenarios._terms` says what these are.
:func:`scenarios_of` makes the classes of an interface, and ``tools/scenario_stubs.py`` the stubs
from which editors and type checkers know their fields.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from apexr.recipe import scenario
from apexr.scenarios._families import FROM_0_TO_1, KURAMOTO_METRICS, KURAMOTO_WARMUP, Family
from apexr.scenarios._interfaces import FORMS, Form
from apexr.scenarios._terms import TERMS, Coefficients, Kind, Scale, TermOrder, Triple

PUBLISHED = """

With ``numerics="apebench"`` the term of order zero counts D times, as in the published data."""

SATURATES = """

With ``numerics="apebench"`` the growth is D r u in D dimensions, as in the published data:
states saturate at D."""

CHAOTIC = {"num_warmup_steps": KURAMOTO_WARMUP, "report_metrics": KURAMOTO_METRICS}


@dataclasses.dataclass(frozen=True)
class Row:
    """An equation by one interface.

    Attributes
    ----------
    coefficients
        Defaults of the coefficients, by term; of whole sets as ``linear_set``, ``nonlinear_set``.
    changes
        Defaults of other parameters that differ from those of the interface.
    key, suffix
        Where they differ from those of the equation.
    aliases, renamed
        Older keys, and older names of parameters with the factors of their values.
    orders
        Length of the set of linear coefficients.
    note
        Further words for the documentation.
    """

    coefficients: Mapping[str, Any]
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    key: str = ""
    suffix: str = ""
    aliases: tuple[str, ...] = ()
    renamed: Mapping[str, tuple[str, float]] = dataclasses.field(default_factory=dict)
    orders: int = 5
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Declared:
    """An equation with its defaults by each interface.

    Attributes
    ----------
    name, key
        Of the classes, and of their keys behind the interface.
    said
        The documentation; ``{0}`` is the letter of linear coefficients.
    diff, norm, phy
        Its row by each interface; None where it has none.
    suffix
        Of scenario names, where it is not the key.
    facts
        Class attributes; ``{0}`` is the interface.
    """

    name: str
    key: str
    said: str
    diff: Row
    norm: Row
    phy: Row | None = None
    suffix: str = ""
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def row(self, scale: Scale) -> Row | None:
        """Return the row of an interface."""
        row: Row | None = getattr(self, scale.interface)
        return row


UNREAD = """

The published benchmark declares ``convection_delta=-6e-3`` here, which nothing reads: its
data are those of ``convection_beta=-1.25e-2``, as they are by default here."""

LINEAR = (
    Declared(
        "Linear",
        "lin",
        "Any linear equation ``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u``, by all its coefficients.",
        diff=Row({"linear_set": (0.0, -4.0, 0.0, 0.0, 0.0)}, suffix="linear_{terms}"),
        norm=Row({"linear_set": (0.0, -0.025, 0.0, 0.0, 0.0)}),
        phy=Row({"linear_set": (0.0, -0.25, 0.0, 0.0, 0.0)}),
        suffix="lin_{terms}",
    ),
    Declared(
        "LinearSimple",
        "lin_simple",
        "One linear term of any order n, ``uₜ = a Σ_d ∂_dⁿ u``, or ``uₜ = a u`` for n = 0.",
        diff=Row({"linear": -4.0}, suffix="linear_{terms}"),
        norm=Row({"linear": -0.025}),
        phy=Row({"linear": -0.25}),
        suffix="lin_{terms}",
    ),
    Declared(
        "Advection",
        "adv",
        "Advection ``uₜ = -c Σ_d ∂_d u``; {0}₁ < 0 moves to the right.",
        diff=Row({"advection": -4.0}, renamed={"adv_difficulty": ("advection_gamma", -1.0)}),
        norm=Row({"advection": -0.025}),
        phy=Row({"advection": -0.25}),
    ),
    Declared(
        "Diffusion",
        "diff",
        "Diffusion ``uₜ = ν Δu``.",
        diff=Row({"diffusion": 4.0}),
        norm=Row({"diffusion": 0.0008}),
        phy=Row({"diffusion": 0.008}),
    ),
    Declared(
        "AdvectionDiffusion",
        "adv_diff",
        "Advection and diffusion ``uₜ = -c Σ_d ∂_d u + ν Δu``.",
        diff=Row({"advection": -4.0, "diffusion": 4.0}),
        norm=Row({"advection": -0.025, "diffusion": 0.0008}, orders=3),
        phy=Row({"advection": -0.25, "diffusion": 0.008}),
    ),
    Declared(
        "Dispersion",
        "disp",
        "Dispersion ``uₜ = ξ Σ_d ∂_d³ u``.",
        diff=Row({"dispersion": 4.0}),
        norm=Row({"dispersion": 2.5e-07}),
        phy=Row(
            {"dispersion": 0.00025},
            {"dt": 0.001},
            renamed={"dipersion_coef": ("dispersion_coef", 1.0)},
        ),
    ),
    Declared(
        "HyperDiffusion",
        "hyp_diff",
        "Hyper-diffusion ``uₜ = -μ Σ_d ∂_d⁴ u``; {0}₄ < 0 damps.",
        diff=Row({"hyp_diffusion": -4.0}),
        norm=Row({"hyp_diffusion": -7.5e-10}, key="hypdiff", aliases=("norm_hyp_diff",)),
        phy=Row({"hyper_diffusion": -7.5e-05}, {"dt": 1e-05}),
    ),
    Declared(
        "FirstFour",
        "four",
        "Advection to hyper-diffusion together: ``uₜ = Σ_{j=1…4} a_j Σ_d ∂_dʲ u``.",
        diff=Row({"advection": -4.0, "diffusion": 4.0, "dispersion": 4.0, "hyp_diffusion": -4.0}),
        norm=Row(
            {
                "advection": -0.025,
                "diffusion": 0.0008,
                "dispersion": 2.5e-07,
                "hyp_diffusion": -7.5e-10,
            }
        ),
        phy=Row(
            {
                "advection": -2500.0,
                "diffusion": 80.0,
                "dispersion": 0.025,
                "hyp_diffusion": -7.5e-05,
            },
            {"dt": 1e-05},
        ),
    ),
)

CONVECTION = (
    Declared(
        "Convection",
        "conv",
        "Convection ``uₜ = b ½ ∇·(u ⊗ u) + a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u``, any linear terms."
        + PUBLISHED,
        diff=Row({"linear_set": (0.0, 0.0, 1.5, 0.0, 0.0)}),
        norm=Row({"linear_set": (0.0, 0.0, 3e-05, 0.0, 0.0)}),
        phy=Row({"linear_set": (0.0, 0.0, 0.0003, 0.0, 0.0)}),
        suffix="conv_{terms}",
    ),
    Declared(
        "Burgers",
        "burgers",
        "The Burgers equation ``uₜ = b ½ ∇·(u ⊗ u) + ν Δu``.",
        diff=Row({"diffusion": 1.5}),
        norm=Row({"diffusion": 3e-05}),
        phy=Row({"diffusion": 0.0003}),
    ),
    Declared(
        "KuramotoSivashinskyConservative",
        "ks_cons",
        "Kuramoto-Sivashinsky, conservative form, ``uₜ = b ½ ∂ u² + a₂ ∂² u + a₄ ∂⁴ u``, 1D only.",
        diff=Row(
            {"convection": -1.0, "diffusion": -2.0, "hyp_diffusion": -18.0},
            {**CHAOTIC, "vlim": (-2.5, 2.5)},
        ),
        norm=Row(
            {"diffusion": -4e-05, "hyp_diffusion": -3e-08},
            {**CHAOTIC, "vlim": (-2.5, 2.5)},
            note=UNREAD,
        ),
        phy=Row(
            {"convection": -3.6, "diffusion": -1.44, "hyp_diffusion": -0.4},
            {**CHAOTIC, "vlim": (-2.5, 2.5), "domain_extent": 60.0},
            suffix="ks_conservative",
        ),
        facts={
            "dimensions": (1,),
            "elsewhere": "in more dimensions take KuramotoSivashinsky ({0}_ks)",
        },
    ),
)

NONLINEAR = (
    Declared(
        "Nonlinear",
        "nonlin",
        "``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u + b₀ u² + b₁ ½ Σ_d ∂_d u² + b₂ ½ (‖∇u‖² - mean)``."
        + PUBLISHED,
        diff=Row({"linear_set": (0.0, 0.0, 1.5, 0.0, 0.0), "nonlinear_set": (0.0, -1.5, 0.0)}),
        norm=Row({"linear_set": (0.0, 0.0, 3e-05, 0.0, 0.0), "nonlinear_set": (0.0, -0.0125, 0.0)}),
        phy=Row({"linear_set": (0.0, 0.0, 0.0003, 0.0, 0.0), "nonlinear_set": (0.0, -0.125, 0.0)}),
    ),
    Declared(
        "BurgersSingleChannel",
        "burgers_sc",
        "The Burgers equation with one channel, ``uₜ = b ½ Σ_d ∂_d u² + ν Δu``.",
        diff=Row({"convection_sc": -1.5, "diffusion": 1.5}),
        norm=Row({"convection_sc": -0.0125, "diffusion": 3e-05}),
        phy=Row({"convection_sc": -0.125, "diffusion": 0.0003}),
    ),
    Declared(
        "KortewegDeVries",
        "kdv",
        "Korteweg-de Vries ``uₜ = b ½ Σ_d ∂_d u² + a₃ Σ_d ∂_d³ u + a₄ Σ_d ∂_d⁴ u``, one channel.",
        diff=Row({"convection_sc": -2.0, "dispersion": -14.0, "hyp_diffusion": -9.0}),
        norm=Row({"convection_sc": -0.0125, "dispersion": -8.5e-07, "hyp_diffusion": -2e-09}),
        phy=Row(
            {"convection_sc": -6.0, "dispersion": -1.0, "hyp_diffusion": -0.125},
            {"domain_extent": 50.0},
        ),
    ),
    Declared(
        "KuramotoSivashinsky",
        "ks",
        "Kuramoto-Sivashinsky ``uₜ = b ½ (‖∇u‖² - mean) + a₂ Δu + a₄ Σ_d ∂_d⁴ u``, combustion"
        " form.",
        diff=Row(
            {"gradient_norm": -6.0, "diffusion": -1.2, "hyp_diffusion": -15.0},
            {**CHAOTIC, "vlim": (-6.5, 6.5)},
        ),
        norm=Row(
            {"gradient_norm": -0.00025, "diffusion": -2.5e-05, "hyp_diffusion": -3e-09},
            {**CHAOTIC, "vlim": (-6.5, 6.5)},
        ),
        phy=Row(
            {"gradient_norm": -1.0, "diffusion": -1.0, "hyp_diffusion": -1.0},
            {**CHAOTIC, "vlim": (-6.5, 6.5), "domain_extent": 60.0},
        ),
    ),
    Declared(
        "FisherKPP",
        "fisher",
        "The Fisher-KPP equation ``uₜ = r u + ν Δu - r u²``; states between 0 and 1." + SATURATES,
        diff=Row(
            {"quadratic": -0.02, "drag": 0.02, "diffusion": 0.2},
            {"ic_config": FROM_0_TO_1},
            orders=3,
        ),
        norm=Row(
            {"quadratic": -0.02, "drag": 0.02, "diffusion": 4e-06}, {"ic_config": FROM_0_TO_1}
        ),
    ),
)
EQUATIONS: Mapping[Form, tuple[Declared, ...]] = {
    "linear": LINEAR,
    "convection": CONVECTION,
    "nonlinear": NONLINEAR,
}
"""The equations by their form; the physical Fisher-KPP equation is a polynomial, elsewhere."""


def declared(scale: Scale) -> Iterator[tuple[Declared, Row, type[Family]]]:
    """Give the equations of an interface, with their rows and what their classes inherit from."""
    for form, base in FORMS[scale.interface].items():
        for one in EQUATIONS[form]:
            if (row := one.row(scale)) is not None:
                yield one, row, base


def fields_of(row: Row, scale: Scale, base: type) -> Iterator[tuple[str, Any, Any]]:
    """Give name, type and default of each field that a row declares on a base class."""
    for name, value in row.changes.items():
        yield name, base.__dataclass_fields__[name].type, value  # type: ignore[attr-defined]
    for name, value in row.coefficients.items():
        if name.endswith("_set"):
            kind: Kind = "linear" if name.startswith("linear") else "nonlinear"
            yield scale.sets[kind], Triple if kind == "nonlinear" else Coefficients, value
        else:
            yield scale.parameter(name), float, value
    if "linear" in row.coefficients:
        yield "linear_term_order", TermOrder, 1


def scenarios_of(scale: Scale, module: str) -> dict[str, type[Family]]:
    """Return the classes of an interface by name, registered under their keys.

    Parameters
    ----------
    scale
        The interface.
    module
        Where the classes are found.
    """
    made = {}
    for one, row, base in declared(scale):
        fields = list(fields_of(row, scale, base))
        facts = {name: _filled(value, scale.interface) for name, value in one.facts.items()}
        namespace = {
            "__module__": module,
            "__qualname__": one.name,
            "__doc__": one.said.replace("{0}", scale.symbols[0]) + row.note,
            "__annotations__": {name: hint for name, hint, _ in fields},
            **{name: value for name, _, value in fields},
            **facts,
            "suffix": row.suffix or one.suffix or one.key,
            "terms": {scale.parameter(n): TERMS[n] for n in row.coefficients if n in TERMS},
            "num_orders": row.orders,
        }
        if row.renamed:
            namespace["renamed"] = row.renamed
        key = f"{scale.interface}_{row.key or one.key}"
        made_by: Any = type(base)
        cls: type[Family] = made_by(one.name, (base,), namespace)
        made[one.name] = scenario(key, aliases=row.aliases)(cls)
    return made


def _filled(value: Any, interface: str) -> Any:
    return value.replace("{0}", interface) if isinstance(value, str) else value
