"""No decision of the store rests on the time of day, nor on the times of files."""

import os
import time

import numpy as np
import pytest
import xarray as xr

from apexr import store
from apexr.store.study import _open
from apexr.testing import mock_experiment

YEAR = 365 * 24 * 3600
NAMES = [f"{number:032x}" for number in range(3)]
CIRCUMSTANCES = {"experiment_id": "a" * 32}


@pytest.fixture(params=[-YEAR, 10 * YEAR], ids=["a year back", "ten years on"])
def jump(request, monkeypatch):
    """Return the function that sets the clock, and what is on the disk, to another time."""
    real = time.time

    def do(folder):
        monkeypatch.setattr(time, "time", lambda: real() + request.param)
        for number, path in enumerate(sorted(folder.rglob("*"))):
            os.utime(path, times=(real() + request.param * (-1) ** number,) * 2)

    return do


def keep(study, update):
    kept = store.Checkpoints(store.unit_path(study, "a" * 32), CIRCUMSTANCES, 0.0)
    kept.save(update, {"update": np.asarray(update)})
    return kept


def test_a_clock_that_jumps_changes_nothing(tmp_path, jump, monkeypatch):
    monkeypatch.setattr(_open, "INDEX_FROM", 0)
    results = [mock_experiment(random_seed=number) for number in range(3)]
    store.create_study(tmp_path)
    for name, ds in zip(NAMES[:2], results, strict=False):
        store.publish_experiment(ds, {}, store.unit_path(tmp_path, name))
    keep(tmp_path, 100), keep(tmp_path, 200)
    store.keep_index(tmp_path)
    before = store.open_study(tmp_path).load()
    (tmp_path / ".staging" / f"{5:032x}-{6:032x}").mkdir()

    jump(tmp_path)
    xr.testing.assert_identical(store.open_study(tmp_path).load(), before)
    with store.Study.at(tmp_path).notes.claim("b" * 32):
        assert store.Study.at(tmp_path).notes.claimed() == {"b" * 32}
        store.create_study(tmp_path)
    assert not list((tmp_path / ".staging").iterdir())
    store.publish_experiment(results[1], {}, store.unit_path(tmp_path, NAMES[1]))
    store.publish_experiment(results[2], {}, store.unit_path(tmp_path, NAMES[2]))
    assert store.verify(tmp_path) == 3
    assert store.open_study(tmp_path).experiment.values.tolist() == NAMES
    kept = keep(tmp_path, 300)
    assert kept.load()["update"] == 300
    jump(tmp_path)
    assert kept.load()["update"] == 300
    assert sorted(path.name[-10:] for path in kept.folder.iterdir()) == ["00200.ckpt", "00300.ckpt"]
