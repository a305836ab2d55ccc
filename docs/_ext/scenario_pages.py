"""A page for each family of scenarios, made from the registry, with a simulated picture.

The pages are written to ``docs/scenarios`` before Sphinx reads them. A key that no family names
gets a page of its own, so that a new scenario cannot be forgotten. Pictures are simulated on small
grids; one that is there for the same simulation is kept.
"""

import dataclasses
import hashlib
import inspect
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from apexr.errors import SpecError
from apexr.scenarios import SCENARIOS, BaseScenario, describe_coefficients

ERRORS = Path(inspect.getfile(BaseScenario)).parent / "reference_errors.json"
FOLDER = Path(__file__).resolve().parents[1] / "scenarios"
MARK = "<!-- made by docs/_ext/scenario_pages.py from the registry; not to be edited -->\n"
INTERFACES = {"diff": "difficulty", "norm": "normalized", "phy": "physical"}


@dataclasses.dataclass(frozen=True)
class Family:
    """Scenarios that share a page.

    Attributes
    ----------
    title
        Of the page.
    stems
        Their keys without the interface, ``adv`` for ``diff_adv``.
    picture
        Key of the scenario that is drawn.
    options
        Parameters of it, and ``num_steps``; empty for one dimension on 128 points.
    """

    title: str
    stems: tuple[str, ...]
    picture: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


PLANE = {"num_spatial_dims": 2, "num_points": 64}
FAMILIES = {
    "advection": Family("Advection", ("adv", "unbal_adv"), "diff_adv"),
    "diffusion": Family("Diffusion", ("diff", "diag_diff", "aniso_diff"), "diff_diff"),
    "advection_diffusion": Family("Advection and diffusion", ("adv_diff",), "diff_adv_diff"),
    "dispersion": Family("Dispersion", ("disp", "mix_disp"), "diff_disp"),
    "hyper_diffusion": Family(
        "Hyper-diffusion", ("hyp_diff", "hypdiff", "mix_hyp"), "diff_hyp_diff"
    ),
    "linear": Family("Linear equations", ("lin", "lin_simple", "four"), "diff_four"),
    "burgers": Family("Burgers", ("burgers", "burgers_sc"), "diff_burgers"),
    "convection": Family("Convection", ("conv",), "diff_conv"),
    "korteweg_de_vries": Family("Korteweg-de Vries", ("kdv",), "diff_kdv"),
    "kuramoto_sivashinsky": Family(
        "Kuramoto-Sivashinsky", ("ks", "ks_cons"), "diff_ks", {"num_steps": 200}
    ),
    "nonlinear": Family("Nonlinear equations", ("nonlin",), "diff_nonlin"),
    "fisher_kpp": Family("Fisher-KPP", ("fisher",), "diff_fisher"),
    "polynomial": Family("Polynomial reactions", ("poly",), "phy_poly"),
    "gray_scott": Family(
        "Gray-Scott",
        ("gs", "gs_type"),
        "phy_gs_type",
        {**PLANE, "num_points": 96, "num_steps": 240},
    ),
    "swift_hohenberg": Family("Swift-Hohenberg", ("sh",), "phy_sh", {**PLANE, "num_steps": 90}),
    "decaying_turbulence": Family("Decaying turbulence", ("decay_turb",), "phy_decay_turb", PLANE),
    "kolmogorov_flow": Family(
        "Kolmogorov flow", ("kolm_flow",), "phy_kolm_flow", {**PLANE, "num_steps": 90}
    ),
    "poisson": Family("Poisson", ("poisson",), "phy_poisson", {**PLANE, "num_steps": 1}),
}
LINE = {"num_points": 128, "num_steps": 100}
SHARED = {field.name for field in dataclasses.fields(BaseScenario)}


def families() -> dict[str, Family]:
    """Return all families by the names of their pages, those of keys that no family names last."""
    named = {stem for family in FAMILIES.values() for stem in family.stems}
    rest = {split(key)[1]: key for key in keys() if split(key)[1] not in named}
    own = {stem: Family(doc(key).rstrip("."), (stem,), key) for stem, key in rest.items()}
    return {**FAMILIES, **own}


def keys() -> list[str]:
    """Return the keys of the package's own scenarios."""
    every = SCENARIOS.names()
    return [key for key in every if SCENARIOS.get(key).__module__.startswith("apexr.")]


