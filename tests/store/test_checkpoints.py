"""Checkpoints are whole or not used; the one before is kept."""

import numpy as np
import pytest

from apexr.errors import StoreError
from apexr.store import Checkpoints, create_study, unit_path

HERE = {"experiment_id": "a" * 32, "device": "2 x cpu", "precision": "float32"}
ARRAYS = {"state/a.0": np.arange(6, dtype="f4").reshape(2, 3), "update": np.asarray(100)}


@pytest.fixture
def kept(tmp_path):
    return Checkpoints(tmp_path / "adv.zarr", HERE, 0.0)


def assert_loads(kept, update):
    loaded = kept.load()
    assert loaded["update"] == update
    np.testing.assert_array_equal(loaded["state/a.0"], ARRAYS["state/a.0"])
    assert loaded["state/a.0"].dtype == np.float32


def save(kept, *updates):
    for update in updates:
        kept.save(update, {**ARRAYS, "update": np.asarray(update)})


def files(kept):
    return sorted(path.name for path in kept.folder.iterdir())


def test_the_newest_two_are_kept(kept):
    assert kept.load() is None
    save(kept, 100, 200, 900, 1000)
    assert [name[-13:-5] for name in files(kept)] == ["00000900", "00001000"]
    assert_loads(kept, 1000)
    kept.clear()
    assert not kept.folder.exists()
    assert kept.load() is None


@pytest.mark.parametrize("where", [0.0, 0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_damaged_ones_are_not_used(kept, where, damage, caplog):
    save(kept, 100, 200)
    newest = kept.folder / files(kept)[-1]
    content = bytearray(newest.read_bytes())
    place = int(where * len(content))
    if damage == "flip":
        content[place] ^= 0x10
    newest.write_bytes(content[: {"flip": None, "cut": place, "empty": 0}[damage]])
    assert_loads(kept, 100)
    assert newest.name in caplog.text
    assert "it is not used" in caplog.text


def test_checkpoints_hold_numbers_alone(kept):
    with pytest.raises(StoreError, match="a checkpoint holds numbers alone; 'code' are none"):
        kept.save(1, {"code": np.array([print], dtype=object)})


@pytest.mark.parametrize(
    "change", [{"device": "1 x cpu"}, {"precision": "float64"}, {"experiment_id": "b" * 32}]
)
def test_other_circumstances_are_told_and_left_alone(kept, tmp_path, change, caplog):
    save(kept, 100, 200)
    other = Checkpoints(tmp_path / "adv.zarr", {**HERE, **change}, 0.0)
    assert other.load() is None
    name, value = next(iter(change.items()))
    assert f"made with {name} {HERE[name]!r}, this is {value!r}; it is not used" in caplog.text
    save(other, 10, 20, 30)
    assert_loads(kept, 200)
    assert_loads(other, 30)


def test_a_failed_write_leaves_the_old_ones(kept, monkeypatch):
    save(kept, 100)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("apexr.store.runs._checkpoints._disk.sync", full)
        with pytest.raises(StoreError, match=r"the checkpoint is not written.*No space left"):
            save(kept, 200)
    assert len(files(kept)) == 1
    assert_loads(kept, 100)


def test_it_is_time_for_the_next_after_a_while(tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    kept = Checkpoints(tmp_path / "adv.zarr", HERE, 60.0)
    never = Checkpoints(tmp_path / "adv.zarr", HERE, None)
    assert not kept.is_due()
    now[0] += 61
    assert kept.is_due()
    assert not never.is_due()
    save(kept, 100)
    assert not kept.is_due()


def test_those_of_a_study_lie_within_it(tmp_path):
    create_study(tmp_path / "study")
    kept = Checkpoints(unit_path(tmp_path / "study", "a" * 32), HERE, 0.0)
    save(kept, 1)
    assert kept.folder == tmp_path / "study" / "checkpoints" / ("a" * 32)
    assert_loads(kept, 1)
