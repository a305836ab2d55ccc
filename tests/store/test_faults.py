"""A fault at every file operation, and disks that are full: the old state or the new one."""

import errno
import itertools
import shutil
from contextlib import suppress

import pytest
import xarray as xr
from _crash import Crash, Disk

from apexr import store
from apexr._files import _disk
from apexr._files._durable import json_bytes
from apexr.errors import StoreError
from apexr.store.unit._encode import encoded
from apexr.store.unit._manifest import entries_of, make_manifest
from apexr.store.unit._publish import publish_files
from apexr.testing import mock_experiment

pytestmark = pytest.mark.acceptance

ID = "0123456789abcdef" * 2
OTHER = "f" * 32
OLD, NEW = mock_experiment(random_seed=1), mock_experiment(random_seed=2)


def small(number):
    """Return the files of a unit that is small: what fails does not depend on what it holds."""
    files = {"data.zarr/zarr.json": b"{}", f"data.zarr/a/c/{number}": bytes([number]) * 100}
    labels = {"config": {}, "attrs": {}, "sizes": {}, "seeds": [number]}
    return {**files, "manifest.json": json_bytes(make_manifest(labels, entries_of(files)))}


FILES = {"old": small(1), "new": small(2)}


def publish_small(root, which, name=ID, study="study", **options):
    store.create_study(root / study)
    publish_files(FILES[which], store.Study.at(root / study).unit(name), **options)


def publish_whole(root, which, **options):
    store.create_study(root / "study")
    ds = {"old": OLD, "new": NEW}[which]
    store.publish_experiment(ds, {}, store.unit_path(root / "study", ID), **options)


def prepare_second(root):
    publish_small(root, "old", OTHER)
    publish_small(root, "new", study="second")


SCENES = {
    "the first experiment": (
        lambda root: None,
        lambda root: publish_small(root, "new"),
        [None, "new"],
    ),
    "one more experiment": (
        lambda root: publish_small(root, "old", OTHER),
        lambda root: publish_small(root, "new"),
        [None, "new"],
    ),
    "overwriting": (
        lambda root: publish_small(root, "old"),
        lambda root: publish_small(root, "new", overwrite=True),
        ["old", "new"],
    ),
    "the first experiment, packed": (
        lambda root: None,
        lambda root: publish_small(root, "new", packed=True),
        [None, "new"],
    ),
    "overwriting, packed": (
        lambda root: publish_small(root, "old", packed=True),
        lambda root: publish_small(root, "new", packed=True, overwrite=True),
        ["old", "new"],
    ),
    "overwriting a folder by a packed one": (
        lambda root: publish_small(root, "old"),
        lambda root: publish_small(root, "new", packed=True, overwrite=True),
        ["old", "new"],
    ),
    "overwriting a packed one by a folder": (
        lambda root: publish_small(root, "old", packed=True),
        lambda root: publish_small(root, "new", overwrite=True),
        ["old", "new"],
    ),
    "packing": (
        lambda root: publish_small(root, "old"),
        lambda root: store.pack(root / "study"),
        ["old"],
    ),
    "merging": (
        prepare_second,
        lambda root: store.merge(root / "study", root / "second"),
        [None, "new"],
    ),
}


def held(study, name):
    """Return what is published under an id, every byte of it checked, or None."""
    unit = store.unit_path(study, name)
    if not store.is_published(unit):
        return None
    store.verify(unit)
    return "old" if store.read_manifest(unit)["seeds"] == [1] else "new"


def check(root, allowed):
    """Check that the old state or the new one is there, and that work can go on from it."""
    study = root / "study"
    if store.is_study(study):
        assert held(study, ID) in allowed
        store.verify(study)
    store.create_study(study)
    assert not list((study / ".staging").glob("*"))
    publish_small(root, "new", overwrite=True)
    assert held(study, ID) == "new"