def split(key: str) -> tuple[str, str]:
    """Return interface and stem of a key."""
    interface, _, stem = key.partition("_")
    return (interface, stem) if interface in INTERFACES else ("", key)


def members(family: Family) -> list[str]:
    """Return the keys of a family."""
    return sorted(
        (key for key in keys() if split(key)[1] in family.stems),
        key=lambda key: (family.stems.index(split(key)[1]), list(INTERFACES).index(split(key)[0])),
    )


def doc(key: str) -> str:
    """Return the first paragraph of a scenario's documentation, as Markdown."""
    text = inspect.getdoc(SCENARIOS.get(key)) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("``", "`")


def page(name: str, family: Family) -> str:
    """Return the page of a family."""
    lines = [MARK, f"# {family.title}", ""]
    lines += [f"```{{image}} {name}.png", f":alt: {family.title}, simulated", "```", ""]
    lines += [*_caption(family), ""]
    lines += ["| key | class | dimensions | equation |", "|---|---|---|---|"]
    lines += [_row(key) for key in members(family)]
    for key in members(family):
        lines += ["", f"## `{key}`", "", *_parameters(key), *_coefficients(key), *_numerics(key)]
    return "\n".join(lines) + "\n"


def _caption(family: Family) -> list[str]:
    """Return the code that makes the picture."""
    options = {**LINE, **family.options, "num_samples": 1}
    arguments = ", ".join(f"{name}={value!r}" for name, value in options.items())
    shown = "".join(f", {name}={value!r}" for name, value in _shown(family).items())
    code = [f'key = "{family.picture}"', f"u = apexr.simulate(key, {arguments})"]
    plot = "state" if _is_plane(family) else "trajectory"
    return ["```python", *code, f"apexr.plot.{plot}(u{shown})", "```"]


def _is_plane(family: Family) -> bool:
    return family.options.get("num_spatial_dims") == 2


