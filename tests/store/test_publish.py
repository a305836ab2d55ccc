import os

import numpy as np
import pytest
import xarray as xr

from apexr import store
from apexr._files import _disk, _layout
from apexr.errors import SchemaError, StoreError
from apexr.store.unit import _publish
from apexr.testing import mock_experiment

ID = "0123456789abcdef" * 2


@pytest.fixture
def ds():
    return mock_experiment()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_equal_again_is_success(tmp_path, ds):
    first = store.publish_experiment(ds, {}, tmp_path / "a.zarr")
    assert store.publish_experiment(ds, {}, tmp_path / "a.zarr") == first
    assert names(tmp_path) == ["a.zarr"]


def test_different_is_a_conflict_unless_overwritten(tmp_path, ds):
    other = mock_experiment(random_seed=1)
    unit = store.publish_experiment(ds, {}, tmp_path / "a.zarr")
    with pytest.raises(store.ConflictError, match="overwrite=True"):
        store.publish_experiment(other, {}, unit)
    xr.testing.assert_identical(store.open_experiment(unit).load(), ds)
    store.publish_experiment(other, {}, unit, overwrite=True)
    xr.testing.assert_identical(store.open_experiment(unit).load(), other)
    assert names(tmp_path) == ["a.zarr"]


def test_exchange_without_help_of_the_system(tmp_path, ds, monkeypatch):
    monkeypatch.setattr(_disk, "exchange", lambda *_: False)
    unit = store.publish_experiment(ds, {}, tmp_path / "a.zarr")
    other = mock_experiment(random_seed=1)
    store.publish_experiment(other, {}, unit, overwrite=True)
    xr.testing.assert_identical(store.open_experiment(unit).load(), other)
    assert names(tmp_path) == ["a.zarr"]


def test_only_valid_results_are_published(tmp_path, ds):
    with pytest.raises(SchemaError):
        store.publish_experiment(ds.assign(other=1), {}, tmp_path / "a.zarr")
    assert not names(tmp_path)


