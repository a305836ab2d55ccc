"""Reading the golden arrays (made by tools/make_golden.py)."""

import json
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "golden"


class Golden:
    """The arrays of one file by name, and what its meta entry says."""

    def __init__(self, name: str) -> None:
        self._arrays = np.load(FOLDER / f"{name}.npz", allow_pickle=False)
        self.meta: dict[str, Any] = json.loads(str(self._arrays["meta"]))

    def __getitem__(self, key: str) -> np.ndarray:
        return self._arrays[key]

    def __contains__(self, key: str) -> bool:
        return key in self._arrays

    def names(self) -> list[str]:
        return [key for key in self._arrays if key != "meta"]


def deviation(given: Any, golden: np.ndarray) -> float:
    """Return the largest deviation as a part of the largest golden value."""
    given = np.asarray(given)
    assert given.shape == golden.shape
    return float(np.abs(given - golden).max() / np.abs(golden).max())
