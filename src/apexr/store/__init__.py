"""Results on disk: published whole, checked on reading, opened lazily.

One experiment is one Zarr group with a manifest; a study is a folder of them. See
``_layout`` for the folders and ``_publish`` for how a result comes into sight.
"""

from apexr._doors import check_all
from apexr.store._checkpoints import Checkpoints
from apexr.store._claims import claim, claimed, note_progress, read_progress
from apexr.store._dataset import check_dataset_path, open_dataset, publish_dataset
from apexr.store._failures import forget_failure, read_failures, record_failure
from apexr.store._index import WORTH_AN_INDEX, keep_index
from apexr.store._layout import check_writable, is_published, is_study, kind_of, unit_path
from apexr.store._list import list_experiments
from apexr.store._manifest import read_manifest
from apexr.store._merge import merge
from apexr.store._pack import pack
from apexr.store._parts import Part, experiment_of, find_parts, in_short, ranges
from apexr.store._place import Address as Place
from apexr.store._place import at, is_url, place
from apexr.store._plans import planned
from apexr.store._publish import ConflictError, create_study, publish_experiment
from apexr.store._read import check_shapes, open_experiment, read_weights
from apexr.store._safetensors import SUFFIX as SAFETENSORS
from apexr.store._safetensors import export_safetensors, read_safetensors, seeds_of_file
from apexr.store._seeds import publish_seeds
from apexr.store._study import join_experiments, open_rollouts, open_study
from apexr.store._trajectories import (
    TrajectoryWriter,
    check_trajectories,
    open_trajectories,
    writing_trajectories,
)
from apexr.store._verify import Repaired, repair, verify

__all__ = [
    "SAFETENSORS",
    "WORTH_AN_INDEX",
    "Checkpoints",
    "ConflictError",
    "Part",
    "Place",
    "Repaired",
    "TrajectoryWriter",
    "at",
    "check_dataset_path",
    "check_shapes",
    "check_trajectories",
    "check_writable",
    "claim",
    "claimed",
    "create_study",
    "experiment_of",
    "export_safetensors",
    "find_parts",
    "forget_failure",
    "in_short",
    "is_published",
    "is_study",
    "is_url",
    "join_experiments",
    "keep_index",
    "kind_of",
    "list_experiments",
    "merge",
    "note_progress",
    "open_dataset",
    "open_experiment",
    "open_rollouts",
    "open_study",
    "open_trajectories",
    "pack",
    "place",
    "planned",
    "publish_dataset",
    "publish_experiment",
    "publish_seeds",
    "ranges",
    "read_failures",
    "read_manifest",
    "read_progress",
    "read_safetensors",
    "read_weights",
    "record_failure",
    "repair",
    "seeds_of_file",
    "unit_path",
    "verify",
    "writing_trajectories",
]

check_all(globals())
