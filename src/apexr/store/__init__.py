"""Results on disk: published whole, checked on reading, opened lazily.

One experiment is one Zarr group with a manifest; a study is a hierarchy of them. There are four
rooms, each built on those that follow: ``study`` (many units as one), ``unit`` (what is published
by one rename), ``runs`` (what is not published yet) and ``files``. See ``files/_layout.py`` for the
folders and ``unit/_publish.py`` for how a result comes into sight.
"""

from apexr._doors import check_all
from apexr._files._layout import check_writable, is_published, is_study, kind_of, unit_path
from apexr._files._place import Address as Place
from apexr._files._place import at, is_url, place
from apexr.store.runs._checkpoints import Checkpoints, newest_update
from apexr.store.runs._notes import Notes
from apexr.store.study._experiment import check_shapes, open_experiment, read_weights
from apexr.store.study._index import WORTH_AN_INDEX, keep_index
from apexr.store.study._list import list_experiments, recorded_sources
from apexr.store.study._merge import merge, pack, publish_seeds
from apexr.store.study._open import join_experiments, open_rollouts, open_study
from apexr.store.study._safetensors import SUFFIX as SAFETENSORS
from apexr.store.study._safetensors import export_safetensors, read_safetensors, seeds_of_file
from apexr.store.study._study import Part, Study, in_short, ranges, short_ids
from apexr.store.study._verify import Repaired, repair, verify
from apexr.store.unit._dataset import check_dataset_path, open_dataset, publish_dataset
from apexr.store.unit._manifest import read_manifest
from apexr.store.unit._publish import ConflictError, create_study, publish_experiment
from apexr.store.unit._trajectories import (
    TrajectoryWriter,
    check_trajectories,
    open_trajectories,
    writing_trajectories,
)

__all__ = [
    "SAFETENSORS",
    "WORTH_AN_INDEX",
    "Checkpoints",
    "ConflictError",
    "Notes",
    "Part",
    "Place",
    "Repaired",
    "Study",
    "TrajectoryWriter",
    "at",
    "check_dataset_path",
    "check_shapes",
    "check_trajectories",
    "check_writable",
    "create_study",
    "export_safetensors",
    "in_short",
    "is_published",
    "is_study",
    "is_url",
    "join_experiments",
    "keep_index",
    "kind_of",
    "list_experiments",
    "merge",
    "newest_update",
    "open_dataset",
    "open_experiment",
    "open_rollouts",
    "open_study",
    "open_trajectories",
    "pack",
    "place",
    "publish_dataset",
    "publish_experiment",
    "publish_seeds",
    "ranges",
    "read_manifest",
    "read_safetensors",
    "read_weights",
    "recorded_sources",
    "repair",
    "seeds_of_file",
    "short_ids",
    "unit_path",
    "verify",
    "writing_trajectories",
]

check_all(globals())
