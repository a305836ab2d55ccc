"""The Lyapunov spectrum of the Kuramoto-Sivashinsky equation in docs/decomposition.md.

``python docs/lyapunov.py`` follows the equation on a domain of length 22 over a time of 30,000 and
compares exponents and dimension with those of an independent solver (half a minute). That one's run
was as long, so that its standard errors are taken to be as large: those of differences are larger
by the root of 2.
"""

import re
from pathlib import Path

import numpy as np

import apexr
from apexr.spectral import Grid
from apexr.steppers import ETDRKStepper, KuramotoSivashinskyConservative

PAGE = Path(__file__).with_name("decomposition.md")
BLOCK = re.compile(r"(<!-- lyapunov -->\n).*?(<!-- end of lyapunov -->)", re.DOTALL)
OTHER = (0.0471, 0.0007, -0.0001, -0.0010, -0.0023, -0.1915, -0.2597)
DIMENSION = 5.23
DT, TIME, SPINUP = 0.25, 30_000, 1_000


def main() -> None:
    grid = Grid(1, 64, 22.0)
    solver = ETDRKStepper(KuramotoSivashinskyConservative(), grid, dt=DT, order=4)
    x = 2 * np.pi * grid.coordinates / 22
    found = apexr.lyapunov(
        solver,
        np.cos(x) + 0.5 * np.sin(2 * x),
        steps=round(TIME / DT),
        spinup=round(SPINUP / DT),
        num_exponents=len(OTHER),
        every=8,
        dt=DT,
    )
    rows = [
        *zip(
            map(str, range(1, len(OTHER) + 1)),
            found.exponent.values.ravel(),
            found.standard_error.values.ravel(),
            OTHER,
            strict=True,
        ),
        (
            "dimension",
            found.kaplan_yorke.item(),
            found.kaplan_yorke_standard_error.item(),
            DIMENSION,
        ),
    ]
    lines = [
        "| exponent | apexr | standard error | independent solver | difference in its errors |"
    ]
    lines += ["| --- | --: | --: | --: | --: |"]
    for name, value, error, other in rows:
        apart = abs(value - other) / (np.sqrt(2) * error)
        lines.append(f"| {name} | {value:.4f} | {error:.4f} | {other:.4f} | {apart:.1f} |")
    table = "\n".join(lines) + "\n"
    text = PAGE.read_text("utf-8")
    PAGE.write_text(BLOCK.sub(lambda block: block[1] + table + block[2], text), "utf-8")
    print(table)


if __name__ == "__main__":
    main()
