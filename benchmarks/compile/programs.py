"""Counts the programs that a small experiment compiles, and the seconds that XLA takes for each.

``diff_burgers`` on 48 points, 200 updates, two seeds: what a user waits for who tries
something out. Each network has a process of its own, with an empty compile cache and no data kept
from before::

    python benchmarks/compile/programs.py
    python benchmarks/compile/programs.py "UNet;8;2;relu" --programs
    python benchmarks/compile/programs.py --python ../old-env/bin/python

XLA seconds are added up over all threads; what is compiled in another thread while this one works
is not waited for. ``run`` is the wall time of the call, ``process`` that of everything.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time

NETWORKS = ("Conv;16;6;relu", "Res;16;4;relu", "UNet;8;2;relu", "FNO;12;8;4;gelu")
EVENT = "/jax/core/compile/backend_compile_duration"
UPDATES = 200


def main() -> None:
    """Measure the networks named on the command line, and print a row of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=NETWORKS, metavar="NETWORK")
    parser.add_argument("--programs", action="store_true", help="list the programs, too")
    parser.add_argument("--python", default=sys.executable, help="interpreter that runs them")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measured(options.networks[0])))
        return
    print(f"{'network':<18} {'programs':>8} {'XLA':>8} {'run':>8} {'process':>8}")
    for network in options.networks:
        started = time.perf_counter()
        figures = in_a_process(options.python, network)
        process = time.perf_counter() - started
        seconds = sum(total for _, total in figures["programs"].values())
        count = sum(number for number, _ in figures["programs"].values())
        times = " ".join(f"{value:>6.2f} s" for value in (seconds, figures["run"], process))
        print(f"{network:<18} {count:>8} {times}", flush=True)
        if options.programs:
            order = sorted(figures["programs"].items(), key=lambda item: -item[1][1])
            for name, (number, total) in order:
                print(f"    {name:<34} {number:>3} {total:>7.3f} s")


def in_a_process(python: str, network: str) -> dict[str, object]:
    """Return what a fresh process measures, whose compile cache is empty."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache, "APEXR_DATA_CACHE": "0"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # bytecode is kept, as every user's is
        done = subprocess.run(
            [python, __file__, network, "--child"],
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    return json.loads(done.stdout.splitlines()[-1])


def measured(network: str) -> dict[str, object]:
    """Return how often programs of each name were compiled and in how many seconds, and the run."""
    import jax

    programs: dict[str, list[float]] = collections.defaultdict(lambda: [0, 0.0])

    def note(event: str, seconds: float, **more: object) -> None:
        if event == EVENT:
            held = programs[str(more.get("fun_name"))]
            held[0] += 1
            held[1] += seconds

    jax.monitoring.register_event_duration_secs_listener(note)
    import apexr

    started = time.perf_counter()
    apexr.run(
        "diff_burgers",
        net=network,
        num_points=48,
        num_seeds=2,
        optim_config=f"adam;{UPDATES};constant;1e-3",
    )
    return {"programs": programs, "run": time.perf_counter() - started}


if __name__ == "__main__":
    main()