STEPS = ["encoded", "make_manifest", "write_files", "make_folder", "move_in"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_fault_anywhere_leaves_nothing(tmp_path, ds, monkeypatch, step, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(_publish, step, fail)
    expected = StoreError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        store.publish_experiment(ds, {}, tmp_path / "a.zarr")
    assert not names(tmp_path)


@pytest.mark.parametrize("step", STEPS)
def test_a_fault_in_overwriting_keeps_the_old(tmp_path, ds, monkeypatch, step):
    unit = store.publish_experiment(ds, {}, tmp_path / "a.zarr")

    def fail(*_, **__):
        raise OSError(5, "I/O error")

    monkeypatch.setattr(_publish, step, fail)
    with pytest.raises(StoreError, match="not published"):
        store.publish_experiment(mock_experiment(random_seed=1), {}, unit, overwrite=True)
    store.verify(unit)
    xr.testing.assert_identical(store.open_experiment(unit).load(), ds)


# --- paths that cannot hold a result ---------------------------------------------------------


def test_check_writable_accepts(tmp_path, ds):
    store.check_writable(tmp_path / "new" / "deep" / "a.zarr")
    (tmp_path / "empty").mkdir()
    store.check_writable(tmp_path / "empty")
    store.publish_experiment(ds, {}, tmp_path / "empty")
    store.check_writable(tmp_path / "empty")
    store.create_study(tmp_path / "study")
    store.create_study(tmp_path / "study")
    store.check_writable(tmp_path / "study", "study")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("asked", range(len(_layout._HOLDS)))
def test_another_process_makes_the_study_meanwhile(tmp_path, monkeypatch, asked):
    study = tmp_path / "study"
    study.mkdir()

    def after(number, question):
        def ask(folder):
            answer = question(folder)
            if number == asked:
                _publish.write_marker(store.place(study))
            return answer

        return ask

    for number, (word, question) in enumerate(list(_layout._HOLDS.items())):
        monkeypatch.setitem(_layout._HOLDS, word, after(number, question))
    store.check_writable(study, "study")


def test_check_writable_refuses(tmp_path, ds):
    (tmp_path / "file").write_text("x")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("x")
    store.create_study(tmp_path / "study")
    store.publish_experiment(ds, {}, tmp_path / "unit")
    for path, kind, words in [
        ("file", "experiment", "found a file"),
        ("file/below/a.zarr", "experiment", "file is a file"),
        ("other", "experiment", "something else"),
        ("other", "study", "something else"),
        ("study", "experiment", "found study"),
        ("unit", "study", "found experiment"),
    ]:
        with pytest.raises(StoreError, match=words):
            store.check_writable(tmp_path / path, kind)
    with pytest.raises(StoreError, match="something else"):
        store.publish_experiment(ds, {}, tmp_path / "other", overwrite=True)
    assert names(tmp_path / "other") == ["thesis.tex"]


def test_check_writable_without_permission(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StoreError, match="no permission"):
        store.check_writable(tmp_path / "a.zarr")


def test_relative_and_awkward_paths(tmp_path, ds, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("a.zarr", "with space/ünïcødé ☃.zarr"):
        store.publish_experiment(ds, {}, path)
        assert store.is_published(path)
        store.open_experiment(path)
    assert not store.is_published("missing")


# --- damage ----------------------------------------------------------------------------------


@pytest.fixture
def unit(tmp_path, ds):
    return store.publish_experiment(ds, {"w": np.ones(3)}, tmp_path / "a.zarr")


def test_cut_deleted_and_added_files_are_noticed(unit):
    chunk = unit / "mean_nRMSE" / "c.0.0"
    content = chunk.read_bytes()
    chunk.write_bytes(content[:-1])
    with pytest.raises(StoreError, match=r"mean_nRMSE/c.0.0: .* bytes, expected"):
        store.open_experiment(unit)
    chunk.unlink()
    with pytest.raises(StoreError, match=r"mean_nRMSE/c.0.0: missing"):
        store.open_experiment(unit)
    chunk.write_bytes(content)
    (unit / "mean_nRMSE" / "c.0.1").write_bytes(content)
    with pytest.raises(StoreError, match="not in the manifest"):
        store.read_weights(unit)


def test_a_flipped_bit_is_noticed(unit):
    chunk = unit / "mean_nRMSE" / "c.0.0"
    content = bytearray(chunk.read_bytes())
    content[20] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(StoreError, match=r"mean_nRMSE/c.0.0: content changed"):
        store.verify(unit)
    with pytest.raises(StoreError, match=r"mean_nRMSE/c.0.0: content changed"):
        store.open_experiment(unit).mean_nRMSE.load()


def test_a_changed_manifest_is_noticed(unit):
    manifest = unit / "manifest.json"
    manifest.write_text(manifest.read_text().replace("Conv", "Conf"))
    with pytest.raises(StoreError, match="digest"):
        store.open_experiment(unit)
    manifest.write_text("{")
    with pytest.raises(StoreError, match="not readable"):
        store.open_experiment(unit)
    manifest.write_text('{"format": "apexr-experiment", "schema_version": 99}')
    with pytest.raises(StoreError, match="schema version 99, this apexr reads up to 1"):
        store.open_experiment(unit)
    manifest.unlink()
    with pytest.raises(StoreError, match="not a finished apexr experiment"):
        store.open_experiment(unit)


def test_links_are_refused(unit, tmp_path):
    (unit / "link").symlink_to(tmp_path)
    with pytest.raises(StoreError, match="symbolic links"):
        store.open_experiment(unit)


@pytest.mark.parametrize("name", ["../../etc", "A" * 32, "abc"])
def test_ids_are_no_paths(tmp_path, name):
    with pytest.raises(StoreError, match="32 hexadecimal"):
        store.unit_path(tmp_path, name)


def test_many_files_are_written_whole_and_never_over_others(tmp_path):
    from apexr._files import _disk

    root = store.place(tmp_path)
    for name in ("a", "a/b", "c"):
        (tmp_path / name).mkdir()
    files = {f"{folder}/{n}": bytes([n]) * n for folder in ("a", "a/b", "c") for n in range(70)}
    _disk.write_all({root / name: data for name, data in files.items()})
    assert {name: (tmp_path / name).read_bytes() for name in files} == files
    with pytest.raises(FileExistsError):
        _disk.write_all({root / "c/3": b"other"})
    (tmp_path / "link").symlink_to(tmp_path / "c")
    with pytest.raises(StoreError, match="symbolic links"):
        _disk.write_all({root / "link/new": b"x"})
    (tmp_path / "a" / "dangling").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        _disk.write_all({root / "a/dangling": b"x"})
    assert not (tmp_path / "elsewhere").exists()
