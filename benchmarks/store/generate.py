"""Make a synthetic study: ``python benchmarks/store/generate.py FOLDER NUMBER [--seeds 10 ...]``.

Each experiment has its own numbers (losses, three metrics, a rollout), made from the schema by
``apexr.testing``. A few results are made and encoded; the others repeat their bytes under other
ids, so that the time goes into what is measured, the store. ``--sparse BYTES`` declares a variable
of that size in each experiment of which nothing is on the disk.
"""

import argparse
import itertools
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import xarray as xr

from apexr import store
from apexr._files._durable import digest, json_bytes, read_all
from apexr._files._layout import MANIFEST, METADATA
from apexr._files._place import place
from apexr._files._source import source_of
from apexr.store.unit._encode import encoded
from apexr.store.unit._hierarchy import unit_group
from apexr.store.unit._manifest import entries_of, make_manifest, sealed
from apexr.store.unit._publish import publish_files
from apexr.testing import mock_experiment

METRICS = ("mean_nRMSE", "mean_correlation", "mean_sMSE")
NETS = ("Conv;26;10;relu", "FNO;12;8;4;gelu", "Res;26;8;relu", "UNet;12;2;relu")
TRAINS = ("one", "sup;3", "div;2")
VARIETIES = 12
FIELD = "data.zarr/zarr.json"
NODE = "test_sample/zarr.json"


def identity(number: int) -> str:
    """Return an id that is spread like a digest."""
    return digest(str(number).encode())[:32]


def result(number: int, options: argparse.Namespace):
    return mock_experiment(
        net=NETS[number % len(NETS)],
        train=TRAINS[number % len(TRAINS)],
        seeds=tuple(range(options.seeds)),
        metrics=METRICS,
        num_times=options.times,
        num_losses=options.losses,
        num_test_samples=options.test_samples,
        num_points=options.points,
        random_seed=number,
    )


def varieties(options: argparse.Namespace, scratch: Path):
    """Yield the files of a few experiments."""
    for number in range(min(VARIETIES, options.number)):
        unit = store.publish_experiment(
            result(number, options), {}, store.unit_path(scratch, identity(number))
        )
        files = dict(read_all(source_of(place(unit))))
        yield declared(files, options.sparse // options.number) if options.sparse else files


def declared(files: dict[str, bytes], size: int) -> dict[str, bytes]:
    """Return the files of an experiment whose errors of each sample take ``size`` bytes unread."""
    metadata = json.loads(files[FIELD])
    node = metadata["consolidated_metadata"]["metadata"]["nRMSE"]
    seeds, _, times = node["shape"]
    samples = max(1, size // (4 * seeds * times))
    node["shape"] = [seeds, samples, times]
    node["chunk_grid"]["configuration"]["chunk_shape"] = [1, min(samples, 10_000), times]
    for name in ("correlation", "sMSE"):
        del metadata["consolidated_metadata"]["metadata"][name]
    labels = encoded(xr.Dataset(coords={"test_sample": np.arange(samples)}))
    coordinate = metadata["consolidated_metadata"]["metadata"]["test_sample"]
    coordinate |= {key: json.loads(labels[NODE])[key] for key in ("shape", "chunk_grid")}
    gone = ("data.zarr/nRMSE/c.", "data.zarr/correlation/", "data.zarr/sMSE/", MANIFEST)
    kept = {name: data for name, data in files.items() if not name.startswith(gone)}
    kept |= {f"data.zarr/{name}": labels[name] for name in labels if name.startswith(NODE[:11])}
    kept[FIELD] = json.dumps(metadata).encode()
    told = json.loads(files[MANIFEST])
    labels = {key: told[key] for key in ("config", "attrs", "sizes", "seeds", "num_diverged")}
    return {**kept, MANIFEST: json_bytes(make_manifest(labels, entries_of(kept)))}


def named(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    """Return the files of an experiment that is published under a name."""
    told = {**json.loads(files[MANIFEST]), "unit": name}
    del told["digest"]
    group = {METADATA: json_bytes(unit_group(told, name))}
    listed = {**told["files"], **entries_of(group)}
    return {**files, **group, MANIFEST: json_bytes(sealed({**told, "files": listed}))}


def generate(options: argparse.Namespace) -> None:
    os.fsync = lambda descriptor: None  # there is nothing to lose
    study = options.folder
    store.create_study(study)
    known = list(varieties(options, study))
    start = time.perf_counter()
    for number, files in zip(range(options.number), itertools.cycle(known), strict=False):
        unit = place(store.unit_path(study.absolute(), identity(number)))
        again = store.is_published(unit)
        publish_files(named(files, unit.name), unit, overwrite=again, packed=options.packed)
        if sys.stderr.isatty() and number % 100 == 0:
            print(f"\r{number}", end="", file=sys.stderr)
    published = time.perf_counter()
    store.keep_index(study)  # as a run does in the end
    seconds = {"publish": published - start, "index": time.perf_counter() - published}
    told = {f"{what}_seconds": round(value, 2) for what, value in seconds.items()}
    print(json.dumps({"experiments": options.number, **told}))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("number", type=int)
    for name, default in (
        ("seeds", 10),
        ("times", 200),
        ("losses", 100),
        ("test-samples", 10),
        ("points", 16),
        ("sparse", 0),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--packed", action="store_true", help="one file an experiment")
    return parser.parse_args()


if __name__ == "__main__":
    generate(arguments())
