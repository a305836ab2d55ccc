"""Print what a study of twenty experiments of three sizes says of the time left, and the truth.

The study is run by the command line in a process of its own, and its bar is read: what a user sees.
Compiled programs are kept in a folder of this run, so that compilation counts.

Usage: python benchmarks/study/forecast.py [--workers N] [--updates N]
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COUNT = 20
SHOWN = re.compile(r"(\d+)/\d+ \[(?:(\d+):)?(\d+):(\d+)(?:, (.*?))?\]")
LEFT = re.compile(r"(?:(\d+):)?(\d+):(\d+) left")


def study(updates: int) -> list[dict]:
    common = {
        "scenario": "diff_burgers",
        "net": "Conv;16;6;relu",
        "num_seeds": 2,
        "test_temporal_horizon": 50,
        "optim_config": f"adam;{updates};constant;1e-3",
    }
    sizes = [32, 64, 160]
    return [
        {**common, "num_points": sizes[number % 3], "train_seed": number} for number in range(COUNT)
    ]


def seconds(found: re.Match) -> int:
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + rest


def run(folder: Path, updates: int, options: list[str]) -> tuple[dict[int, tuple], float]:
    """Return when each number of finished experiments was shown, and the forecast; and the end."""
    (folder / "study.json").write_text(json.dumps(study(updates)))
    command = [sys.executable, "-m", "apexr", "study", "study.json", "--store", "study.zarr"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    process = subprocess.Popen(
        [*command, *options], cwd=folder, env=environment, stderr=subprocess.PIPE
    )
    shown: dict[int, tuple[float, int]] = {}
    line = b""
    while byte := process.stderr.read(1):
        if byte not in b"\r\n":
            line += byte
            continue
        text, line = line.decode(errors="replace"), b""
        bar = SHOWN.search(text) if text.startswith("study:") else None
        left = LEFT.search(bar.group(5) or "") if bar else None
        if left and int(bar.group(1)) not in shown:
            shown[int(bar.group(1))] = (time.perf_counter(), seconds(left))
    if process.wait():
        raise SystemExit(f"the study ended with exit code {process.returncode}")
    return shown, time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--updates", type=int, default=2000)
    given = parser.parse_args()
    options = [] if given.workers is None else ["--workers", str(given.workers)]
    with tempfile.TemporaryDirectory() as folder:
        shown, end = run(Path(folder), given.updates, options)
    print("finished  forecast  truth  ratio")
    for number, (moment, forecast) in sorted(shown.items()):
        truth = end - moment
        mark = "  <- after the third" if number == 3 else ""
        if number < COUNT:
            print(f"{number:8d}  {forecast:7d}s {truth:5.0f}s  {forecast / truth:5.2f}{mark}")


if __name__ == "__main__":
    main()
