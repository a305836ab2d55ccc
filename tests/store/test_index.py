"""The index of a large study gives what the experiments give, and follows them."""

import shutil

import numpy as np
import pytest
import xarray as xr

from _tiny import units
from apexr import store
from apexr._digest import canonical_json, digest
from apexr.errors import ApexrWarning, StoreError
from apexr.store.study import _index, _open, _rows
from apexr.testing import assert_valid, mock_experiment, no_compute

PARTS = [
    mock_experiment(diverged=[1], num_losses=5),
    mock_experiment(net="FNO;12;8;4;gelu", seeds=(0, 1), num_times=10, random_seed=1),
    mock_experiment(net="Res;26;8;relu", metrics=("mean_nRMSE", "mean_MAE"), random_seed=2),
    mock_experiment(net="Dil;2;8;relu", num_test_samples=6, dt=0.2, random_seed=3),
]


def add(study, *numbers):
    for number in numbers:
        unit = store.unit_path(study, f"{number * 7919 % 100:032x}")
        store.publish_experiment(PARTS[number % len(PARTS)], {}, unit)


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Return a study whose index is used from the first experiment on."""
    path = tmp_path / "study.zarr"
    store.create_study(path)
    add(path, *range(5))
    monkeypatch.setattr(_open, "INDEX_FROM", 0)
    monkeypatch.setattr(_index, "SEGMENT", 4)
    return path


def directly(study):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_open, "INDEX_FROM", 1000)
        return store.open_study(study).load()


def segments(study):
    return sorted(path.name for path in (study / ".index").iterdir())


def test_the_index_holds_what_the_experiments_hold(study):
    for _ in range(3):
        indexed = store.open_study(study)
        assert_valid(indexed)
        xr.testing.assert_identical(indexed.load(), directly(study))
        assert store.keep_index(study) == 5
    assert len(segments(study)) == 2


def test_opening_by_the_index_computes_nothing(study):
    store.keep_index(study)
    with no_compute():
        ds = store.open_study(study)
        ds.nRMSE.quantile(0.9, "test_sample")
    assert ds.mean_nRMSE.chunks is not None
    assert ds.sample_rollout.chunks[0] == (1,) * 5


def test_what_is_indexed_is_not_opened_again(study, monkeypatch):
    store.keep_index(study)
    seen = []
    real = _rows.read_member
    monkeypatch.setattr(_rows, "read_member", lambda unit: seen.append(unit) or real(unit))
    store.open_study(study)
    assert not seen
    add(study, 5)
    assert store.open_study(study).sizes["experiment"] == 6
    assert len(seen) == 1


def test_the_index_follows_additions_and_replacements(study):
    store.keep_index(study)
    for numbers in ((5, 6), (7, 8), (9,), (10, 11, 12)):
        add(study, *numbers)
        xr.testing.assert_identical(store.open_study(study).load(), directly(study))
        store.keep_index(study)
        xr.testing.assert_identical(store.open_study(study).load(), directly(study))
    unit = store.unit_path(study, f"{0:032x}")
    store.publish_experiment(mock_experiment(random_seed=9), {}, unit, overwrite=True)
    shutil.rmtree(store.unit_path(study, f"{19:032x}"))
    xr.testing.assert_identical(store.open_study(study).load(), directly(study))


def test_a_damaged_index_is_made_anew(study):
    expected = store.open_study(study).load()
    store.keep_index(study)
    for number, segment in enumerate(segments(study)):
        folder = study / ".index" / segment
        if number:
            (folder / "manifest.json").write_text("{}")
        else:
            (folder / "data.zarr" / "zarr.json").unlink()
    xr.testing.assert_identical(store.open_study(study).load(), expected)
    store.keep_index(study)
    xr.testing.assert_identical(store.open_study(study).load(), expected)


def test_a_chunk_of_the_index_that_changed_is_named(study):
    store.keep_index(study)
    for segment in segments(study):
        chunk = study / ".index" / segment / "data.zarr/mean_nRMSE/c.0.0.0"
        chunk.write_bytes(bytes(chunk.stat().st_size))
    with pytest.raises(OSError, match=r"mean_nRMSE/c.0.0.0: content changed"):
        store.open_study(study).mean_nRMSE.load()
    store.repair(study)
    xr.testing.assert_identical(store.open_study(study).load(), directly(study))


def test_reading_makes_no_index(study):
    xr.testing.assert_identical(store.open_study(study).load(), directly(study))
    assert not (study / ".index").exists()


def test_an_index_that_cannot_be_written_says_so(study, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_index, "make_folder", refuse)
    with pytest.raises(StoreError, match=r"the index cannot be written.*Permission denied"):
        store.keep_index(study)


def test_damaged_experiments_are_left_out(study):
    names = sorted(path.name for path in units(study))
    (study / "experiments" / names[1] / "manifest.json").unlink()
    (study / "experiments" / names[2] / "data.zarr" / "zarr.json").unlink()
    with pytest.warns(ApexrWarning, match=names[1]):
        ds = store.open_study(study)
    assert ds.experiment.values.tolist() == [names[0], *names[3:]]


def test_grids_that_differ_leave_the_fields_out(study):
    unit = store.unit_path(study, f"{99:032x}")
    store.publish_experiment(mock_experiment(num_points=20), {}, unit)
    ds = store.open_study(study)
    assert "sample_rollout" not in ds
    xr.testing.assert_identical(ds.load(), directly(study))


def test_selection_reads_only_what_is_asked_for(study):
    ds = store.open_study(study)
    (study / "experiments" / str(ds.experiment.values[1]) / "data.zarr/nRMSE/c.0.0.0").unlink()
    assert np.isfinite(ds.nRMSE.isel(experiment=2, seed=0, time=0, test_sample=0).load())
    with pytest.raises(OSError, match=r"nRMSE/c.0.0.0: missing"):
        ds.nRMSE.isel(experiment=1).load()


def publish_part(study, net, seeds):
    spec = {"scenario": "diff_adv", "net": net, "start_seed": seeds[0], "num_seeds": len(seeds)}
    ds = mock_experiment(net=net, seeds=seeds, random_seed=seeds[0])
    ds.attrs |= {"experiment_id": digest(spec), "specification": canonical_json(spec)}
    store.publish_experiment(ds, {}, store.unit_path(study, digest(spec)))


def test_an_experiment_that_grows_keeps_its_row(tmp_path, monkeypatch):
    path = tmp_path / "study.zarr"
    store.create_study(path)
    monkeypatch.setattr(_index, "SEGMENT", 4)
    monkeypatch.setattr(_open, "INDEX_FROM", 0)
    nets = [f"Conv;{width};1;relu" for width in range(4, 10)]
    for net in nets:
        publish_part(path, net, (0, 1))
    for grown, seeds in ((nets[:1], (2, 3)), (nets[1:3], (2,)), (nets, (4, 5))):
        store.keep_index(path)
        for net in grown:
            publish_part(path, net, seeds)
        study = store.open_study(path)
        assert_valid(study)
        assert study.sizes["experiment"] == len(nets)
        xr.testing.assert_identical(study.load(), directly(path))
    assert study.seed.values.tolist() == [0, 1, 2, 3, 4, 5]
    assert study.sample_rollout.sel(seed=5).notnull().all()


def test_results_of_one_form_are_read_together(tmp_path, monkeypatch):
    """Metadata are read of each, and one is opened."""
    path = tmp_path / "study.zarr"
    store.create_study(path)
    for number in range(6):
        ds = mock_experiment(diverged=[1], random_seed=number, num_losses=5)
        store.publish_experiment(ds, {}, store.unit_path(path, f"{number:032x}"))
    monkeypatch.setattr(_open, "INDEX_FROM", 0)
    opened = []
    real = _rows.open_plain
    monkeypatch.setattr(_rows, "open_plain", lambda unit: opened.append(unit) or real(unit))
    xr.testing.assert_identical(store.open_study(path).load(), directly(path))
    assert len(opened) == 1


def test_a_chunk_that_is_cut_leaves_its_experiment_out(study):
    name = f"{7919 % 100:032x}"
    chunk = study / "experiments" / name / "data.zarr/mean_nRMSE/c.0.0"
    chunk.write_bytes(chunk.read_bytes()[:-5])
    with pytest.warns(ApexrWarning, match=r"mean_nRMSE/c.0.0"):
        assert name not in store.open_study(study).experiment
