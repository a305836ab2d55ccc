"""Studies of one file an experiment: run, resumed, read and looked after as those of folders."""

import numpy as np
import pytest
import xarray as xr

import apexr
from _tiny import NET, SIZES, units
from apexr import store as stores
from apexr.errors import SpecError
from apexr.study import load_whole

TINY = {"scenario": "diff_adv", "net": NET, **SIZES}
NAMES = ("mean_nRMSE", "train_loss", "sample_rollout", "num_parameters")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a packed study of two networks with two seeds each."""
    path = tmp_path_factory.mktemp("packed") / "study.zarr"
    nets = [NET, "Conv;3;1;tanh"]
    apexr.run_study({**TINY, "net": nets, "num_seeds": 2}, path, packed=True, progress=False)
    return path


def forms(study):
    return {path.suffix for path in units(study)}


def test_a_packed_study_is_that_of_folders(study, tmp_path):
    assert forms(study) == {".zip"}
    assert all(path.is_file() for path in units(study))
    folders = tmp_path / "folders.zarr"
    config = {**TINY, "net": [NET, "Conv;3;1;tanh"], "num_seeds": 2}
    plain = apexr.run_study(config, folders, progress=False)
    assert forms(folders) == {""}
    packed = apexr.open_study(study)
    for name in NAMES:
        np.testing.assert_array_equal(packed[name], plain[name])
    table = apexr.list_experiments(study)
    assert table.state.tolist() == ["published"] * 2
    for name in table["id"]:
        ours, theirs = (apexr.load_networks(path, name, seed=1) for path in (study, folders))
        state = np.ones((1, 16), "f4")
        np.testing.assert_array_equal(ours(state), theirs(state))
    assert not list((study / ".locks").iterdir())
    assert not list(study.glob("checkpoints/*"))


@pytest.mark.usefixtures("no_training")
def test_what_is_packed_is_not_run_again(study):
    again = apexr.run_study({**TINY, "num_seeds": 2}, study, progress=False)
    assert again.sizes["experiment"] == 2
    assert forms(study) == {".zip"}


def test_more_seeds_come_in_either_form(study, tmp_path):
    grown = tmp_path / "grown.zarr"
    stores.merge(grown, study)
    assert forms(grown) == {".zip"}
    apexr.run_study({**TINY, "num_seeds": 3}, grown, progress=False)
    assert forms(grown) == {".zip", ""}
    (held,) = (part for part in stores.Study.at(grown).parts().values() if len(part) == 2)
    assert sorted(part.seeds for part in held) == [(0, 1), (2,)]
    assert stores.verify(grown) == 3
    chosen = apexr.open_study(grown).sel(experiment=held[0].experiment)
    assert np.isfinite(chosen["mean_nRMSE"]).all()
    stores.pack(grown)
    assert forms(grown) == {".zip"}
    assert apexr.open_study(grown).equals(apexr.open_study(grown))


def test_a_damaged_packed_experiment_is_put_aside_and_run_again(study, tmp_path):
    broken = tmp_path / "broken.zarr"
    stores.merge(broken, study)
    path = units(broken)[0]
    path.write_bytes(path.read_bytes()[:-100])
    assert len(stores.repair(broken).moved) == 1
    nets = [NET, "Conv;3;1;tanh"]
    config = {**TINY, "net": nets, "num_seeds": 2}
    again = apexr.run_study(config, broken, packed=True, progress=False)
    for name in NAMES:
        np.testing.assert_array_equal(again[name], apexr.open_study(study)[name])


def test_a_single_result_is_packed(tmp_path):
    store = tmp_path / "adv.zarr"
    first = apexr.run(**TINY, store=store, packed=True, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["adv.zarr.zip"]
    xr.testing.assert_identical(apexr.run(**TINY, store=store, progress=False).load(), first.load())
    xr.testing.assert_identical(apexr.open_experiment(f"{store}.zip").load(), first.load())
    assert hasattr(apexr.load_networks(store), "batched")
    with pytest.raises(SpecError, match="give a store"):
        apexr.run(**TINY, packed=True, progress=False)


TEXTS = {
    "study.toml": "packed = true\nscenario = 'diff_adv'\nnum_seeds = 2\n[trackers.tensorboard]\n",
    "study.json": '{"packed": true, "experiments": [{"scenario": "diff_adv"}]}',
    "study.py": "PACKED = True\nCONFIGS = [{'scenario': 'diff_adv'}]\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_study_files_say_so(tmp_path, name):
    file = tmp_path / name
    file.write_text(TEXTS[name])
    planned, settings = load_whole(file, allow_python=True)
    assert len(planned) == 1
    assert settings.packed
    file.write_text(TEXTS[name].replace("True", "'yes'").replace("true", '"yes"'))
    with pytest.raises(SpecError, match="packed is true or false, got 'yes'"):
        load_whole(file, allow_python=True)
