"""Writes the golden arrays of the parity tests, made by the released peer.

Run it in an environment that has ``apebench==0.1.1`` (``pip install "apexr[peer]"``)::

    python tools/make_golden.py                    # every group
    python tools/make_golden.py data networks      # some groups
"""

import argparse
import time
from pathlib import Path

from golden import GROUPS

DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / "tests" / "parity" / "golden"


def main() -> None:
    """Make the groups named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER, help="folder to write to")
    options = parser.parse_args()
    unknown = sorted(set(options.groups) - set(GROUPS))
    if unknown:
        parser.error(f"unknown group {unknown[0]!r}; known: {', '.join(GROUPS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.groups or GROUPS:
        start = time.perf_counter()
        GROUPS[name](options.out)
        print(f"{name}: {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