def fault(tmp_path, scene, number, how, keep_names=True):
    """Let the n-th operation fail; tell whether there were as many."""
    prepare, act, allowed = SCENES[scene]
    root = tmp_path / f"{how}-{number}-{keep_names}"
    root.mkdir()
    prepare(root)
    others = held(root / "study", OTHER)
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(root, patch, number, how)
        try:
            act(root)
        except (StoreError, OSError, Crash):
            reached = True
        else:
            reached = disk.count >= number  # it failed where a failure does no harm
    if how == "crash" and reached:
        disk.after_power_loss(keep_names)
    assert held(root / "study", OTHER) == others
    check(root, allowed)
    shutil.rmtree(root)
    return reached


def every_fault(tmp_path, scene, how, **options):
    """Return how many operations there are, after letting each of them fail."""
    for number in itertools.count(1):
        if not fault(tmp_path, scene, number, how, **options):
            return number - 1
    raise AssertionError


FAULTS = [("error", {}), ("crash", {"keep_names": True}), ("crash", {"keep_names": False})]


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(("how", "options"), FAULTS)
def test_a_fault_at_every_operation(tmp_path, scene, how, options, record_property):
    count = every_fault(tmp_path, scene, how, **options)
    record_property("operations", count)
    assert count >= (6 if "packed" in scene else 8)  # a packed one is a single file


def publish(root, overwrite=False):
    publish_whole(root, "new", overwrite=overwrite)


def whole(study, name):
    unit = store.unit_path(study, name)
    store.verify(unit)
    return store.open_experiment(unit).load()


@pytest.mark.slow
@pytest.mark.parametrize(("how", "options"), FAULTS)
@pytest.mark.parametrize("replacing", [False, True])
def test_a_fault_at_every_operation_of_a_result(tmp_path, how, options, replacing, record_property):
    for number in itertools.count(1):
        root = tmp_path / str(number)
        root.mkdir()
        if replacing:
            publish_whole(root, "old")
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(root, patch, number, how)
            with suppress(StoreError, OSError, Crash):
                publish(root, overwrite=True)
        if disk.dead:
            disk.after_power_loss(**options)
        study = root / "study"
        if replacing or store.is_published(store.unit_path(study, ID)):
            found = whole(study, ID)
            assert found.identical(NEW) or (replacing and found.identical(OLD))
        shutil.rmtree(root)
        if disk.count < number:
            break
    record_property("operations", number - 1)
    assert number > 60


def test_acknowledged_means_durable(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        disk = Disk(tmp_path, patch)
        publish(tmp_path)
        disk.after_power_loss(keep_names=False)
    xr.testing.assert_identical(whole(tmp_path / "study", ID), NEW)


# --- the disk is full ------------------------------------------------------------------------


def fill(monkeypatch, room):
    """Let writing fail when ``room`` bytes are written."""
    left = [room]
    real = _disk.write

    def write(path, data):
        if len(data) > left[0]:
            path.write_bytes(data[: left[0]])
            left[0] = 0
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= len(data)
        real(path, data)

    monkeypatch.setattr(_disk, "write", write)
    monkeypatch.setattr(_disk, "write_all", lambda files: [write(*one) for one in files.items()])


SIZES = range(20)
WHOLE = sum(map(len, encoded(NEW, {}).values()))  # and the manifest comes last


@pytest.mark.parametrize("part", SIZES)
def test_a_full_disk_at_20_sizes(tmp_path, monkeypatch, part):
    publish_small(tmp_path, "old", OTHER)
    study = tmp_path / "study"
    with monkeypatch.context() as patch:
        fill(patch, WHOLE * part // len(SIZES))
        with pytest.raises(StoreError, match="No space left"):
            publish(tmp_path)
    assert not list((study / ".staging").iterdir())
    assert held(study, ID) is None
    assert held(study, OTHER) == "old"


def test_too_small_a_disk_is_noticed_before_writing(tmp_path, monkeypatch):
    publish_small(tmp_path, "old", OTHER)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    monkeypatch.setattr(_disk, "write_all", lambda *_: pytest.fail("written"))
    with pytest.raises(StoreError, match="the disk has 1 kB left"):
        publish(tmp_path)
