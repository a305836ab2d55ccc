"""A fault at every file operation, and disks that are full: the old state or the new one."""

import errno
import itertools
import shutil

import pytest
import xarray as xr
from _crash import Crash, Disk

from apexr import store
from apexr.errors import StoreError
from apexr.store import _disk
from apexr.testing import mock_experiment

ID = "0123456789abcdef" * 2
OTHER = "f" * 32
OLD, NEW = mock_experiment(random_seed=1, dt=None), mock_experiment(random_seed=2, dt=None)


def publish(root, overwrite=False):
    store.create_study(root / "study")
    unit = store.unit_path(root / "study", ID)
    store.publish_experiment(NEW, {}, unit, overwrite=overwrite)


def first_publish(root):
    publish(root)


def prepare_other(root):
    store.create_study(root / "study")
    store.publish_experiment(OLD, {}, store.unit_path(root / "study", OTHER))


def prepare_same(root):
    store.create_study(root / "study")
    store.publish_experiment(OLD, {}, store.unit_path(root / "study", ID))


def overwrite(root):
    publish(root, overwrite=True)


def pack(root):
    store.pack(root / "study")


def merge(root):
    store.merge(root / "study", root / "second")


def prepare_second(root):
    prepare_other(root)
    store.create_study(root / "second")
    store.publish_experiment(NEW, {}, store.unit_path(root / "second", ID))


SCENES = {
    "the first experiment": (lambda root: None, first_publish, [None, NEW]),
    "one more experiment": (prepare_other, first_publish, [None, NEW]),
    "overwriting": (prepare_same, overwrite, [OLD, NEW]),
    "packing": (prepare_same, pack, [OLD]),
    "merging": (prepare_second, merge, [None, NEW]),
}


def held(study, name):
    """Return what is published under an id, every byte of it checked, or None."""
    unit = store.unit_path(study, name)
    if not store.is_published(unit):
        return None
    store.verify(unit)
    return store.open_experiment(unit).load()


def check(root, allowed):
    """Check that the old state or the new one is there, and that work can go on from it."""
    study = root / "study"
    if store.is_study(study):
        found = held(study, ID)
        assert any(
            (found is None and one is None) or (one is not None and one.identical(found))
            for one in allowed
        )
        store.verify(study)
    store.create_study(study)
    assert not list((study / ".staging").glob("*"))
    store.publish_experiment(NEW, {}, store.unit_path(study, ID), overwrite=True)
    xr.testing.assert_identical(held(study, ID), NEW)


def fault(tmp_path, scene, number, how, keep_names=True):
    """Let the n-th operation fail; tell whether there were as many."""
    prepare, act, allowed = SCENES[scene]
    root = tmp_path / f"{how}-{number}-{keep_names}"
    root.mkdir()
    prepare(root)
    others = held(root / "study", OTHER) if store.is_study(root / "study") else None
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
    if others is not None:
        xr.testing.assert_identical(held(root / "study", OTHER), others)
    check(root, allowed)
    shutil.rmtree(root)
    return reached


def every_fault(tmp_path, scene, how, step=1, **options):
    """Return how many operations there are, after letting every ``step``-th fail."""
    for number in itertools.count(1, step):
        if not fault(tmp_path, scene, number, how, **options):
            return number - 1
    raise AssertionError


FAULTS = [("error", {}), ("crash", {"keep_names": True}), ("crash", {"keep_names": False})]


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(("how", "options"), FAULTS)
def test_a_fault_at_some_operations(tmp_path, scene, how, options):
    assert every_fault(tmp_path, scene, how, step=23, **options) > 15


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(("how", "options"), FAULTS)
def test_a_fault_at_every_operation(tmp_path, scene, how, options, record_property):
    count = every_fault(tmp_path, scene, how, **options)
    record_property("operations", count)
    assert count > 15


def test_acknowledged_means_durable(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        disk = Disk(tmp_path, patch)
        publish(tmp_path)
        disk.after_power_loss(keep_names=False)
    xr.testing.assert_identical(held(tmp_path / "study", ID), NEW)


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


SIZES = range(20)


@pytest.mark.parametrize("part", SIZES)
def test_a_full_disk_at_20_sizes(tmp_path, monkeypatch, part):
    prepare_other(tmp_path)
    study = tmp_path / "study"
    whole = sum(path.stat().st_size for path in study.rglob("*") if path.is_file())
    with monkeypatch.context() as patch:
        fill(patch, whole * part // len(SIZES))
        with pytest.raises(StoreError, match="No space left"):
            publish(tmp_path)
    assert not list((study / ".staging").iterdir())
    assert held(study, ID) is None
    xr.testing.assert_identical(held(study, OTHER), OLD)
    publish(tmp_path)


def test_too_small_a_disk_is_noticed_before_writing(tmp_path, monkeypatch):
    prepare_other(tmp_path)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    monkeypatch.setattr(_disk, "write", lambda *_: pytest.fail("written"))
    with pytest.raises(StoreError, match="the disk has 1 kB left"):
        publish(tmp_path)
