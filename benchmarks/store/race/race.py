"""Race the result files: ``python benchmarks/store/race/race.py --peer-python PYTHON``.

Both sides get the same numbers of 20 experiments with 10 seeds each (200 time steps, 100 losses,
one rollout on 160 points and the weights of a ConvNet a seed), write them as their own calls do,
and read the metrics of all as a long table. Every measurement is a process of its own; imports,
compilation and making the numbers are not counted. ``PYTHON`` has ``apebench==0.1.1``.

Prints a table of medians; the last column is the peer's figure over apexr's.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SIDES = {"peer": HERE / "peer_side.py", "apexr": HERE / "apexr_side.py"}
FIGURES = ("write_seconds", "read_seconds", "bytes", "write_peak_mb", "read_peak_mb")


def measure(pythons: dict[str, str], side: str, folder: Path) -> dict[str, float]:
    figures: dict[str, float] = {}
    for task in ("write", "read"):
        command = [pythons[side], str(SIDES[side]), task, str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        figures |= json.loads(done.stdout.splitlines()[-1])
    return figures


def race(pythons: dict[str, str], rounds: int) -> dict[str, dict[str, list[float]]]:
    found = {side: {name: [] for name in FIGURES} for side in SIDES}
    for _ in range(rounds):
        for side in SIDES:
            with tempfile.TemporaryDirectory() as folder:
                for name, value in measure(pythons, side, Path(folder)).items():
                    found[side][name].append(value)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pythons = {"peer": options.peer_python, "apexr": sys.executable}
    found = race(pythons, options.rounds)
    print(f"| {'figure':15} | {'peer':>12} | {'apexr':>12} | {'ratio':>6} |")
    print("|---|---|---|---|")
    for name in FIGURES:
        peer, own = (statistics.median(found[side][name]) for side in SIDES)
        print(f"| {name:15} | {peer:12.4g} | {own:12.4g} | {peer / own:6.1f} |")


if __name__ == "__main__":
    main()
