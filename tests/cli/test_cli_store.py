import equinox as eqx
import jax
import pytest

from _tiny import units
from apexr import _run, store
from apexr.testing import mock_experiment

IDS = [f"{number:032x}" for number in range(3)]


@pytest.fixture
def studies(tmp_path):
    first, second = tmp_path / "first.zarr", tmp_path / "second study"
    for path, ids in ((first, IDS[:2]), (second, IDS[1:])):
        store.create_study(path)
        for name in ids:
            ds = mock_experiment(random_seed=int(name, 16))
            store.publish_experiment(ds, {}, store.unit_path(path, name))
    return first, second


def test_a_study_is_verified_repaired_packed_and_merged(studies, apexr_command):
    first, second = studies
    assert "2 units checked" in apexr_command("verify", first).out
    assert "2 units packed" in apexr_command("pack", second).out
    assert "1 experiment merged" in apexr_command("merge", first, second).out
    chunk = first / "experiments" / IDS[0] / "data.zarr" / "train_loss" / "c.0.0"
    chunk.unlink()
    failed = apexr_command("verify", first)
    assert failed.code == 2
    assert "train_loss/c.0.0: missing" in failed.err
    assert "1 damaged thing put aside, 0 unfinished" in apexr_command("repair", first).out
    assert "2 units checked" in apexr_command("verify", first).out


@pytest.mark.parametrize(
    ("told", "options", "form"),
    [
        ("packed = true\n", (), ".zip"),
        ("packed = true\n", ("--no-packed",), ""),
        ("", ("--packed",), ".zip"),
        ("", (), ""),
    ],
)
def test_the_command_says_it_last(apexr_command, monkeypatch, tmp_path, told, options, form):
    weights = eqx.nn.Linear(1, 3, use_bias=False, key=jax.random.PRNGKey(0))

    def fake(scenario, experiment, _):
        ds = mock_experiment(net=experiment.config["net"], seeds=experiment.seeds)
        return ds.assign_attrs(experiment.attrs), weights

    monkeypatch.setattr(_run, "run_plan", fake)
    file, study = tmp_path / "study.toml", tmp_path / "study.zarr"
    file.write_text(f"{told}scenario = 'diff_adv'\nnet = 'Conv;2;1;tanh'\n")
    done = apexr_command("study", file, "--store", study, "--no-progress", *options)
    assert done.code == 0, done.err
    assert {path.suffix for path in units(study)} == {form}
