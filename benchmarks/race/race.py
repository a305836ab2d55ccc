"""Races apexr against the published benchmark (the peer) and prints a table of ratios.

Both sides run one after the other, again and again, each in a process of its own, so that a
slow stretch of the machine meets both; the medians are compared::

    python benchmarks/race/race.py                      # all cases
    python benchmarks/race/race.py fno-one-10 --rounds 5
    python benchmarks/race/race.py --peer-python ../peer-env/bin/python

The peer is installed by ``pip install "apexr[peer]"``, in this environment or in another one
whose interpreter is given. Nothing else should load the machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from peer_side import CASES

FOLDER = Path(__file__).parent
BOUNDS = {
    "conv-one-1": 2.2,
    "conv-one-10": 4.5,
    "fno-one-1": 4.5,
    "fno-one-10": 7.0,
    "conv-sup5-1": 2.5,
}
PROCESS_BOUNDS = {"first run": 2.0, "second run": 3.0}


def main() -> None:
    """Run the cases named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], metavar="CASE")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs")
    parser.add_argument("--peer-python", default=sys.executable)
    options = parser.parse_args()
    print(f"{'case':<24} {'peer':>12} {'apexr':>12} {'ratio':>7} {'bound':>7}")
    for name in options.cases or CASES:
        race = race_processes if CASES[name].whole_process else race_updates
        race(name, options.rounds, options.peer_python)


def race_updates(name: str, rounds: int, peer_python: str) -> None:
    """Compare the cost of one update of all seeds."""
    peer, ours = [], []
    for _ in range(rounds):
        peer.append(seconds(peer_python, "peer_side.py", name))
        ours.append(seconds(sys.executable, "apexr_side.py", name))
    show(name, "ms/update", peer, ours, BOUNDS[name], scale=1e3)


def race_processes(name: str, rounds: int, peer_python: str) -> None:
    """Compare whole processes; each first run of apexr meets an empty compile cache."""
    peer, first, second = [], [], []
    for _ in range(rounds):
        peer.append(seconds(peer_python, "peer_side.py", name))
        with tempfile.TemporaryDirectory() as cache:
            first.append(seconds(sys.executable, "apexr_side.py", name, cache))
            second.append(seconds(sys.executable, "apexr_side.py", name, cache))
    for label, ours in (("first run", first), ("second run", second)):
        show(f"{name} {label}", "s", peer, ours, PROCESS_BOUNDS[label], scale=1.0)


def seconds(python: str, script: str, name: str, cache: str | None = None) -> float:
    """Return what one side measured."""
    environment = {**os.environ, **({"XDG_CACHE_HOME": cache} if cache else {})}
    done = subprocess.run(
        [python, FOLDER / script, name],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    figures = json.loads(done.stdout.splitlines()[-1])
    return float(figures.get("seconds_per_update", figures.get("seconds")))


def show(
    name: str, unit: str, peer: list[float], ours: list[float], bound: float, scale: float
) -> None:
    """Print one row: medians, their ratio and the ratio to reach."""
    both = [statistics.median(side) * scale for side in (peer, ours)]
    cells = " ".join(f"{value:>9.2f} {unit.partition('/')[0]:<2}" for value in both)
    print(f"{name:<24} {cells} {both[0] / both[1]:>7.2f} {bound:>7.1f}", flush=True)


if __name__ == "__main__":
    main()
