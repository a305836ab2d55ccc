"""Memory: how much there is, and how much a user allows."""

import os
import re
from pathlib import Path
from typing import Any

from apexr.errors import SpecError

FAIR_FRACTION = 0.5
"""The part of the available memory that is taken where nothing is said."""

FILE_LIMIT = 2**26 + 2**20
"""Bytes of a file that is read at once: a chunk of the largest size, and what its codec adds."""

_UNITS = {
    "": 1,
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", start=1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", start=1)},
}
_SIZE = re.compile(r"\s*([0-9][0-9_]*(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*")
_UNKNOWN = 2**32  # taken where the system does not say what is available
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def read_bytes(name: str, given: Any) -> int:
    """Return a number of bytes from itself or from text such as ``"4GB"`` or ``"1.5 GiB"``.

    Raises
    ------
    SpecError
        Naming the parameter, if that is not what is given.
    """
    size: Any = _from_text(given) if isinstance(given, str) else given
    number = isinstance(size, int | float) and not isinstance(size, bool)
    if not number or not 1 <= size < 2**63:
        raise SpecError(
            f'{name} must be a number of bytes or text such as "4GB" or "512MiB", got {given!r}'
        )
    return int(size)


def _from_text(text: str) -> float | None:
    found = _SIZE.fullmatch(text)
    unit = _UNITS.get(found[2].lower()) if found else None
    return float(found[1]) * unit if found and unit else None


def format_bytes(size: float) -> str:
    """Return a size as text, such as ``1.5 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def available_memory() -> int:
    """Return how many bytes this process can still take without swapping."""
    limits = [_system_memory(), *(_cgroup_memory(*files) for files in _CGROUPS)]
    known = [limit for limit in limits if limit is not None]
    return max(1, min(known, default=_UNKNOWN))


def _system_memory() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        sizes = dict(line.split(":", 1) for line in lines)
        return int(sizes["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return _physical_memory()


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, OSError, ValueError):
        return None


def _cgroup_memory(limit: str, usage: str) -> int | None:
    """Return what a container has left, None outside of one."""
    try:
        return int(Path(limit).read_text()) - int(Path(usage).read_text())
    except (OSError, ValueError):
        return None
