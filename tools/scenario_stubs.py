"""Write the stubs from which editors and type checkers know the fields of scenarios.

``python tools/scenario_stubs.py`` writes them; with ``--check`` it only says which differ from the
declarations in ``apexr/scenarios/_equations.py``, and fails if one does.
"""

import sys
from pathlib import Path

import apexr.scenarios
from apexr.scenarios._equations import declared, fields_of
from apexr.scenarios._interfaces import FORMS
from apexr.scenarios._terms import DIFFICULTY, NORMALIZED, PHYSICAL, Scale

HERE = Path(apexr.scenarios.__file__).parent
STUBS = {
    HERE / "difficulty.pyi": DIFFICULTY,
    HERE / "normalized.pyi": NORMALIZED,
    HERE / "physical" / "_shared.pyi": PHYSICAL,
}
HEAD = """# Made by tools/scenario_stubs.py from apexr/scenarios/_equations.py; not to be edited.

from apexr.scenarios._interfaces import (
{bases}
)
from apexr.scenarios._terms import {types}
"""
TYPES = {"linear_term_order": "TermOrder"}
TYPES |= {one.sets["linear"]: "Coefficients" for one in STUBS.values()}
TYPES |= {one.sets["nonlinear"]: "Triple" for one in STUBS.values()}


def stub(scale: Scale) -> str:
    """Return the stub of the classes of one interface."""
    forms = FORMS[scale.interface]
    bases = "\n".join(f"    {name}," for name in sorted(base.__name__ for base in forms.values()))
    parts = [HEAD.format(bases=bases, types="Coefficients, TermOrder, Triple")]
    for one, row, base in declared(scale):
        names = [name for name, _, _ in fields_of(row, scale, base) if name not in row.changes]
        lines = [f"    {name}: {TYPES.get(name, 'float')} = ..." for name in names]
        parts.append("\n".join([f"class {one.name}({base.__name__}):", *lines, ""]))
    return "\n".join(parts)


def main() -> None:
    """Write the stubs, or compare them."""
    stale = [path for path, scale in STUBS.items() if not _is(path, stub(scale))]
    if "--check" in sys.argv:
        sys.exit(
            f"run tools/scenario_stubs.py for {', '.join(p.name for p in stale)}" if stale else 0
        )
    for path in stale:
        path.write_text(stub(STUBS[path]), encoding="utf-8")


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    main()
