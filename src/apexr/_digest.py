"""Identity: the digest of a specification as canonical JSON, with and without its seeds.

Results carry the digest with their seeds: it says what was run at once. In a study an *experiment*
is a specification without seeds, and what was run at once is a *part* of it, so that the same
experiment with more seeds needs only the parts that are missing.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

ID_BYTES = 16
SEED_KEYS = ("start_seed", "num_seeds")
"""Keys of a specification that say for which seeds."""


def canonical_json(data: Any) -> str:
    """Return data as JSON with sorted keys, no spare blanks and composed characters (NFC)."""
    return json.dumps(_composed(data), sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(data: Any) -> str:
    """Return 32 hexadecimal digits that are the same on every machine and every day."""
    return hashlib.blake2b(canonical_json(data).encode(), digest_size=ID_BYTES).hexdigest()


def experiment_id(specification: Mapping[str, Any]) -> str:
    """Return the id of an experiment, whatever its seeds."""
    return digest({k: v for k, v in specification.items() if k not in SEED_KEYS})


def with_seeds(specification: Mapping[str, Any], seeds: Sequence[int]) -> dict[str, Any]:
    """Return the specification of the part of an experiment that has these seeds in a row."""
    return {**specification, "start_seed": seeds[0], "num_seeds": len(seeds)}


def _composed(data: Any) -> Any:
    """Return data in which text that looks equal is equal, and numbers are Python's own."""
    if hasattr(data, "tolist"):  # of NumPy, JAX and others
        data = data.tolist()
    if isinstance(data, str):
        return unicodedata.normalize("NFC", data)
    if isinstance(data, Mapping):
        return {_composed(key): _composed(value) for key, value in data.items()}
    return [_composed(item) for item in data] if isinstance(data, list | tuple) else data
