"""Whole stores that are changed at random, by somebody who knows their structure."""

import json
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import apexr
from _tiny import python, units
from apexr import store
from apexr._files._durable import digest
from apexr.errors import ApexrError, ApexrWarning
from apexr.testing import mock_experiment

pytestmark = pytest.mark.acceptance

IDS = [f"{number:032x}" for number in (1, 2)]
DS = mock_experiment(num_points=8, num_times=3, num_test_samples=2)
MEMORY = Path("/dev/shm")

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["../x", "\ud800", "/etc/passwd", "a" * 3000, "zstd", "bytes", "NaN"]),
    st.lists(st.integers(-2, 10**12), max_size=3),
    st.dictionaries(st.sampled_from(["name", "shape", "size"]), st.integers(), max_size=2),
)
"""What may stand in the place of any value of any JSON file."""


@contextmanager
def sound_study():
    root = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    study = root / "study.zarr"
    store.create_study(study)
    for name in IDS:
        store.publish_experiment(DS, {"w": np.ones(3)}, store.unit_path(study, name))
    store.Study.at(study).notes.record_failure("f" * 32, ValueError("bad"), {"net": "x"})
    store.keep_index(study)
    (root / "victim").mkdir()
    (root / "victim" / "letter.txt").write_text("dear all")
    try:
        yield study
    finally:
        shutil.rmtree(root)


@pytest.fixture(scope="module")
def sound():
    with sound_study() as study:
        yield study


def sites(value, path=()):
    """Yield the places of all values within JSON data."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        yield (*path, key)
        if isinstance(one, dict | list):
            yield from sites(one, (*path, key))


def put(value, path, new):
    for key in path[:-1]:
        value = value[key]
    if isinstance(new, Drop):
        del value[path[-1]]
    else:
        value[path[-1]] = new


class Drop:
    """Stands for no value at all."""


def sealed(unit):
    """Let sizes and digests of a manifest fit, as an attacker would."""
    path = unit / "manifest.json"
    try:
        held = json.loads(path.read_bytes())
        for name, entry in held["files"].items():
            content = (unit / name).read_bytes()
            entry |= {"size": len(content), "blake2b": digest(content)}
        held.pop("digest", None)
        text = json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        path.write_bytes(json.dumps(held | {"digest": digest(text.encode())}).encode())
    except (ValueError, LookupError, TypeError, AttributeError, OSError):
        return


@st.composite
def changes(draw):
    kind = draw(st.sampled_from(["json", "json", "json", "bytes", "link", "lost"]))
    return (
        kind,
        draw(st.integers(0, 10**6)),
        draw(st.integers(0, 10**6)),
        draw(ODD | st.just(Drop())),
    )


def change(study, kind, which, where, new):
    """Change one thing of a study."""
    files = sorted(path for path in study.rglob("*") if path.is_file())
    if kind == "json":
        files = [path for path in files if path.suffix == ".json"]
    path = files[which % len(files)]
    if kind == "content":
        path.write_bytes(new)
    elif kind == "json":
        try:
            held = json.loads(path.read_bytes())
            places = [*sites(held)]
        except (ValueError, TypeError, AttributeError):
            return
        if places:
            put(held, places[where % len(places)], new)
            path.write_bytes(json.dumps(held, ensure_ascii=True).encode())
    elif kind == "bytes":
        content = bytearray(path.read_bytes())
        if content:
            content[where % len(content)] ^= 1 << (where % 8)
        path.write_bytes(content)
    else:
        path.unlink()
        if kind == "link":
            path.symlink_to(study.parent.parent / "victim" / "letter.txt")
    for unit in units(study):
        sealed(unit)


def check(sound, edits, number=0):
    copy = sound.parent / f"copy-{number}"
    study = shutil.copytree(sound, copy / "study.zarr")
    try:
        for edit in edits:
            change(study, *edit)
        for action in (
            lambda: apexr.open_study(study).load(),
            lambda: apexr.list_experiments(study),
            lambda: apexr.open_experiment(study, IDS[0]).load(),
            lambda: store.read_weights(store.unit_path(study, IDS[0])),
            lambda: store.verify(study),
            lambda: store.repair(study),
            lambda: store.verify(study),
        ):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ApexrWarning)
                try:
                    action()
                except ApexrError:
                    continue
        victim = sound.parent / "victim"
        assert [path.name for path in victim.iterdir()] == ["letter.txt"]
        assert (victim / "letter.txt").read_text() == "dear all"
    finally:
        shutil.rmtree(copy)


def fuzz(sound, examples):
    count = 0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[*HealthCheck],
    )
    @given(edits=st.lists(changes(), min_size=1, max_size=3))
    def run(edits):
        nonlocal count
        count += 1
        check(sound, edits, count)

    run()
    return count


@pytest.mark.parametrize("examples", [15, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_changed_store_is_read_or_refused(sound, examples, record_property):
    record_property("stores", fuzz(sound, examples))


# --- led by what the code does with it -------------------------------------------------------

GUIDED = """
import sys
import atheris

with atheris.instrument_imports(include=["apexr.store"]):
    import apexr.store
sys.path[:0] = sys.argv[2:4]
import test_fuzzed_stores as fuzzed

TEXTS = ["../x", "/etc/passwd", "zstd", "bytes", "a" * 3000, "NaN", ""]

def value(draw, depth=0):
    kind = draw.ConsumeIntInRange(0, 8 if depth < 3 else 5)
    if kind < 6:
        return (
            lambda: None,
            lambda: draw.ConsumeInt(9),
            draw.ConsumeFloat,
            lambda: draw.ConsumeUnicode(20),
            lambda: draw.PickValueInList(TEXTS),
            draw.ConsumeBool,
        )[kind]()
    if kind == 6:
        return fuzzed.Drop()
    inner = [value(draw, depth + 1) for _ in range(draw.ConsumeIntInRange(0, 3))]
    inner = [one for one in inner if not isinstance(one, fuzzed.Drop)]
    return inner if kind == 7 else {str(number): one for number, one in enumerate(inner)}

def one(data):
    draw = atheris.FuzzedDataProvider(data)
    edits = []
    for _ in range(draw.ConsumeIntInRange(1, 3)):
        kind = draw.PickValueInList(["json", "json", "content", "bytes", "link", "lost"])
        which, where = draw.ConsumeIntInRange(0, 10**6), draw.ConsumeIntInRange(0, 10**6)
        new = draw.ConsumeBytes(300) if kind == "content" else value(draw)
        edits.append((kind, which, where, new))
    fuzzed.check(study, edits)

with fuzzed.sound_study() as study:
    atheris.Setup([sys.argv[0], f"-runs={sys.argv[1]}", "-max_len=512", "-timeout=60"], one)
    atheris.Fuzz()
"""


@pytest.mark.slow
def test_guided_changes_are_read_or_refused(record_property):
    here = Path(__file__).parent
    python(GUIDED, 1000, here, here.parent, timeout=3000)
    record_property("stores", 1000)
