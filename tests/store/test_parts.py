"""An experiment whose seeds were run at different times reads as one."""

import json

import numpy as np
import pytest
import xarray as xr

from apexr import store
from apexr._digest import canonical_json, digest, experiment_id, with_seeds
from apexr.errors import StoreError
from apexr.testing import assert_valid, mock_experiment, no_compute

SPEC = {"scenario": "diff_adv", "net": "Conv;26;10;relu", "parameters": {"num_points": 16}}
ID = experiment_id(SPEC)


def publish(path, seeds, spec=SPEC, **options):
    ds = mock_experiment(seeds=seeds, random_seed=seeds[0], **options)
    whole = with_seeds(spec, seeds)
    ds.attrs |= {"experiment_id": digest(whole), "specification": canonical_json(whole)}
    single = len(seeds) == 1
    weights = {"layer.weight": np.full(3, seeds[0]) if single else np.outer(seeds, np.ones(3))}
    store.publish_experiment(ds, weights, store.unit_path(path, digest(whole)))
    return ds


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.zarr"
    store.create_study(path)
    return path


@pytest.fixture
def parts(study):
    """Return three parts, published out of order; one of their seeds diverged."""
    return [publish(study, seeds, diverged=(4,)) for seeds in ((3, 4), (0, 1, 2), (5,))]


def test_parts_read_as_one_result(study, parts):
    with no_compute():
        ds = store.open_experiment(study, ID)
        assert_valid(ds)
    assert ds.seed.values.tolist() == [0, 1, 2, 3, 4, 5]
    for part in parts:
        for name in ("mean_nRMSE", "nRMSE", "train_loss", "diverged_at", "sample_rollout"):
            xr.testing.assert_equal(ds[name].sel(seed=part.seed).compute(), part[name])
    assert list(ds.data_vars) == list(parts[0].data_vars)
    assert float(ds.train_seconds) == pytest.approx(3 * 12.5)
    assert int(ds.num_parameters) == 1234
    assert ds.attrs["experiment_id"] == ID
    assert json.loads(ds.attrs["specification"]) == SPEC
    assert store.open_experiment(store.unit_path(study, ID)).identical(ds)


@pytest.mark.usefixtures("parts")
def test_weights_lead_with_all_seeds(study):
    weights = store.read_weights(store.unit_path(study, ID))
    np.testing.assert_array_equal(weights["layer.weight"], np.outer(range(6), np.ones(3)))


@pytest.mark.usefixtures("parts")
def test_a_study_has_one_row_for_it(study):
    publish(study, (0, 1), {**SPEC, "net": "FNO"}, net="FNO")
    with no_compute():
        ds = store.open_study(study)
    assert sorted(ds.has_seed.sum("seed").values.tolist()) == [2, 6]
    table = store.list_experiments(study).set_index("id")
    assert table.loc[ID, "seeds"] == [0, 1, 2, 3, 4, 5]
    assert table.loc[ID, "num_diverged"] == 1
    assert (table["state"] == "published").all()
    rollouts = store.open_rollouts(study)["1d_16"]
    assert rollouts.sizes["seed"] == 6


def test_a_seed_of_two_parts_is_read_once(study):
    first, _ = publish(study, (0, 1)), publish(study, (1, 2, 3))
    ds = store.open_experiment(study, ID)
    assert ds.seed.values.tolist() == [0, 1, 2, 3]
    xr.testing.assert_equal(ds.mean_nRMSE.sel(seed=1).compute(), first.mean_nRMSE.sel(seed=1))
    weights = store.read_weights(store.unit_path(study, ID))
    assert weights["layer.weight"][:, 0].tolist() == [0, 1, 2, 3]


def test_a_part_that_ended_early_is_filled_up(study):
    publish(study, (0, 1), num_losses=5)
    publish(study, (2,), num_losses=3)
    ds = store.open_experiment(study, ID)
    assert ds.sizes["update_step"] == 5
    assert np.isnan(ds.train_loss.sel(seed=2).values).sum() == 2


@pytest.mark.usefixtures("parts")
def test_what_is_noted_is_never_the_truth(study):
    found = store.Study.at(study).parts()
    store.Study.at(study).note_parts(found)
    assert sorted(part.seeds for part in found[ID]) == [(0, 1, 2), (3, 4), (5,)]
    note = study / ".parts.json"
    good = note.read_text()
    assert store.Study.at(study).parts() == found
    for text in (good.replace(ID, "0" * 32), "{", "[]", '{"digest": 1, "parts": 2}'):
        note.write_text(text)
        assert store.Study.at(study).parts() == found
    note.write_text(good)
    publish(study, (9,))
    assert len(store.Study.at(study).parts()[ID]) == 4


def test_what_is_not_there(study):
    with pytest.raises(StoreError, match="not a finished apexr experiment"):
        store.open_experiment(study, ID)
    with pytest.raises(StoreError, match="32 hexadecimal digits"):
        store.open_experiment(study, "../../x")


def test_states_while_a_study_runs(study):
    config = {"scenario": "1d_diff_adv", "task": "predict", "net": "x", "train": "one"}
    entries = [
        {"id": f"{number:032x}", "config": config, "seeds": [0, 1]} for number in range(3)
    ] + [{"id": ID, "config": config, "seeds": [0, 1, 2]}]
    publish(study, (0, 1))
    with store.Study.at(study).notes.planned(entries):
        store.Study.at(study).notes.record_failure(f"{1:032x}", ValueError("bad"), config)
        with store.Study.at(study).notes.claim(f"{0:032x}"):
            table = store.list_experiments(study).set_index("id")["state"]
        assert table.loc[[f"{n:032x}" for n in range(3)]].tolist() == [
            *("running", "failed", "pending")
        ]
        assert table[ID] == "pending"  # a seed is missing
        (study / ".locks").mkdir(exist_ok=True)
        (study / ".locks" / f"{2:032x}").write_text("")  # its process is dead
        assert store.list_experiments(study).set_index("id")["state"][f"{2:032x}"] == "pending"
    assert store.list_experiments(study)["state"].tolist().count("pending") == 0


def test_equal_specifications_have_equal_ids():
    composed, decomposed = "gr\u00fcn", "gru\u0308n"
    assert composed != decomposed
    assert digest({"a": composed, "b": [1.5]}) == digest({"b": [1.5], "a": decomposed})
    assert digest({composed: 1}) == digest({decomposed: 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert experiment_id({**SPEC, "start_seed": 3, "num_seeds": 2}) == ID