def _shown(family: Family) -> dict[str, Any]:
    """Return what of the simulation is drawn."""
    if not _is_plane(family):
        return {}
    steps = family.options.get("num_steps", LINE["num_steps"])
    cls = SCENARIOS.get(family.picture)
    names = cls.channel_names or ()
    channel = {"channel": names[-1]} if len(names) > 1 else {}
    return {"times": sorted({0, steps // 3, steps}), **channel}


def _row(key: str) -> str:
    cls = SCENARIOS.get(key)
    dimensions = ", ".join(f"{number}D" for number in cls.dimensions)
    home = INTERFACES[split(key)[0]]
    link = f"{{py:class}}`~apexr.scenarios.{home}.{cls.__name__}`"
    return f"| `{key}` | {link} | {dimensions} | {doc(key)} |"


def _parameters(key: str) -> list[str]:
    """Return the fields that differ from what all scenarios share, with their defaults."""
    scenario = default(key)
    shared = {field.name: field.default for field in dataclasses.fields(BaseScenario)}
    given = scenario.all_parameters
    own = {name: value for name, value in given.items() if name not in SHARED}
    other = {name: value for name, value in given.items() if name in shared}
    changed = {name: value for name, value in other.items() if value != shared[name]}
    lines = ["| parameter | default |", "|---|---|"]
    lines += [f"| `{name}` | `{value!r}` |" for name, value in own.items()]
    lines += [
        f"| `{name}` (otherwise `{shared[name]!r}`) | `{changed[name]!r}` |" for name in changed
    ]
    return lines


def default(key: str) -> BaseScenario:
    """Return the scenario with its defaults, in the fewest dimensions that it exists in."""
    cls = SCENARIOS.get(key)
    for dimensions in cls.dimensions:
        try:
            return cls(num_spatial_dims=dimensions)
        except SpecError:  # vectors whose default has another length
            continue
    raise SpecError(f"{key} has no defaults that fit any of its dimensions")


def _coefficients(key: str) -> list[str]:
    """Return the coefficients in the three parametrizations, where they exist."""
    scenario = default(key)
    try:
        text = str(describe_coefficients(scenario))
    except SpecError:
        return []
    return ["", "```text", text, "```"]


def _numerics(key: str) -> list[str]:
    """Return how good the data of a scenario are, and how their equation differs."""
    rows = [row for row in json.loads(ERRORS.read_text("utf-8")) if row["scenario"] == key]
    lines = ["", "Error of the reference data against a converged solution of the same equation"]
    lines += ["([all scenarios](../solver_accuracy.md)), and the largest part of the energy in the"]
    lines += ["last tenth of the spectrum:", ""]
    steps = list(dict.fromkeys(step for row in rows for step in row["errors"]))
    lines += ["| grid | " + " | ".join(f"step {step}" for step in steps) + " | tail |"]
    lines += ["|---" * (len(steps) + 2) + "|"]
    for row in rows:
        errors = [_error(float(row["errors"].get(step, "nan"))) for step in steps]
        grid = f"{row['num_spatial_dims']}D, {row['num_points']} points"
        lines += [f"| {grid} | {' | '.join(errors)} | {row['tail_energy']:.1e} |"]
    said = [text for dims in SCENARIOS.get(key).dimensions for text in _deviations(key, dims)]
    if said:
        lines += ["", 'With `numerics="apebench"`: ' + "; ".join(dict.fromkeys(said)) + "."]
    return lines


def _error(value: float) -> str:
    if math.isnan(value):
        return "not converged"
    return "diverges" if math.isinf(value) else f"{value:.1e}"


def _deviations(key: str, dimensions: int) -> tuple[str, ...]:
    try:
        scenario = SCENARIOS.get(key)(num_spatial_dims=dimensions)
    except SpecError:  # vectors whose default has another length; these have no deviations
        return ()
    said: tuple[str, ...] = scenario.deviations
    return said


def index(names: Mapping[str, Family]) -> str:
    """Return the page above the others: all families, with pictures."""
    lines = [MARK, "# Scenarios", ""]
    lines += [f"{len(keys())} scenarios in {len(names)} families. `diff_*` keys have coefficients"]
    lines += ["relative to the grid, `norm_*` ones to the domain and the time step, `phy_*` ones"]
    lines += ["are physical; see [difficulty](../difficulty.md). `apexr list scenarios` prints the"]
    lines += ["keys; `apexr.scenarios.scenario_dict` holds the classes.", ""]
    lines += ["::::{grid} 2 2 3 3", ":gutter: 2", ""]
    for name, family in names.items():
        lines += [f":::{{grid-item-card}} {family.title}", f":link: {name}", ":link-type: doc"]
        lines += [f":img-bottom: {name}.png", ":::", ""]
    lines += ["::::", "", "```{toctree}", ":hidden:", "", *names, "```"]
    return "\n".join(lines) + "\n"


def draw(name: str, family: Family, folder: Path) -> bool:
    """Simulate and draw a family's picture, unless it is there; tell whether it was drawn."""
    import apexr

    options = {**LINE, **family.options, "num_samples": 1}
    recipe = json.dumps([family.picture, options, _sources()], default=str, sort_keys=True)
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    seal = folder / f".{name}.digest"
    target = folder / f"{name}.png"
    if target.exists() and seal.exists() and seal.read_text() == digest:
        return False
    states = apexr.simulate(family.picture, progress=False, **options)
    plane = _is_plane(family)
    draw = apexr.plot.state if plane else apexr.plot.trajectory
    width = "page" if plane else "column"
    apexr.plot.save(draw(states, **_shown(family)), target, width=width, dpi=150)
    seal.write_text(digest)
    return True


def _sources() -> str:
    """Return a digest of what simulations and pictures follow from."""
    import apexr

    root = Path(apexr.__file__).parent
    parts = ("scenarios", "steppers", "spectral", "initial", "plots")
    files = sorted(path for part in parts for path in (root / part).rglob("*.py"))
    return hashlib.sha256(
        b"".join(path.read_bytes() for path in [Path(__file__), *files])
    ).hexdigest()


def texts() -> Iterator[tuple[str, str]]:
    """Give the name and the text of every page."""
    names = families()
    yield "index", index(names)
    for name, family in names.items():
        yield name, page(name, family)


def write(folder: Path = FOLDER) -> None:
    """Write all pages and pictures; what has not changed is left alone."""
    folder.mkdir(exist_ok=True)
    for name, text in texts():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for name, family in families().items():
        draw(name, family, folder)


def setup(app: Any) -> dict[str, bool]:
    """Write the pages before Sphinx reads."""
    app.connect("builder-inited", lambda _: write())
    return {"parallel_read_safe": True}
