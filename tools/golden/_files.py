"""Writes one archive of arrays with its description as JSON text."""

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("apebench", "exponax", "trainax", "pdequinox", "jax", "jaxlib", "equinox", "optax")


def write_archive(path: Path, arrays: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Write ``arrays`` in single precision and ``meta`` as the text array ``meta``."""
    stored = {name: _small(values) for name, values in arrays.items()}
    for name, values in stored.items():
        if not np.all(np.isfinite(values)):
            print(f"  {path.name}: {name} is not finite")
    text = json.dumps({**meta, "made_with": _made_with()}, sort_keys=True)
    np.savez_compressed(path, meta=np.array(text), **stored)
    print(f"  {path.name}: {len(stored)} arrays, {path.stat().st_size / 1e3:.0f} kB")


def _small(values: Any) -> np.ndarray:
    array = np.asarray(values)
    return array.astype(np.int32 if array.dtype.kind in "iu" else np.float32)


def _made_with() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
