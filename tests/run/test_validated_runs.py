"""Validation and warm starts from a config to a stored, labeled result; studies and commands."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import apexr
from _tiny import NET, SIZES
from apexr.cli import app
from apexr.errors import ApexrWarning, SpecError
from apexr.scenarios import Request, difficulty, plan
from apexr.study import plan_study
from apexr.testing import assert_valid
from apexr.training import tracker

KEYWORDS = {
    **SIZES,
    "net": NET,
    "num_seeds": 2,
    "progress": False,
    "record_loss_every": 2,
    "optim_config": "adam;6;constant;1e-2",
}
CHOSEN = {
    "num_valid_samples": 2,
    "valid_temporal_horizon": 3,
    "select": "best;mean_nRMSE",
    "patience": 2,
    "callbacks": "valid_metrics;2",
}


def run(store=None, **changes):
    return apexr.run("diff_adv", **{**KEYWORDS, **changes}, store=store)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return run(tmp_path_factory.mktemp("plain") / "adv.zarr")


@pytest.fixture(scope="module")
def chosen():
    return run(**CHOSEN)


def test_a_result_says_what_validation_found(chosen, plain):
    assert_valid(chosen)
    assert chosen.valid_loss.dims == chosen.valid_score.dims == ("seed", "update_step")
    assert chosen.valid_loss.dtype == chosen.train_loss.dtype
    assert chosen.selected_at.dims == chosen.stopped_at.dims == ("seed",)
    recorded = chosen.valid_metrics_mean_nRMSE
    assert dict(recorded.sizes) == {"seed": 2, "update_step_valid_metrics": 3, "valid_time": 3}
    assert not {"valid_loss", "valid_score", "selected_at", "stopped_at"} & set(plain)
    table = apexr.to_long(chosen, "valid_loss")
    assert {"seed", "update_step", "valid_loss"} <= set(table)
    assert apexr.plot.loss(chosen, variable="valid_loss") is not None


def test_the_score_is_the_mean_metric_over_the_rollouts(chosen):
    """The callback sees the same rollouts, each step by itself."""
    steps = chosen.valid_metrics_mean_nRMSE.mean("valid_time")
    np.testing.assert_allclose(chosen.valid_score.values, steps.values, rtol=1e-5)


def test_validation_changes_neither_losses_nor_data(plain):
    watched = run(num_valid_samples=2)
    for name in ("train_loss", "mean_nRMSE", "sample_rollout", "initial_state"):
        np.testing.assert_array_equal(plain[name], watched[name])
    assert {"valid_loss"} == set(watched) - set(plain)


def test_data_for_validation_have_a_seed_of_their_own():
    held = {"num_points": 16, "num_valid_samples": 3, "num_train_samples": 3}
    held |= {"train_temporal_horizon": 4, "num_test_samples": 3, "test_temporal_horizon": 4}
    scenario = difficulty.Burgers(**held, valid_seed=5)
    as_train = difficulty.Burgers(**held, train_seed=5)
    np.testing.assert_array_equal(scenario.get_valid_data(), as_train.get_train_data())
    assert not np.allclose(scenario.get_valid_data(), scenario.get_train_data())
    assert scenario.get_valid_data().attrs["split"] == "valid"
    assert difficulty.Burgers(**held, valid_temporal_horizon=2).get_valid_data().sizes["time"] == 3
    with pytest.raises(SpecError, match="give num_valid_samples"):
        difficulty.Burgers().get_valid_data()
    with pytest.warns(ApexrWarning, match="valid_seed and test_seed are both 773"):
        difficulty.Burgers(**held, valid_seed=773)


def test_ids_of_experiments_without_validation_stay(plain):
    told = json.loads(plain.attrs["specification"])
    assert not {"select", "patience", "num_valid_samples", "valid_seed"} & set(told["parameters"])
    assert "init" not in told
    spelled = {"select": "last", "patience": 0, "num_valid_samples": 0, "valid_seed": 1546}
    again = plan(difficulty.Advection(**SIZES, **spelled), Request())
    assert (
        again.attrs["experiment_id"]
        == plan(difficulty.Advection(**SIZES), Request()).attrs["experiment_id"]
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"select": "best"}, "'last' or 'best;METRIC'"),
        ({"select": "lst"}, "did you mean 'last'"),
        ({"select": "best;mean_nRMS"}, "did you mean 'mean_nRMSE'"),
        ({"select": "best;valid_los"}, "did you mean 'valid_loss'"),
        ({"select": "best;per_channel(mean_nRMSE)"}, "no value that is best"),
        ({"select": "best;mean_nRMSE,mean_MSE"}, "by one metric, not several"),
        ({"select": "best;mean_nRMSE", "num_valid_samples": 0}, "needs data for validation"),
        ({"patience": 1, "num_valid_samples": 0}, "patience=1 needs data for validation"),
        ({"callbacks": "valid_metrics;2", "num_valid_samples": 0}, "'valid_metrics' needs data"),
        ({"patience": -1}, "patience must be at least 0"),
        ({"num_valid_samples": 1.5}, "num_valid_samples must be an integer"),
        ({"train": "sup;4", "valid_temporal_horizon": 3}, "validation.*unroll at most 3"),
    ],
)
@pytest.mark.usefixtures("no_training")
def test_what_means_nothing_is_refused_before_any_work(changes, said):
    with pytest.raises(SpecError, match=said):
        run(**{"num_valid_samples": 1, **changes})


def test_interrupted_and_split_runs_give_the_same(tmp_path):
    keywords = {**CHOSEN, "train": "noise;0.1;curriculum;1@0,2@3;sup;2"}
    keywords["optim_config"] = "ema;0.5;adam;6;constant;0.1"
    whole = run(**keywords)

    @tracker(every=2)
    def press(moment):
        if moment.update_step == 2:
            raise KeyboardInterrupt

    store = tmp_path / "adv.zarr"
    with pytest.raises(KeyboardInterrupt):
        apexr.run(
            "diff_adv",
            **{**KEYWORDS, **keywords},
            store=store,
            checkpoint_seconds=0.0,
            trackers=[press],
        )
    assert list((tmp_path / ".checkpoints-adv.zarr").glob("*.ckpt"))
    again = run(store, **keywords)
    for name in ("train_loss", "valid_loss", "valid_score", "selected_at", "stopped_at"):
        np.testing.assert_array_equal(again[name], whole[name])
    np.testing.assert_array_equal(again.sample_rollout, whole.sample_rollout)
    study = tmp_path / "study.zarr"
    one = {"scenario": "diff_adv", **KEYWORDS, **keywords}
    del one["progress"]
    apexr.run_study([{**one, "num_seeds": 1}], study, progress=False)
    held = apexr.run_study([one], study, progress=False)
    for name in ("valid_loss", "selected_at", "stopped_at"):
        np.testing.assert_allclose(held[name][0], whole[name], rtol=1e-4)


# --- recorded data ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recording():
    return np.asarray(difficulty.Burgers(num_points=16, num_train_samples=10).get_train_data())


def recorded(recording, **changes):
    given = {"dims": ("sample", "time", "channel", "x"), "split": "6;2;2", "batch_size": 4}
    given |= {"optim_config": "adam;4;constant;1e-2", "record_loss_every": 2}
    return apexr.Recorded(recording, **{**given, **changes})


def test_recorded_data_validate_on_the_middle_part(recording):
    plain = recorded(recording)
    assert plain.num_valid_samples == 0
    best = recorded(recording, select="best;valid_loss")
    assert (best.num_valid_samples, best.valid_temporal_horizon) == (2, 50)
    few = recorded(recording, num_valid_samples=1, valid_temporal_horizon=7)
    assert few.get_valid_data().shape == (1, 8, 1, 16)
    np.testing.assert_array_equal(few.get_valid_data(), plain.get_valid_data()[:1, :8])
    result = apexr.run(best, net=NET, progress=False)
    assert result.valid_loss.shape == (1, 2)
    assert result.selected_at.item() in (0, 2, 4)
    told = json.loads(apexr.run(plain, net=NET, progress=False).attrs["specification"])
    assert not {"select", "num_valid_samples", "valid_seed"} & set(told["parameters"])
    with pytest.raises(SpecError, match="must be at most 2, the trajectories that there are"):
        recorded(recording, num_valid_samples=3)
    with pytest.raises(SpecError, match="there are no trajectories for validation"):
        recorded(recording, split="8;0;2", patience=3)
    with pytest.raises(SpecError, match="valid_temporal_horizon must be at most 50"):
        recorded(recording, num_valid_samples=1, valid_temporal_horizon=51)


# --- warm starts -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("warm") / "study.zarr"
    common = {"scenario": "diff_adv", **{k: v for k, v in KEYWORDS.items() if k != "progress"}}
    nets = [NET, "Conv;3;1;tanh"]
    apexr.run_study([{**common, "net": net} for net in nets], folder, progress=False)
    return folder


def ids(study):
    table = apexr.list_experiments(study)
    return dict(zip(table["net"], table["id"], strict=True))


def test_each_seed_begins_with_its_own_weights(study, tmp_path):
    source = f"{study}#{ids(study)[NET]}"
    store = tmp_path / "warm.zarr"
    warm = run(store, init=source, callbacks="net;2", start_seed=1, num_seeds=1)
    before = apexr.load_networks(study, ids(study)[NET], seed=1)
    first = apexr.load_networks(warm, update_step=0)
    np.testing.assert_array_equal(first.layers[0].weight, before.layers[0].weight)
    assert warm.attrs["init"] == source
    told = json.loads(warm.attrs["specification"])
    assert told["init"] == warm.attrs["init_digest"]
    assert json.loads(warm["scenario_kwargs"].item())["init"].startswith("study.zarr#")
    cold = run(start_seed=1, num_seeds=1)
    assert warm.attrs["experiment_id"] != cold.attrs["experiment_id"]
    assert not np.allclose(warm.train_loss, cold.train_loss)
    assert apexr.load_networks(store).layers[0].weight.shape == before.layers[0].weight.shape


def test_training_in_two_parts_goes_downhill(plain, tmp_path):
    """The loss begins where the first part ended; the store of one experiment will do."""
    store = tmp_path / "first.zarr"
    first = run(store, optim_config="sgd;40;constant;0.05", record_loss_every=1, batch_size=12)
    second = run(init=str(store), optim_config="sgd;2;constant;0.05", batch_size=12)
    assert (second.train_loss[:, 0] < first.train_loss[:, -1]).all()
    moved = tmp_path / "elsewhere.zarr"
    store.rename(moved)
    third = run(init=str(moved), optim_config="sgd;2;constant;0.05", batch_size=12)
    assert third.attrs["experiment_id"] == second.attrs["experiment_id"]


def test_studies_and_commands_begin_with_stored_weights(study, tmp_path):
    source = f"{study}#{ids(study)[NET]}"
    file = tmp_path / "study.toml"
    sizes = "\n".join(f"{k} = {json.dumps(v)}" for k, v in SIZES.items())
    file.write_text(
        f'[common]\nscenario = "diff_adv"\nnet = "{NET}"\nnum_seeds = 2\n{sizes}\n'
        f'[[experiments]]\ninit = "{source}"\n[[experiments]]\ntrain = "one"\n'
    )
    held = apexr.run_study(file, tmp_path / "tuned.zarr", progress=False)
    assert held.sizes["experiment"] == 2
    told = [json.loads(text) for text in held["scenario_kwargs"].values]
    assert sorted("init" in one for one in told) == [False, True]
    words = ["run", "diff_adv", "--net", NET, "--init", source, "--no-progress"]
    words += [w for k, v in SIZES.items() for w in ("--set", f"{k}={json.dumps(v)}")]
    words += ["--set", "num_valid_samples=1", "--set", "select=best;valid_loss"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "weights with the best validation, after updates" in done.output


@pytest.mark.usefixtures("no_training")
def test_the_beginning_of_an_id_names_the_same_weights(study):
    one = ids(study)[NET]
    configs = [
        {**SIZES, "scenario": "diff_adv", "net": NET, "num_seeds": 2, "init": f"{study}#{i}"}
        for i in (one, one[:8])
    ]
    whole, short = (plan_study([config])[0].id for config in configs)
    assert whole == short
    with pytest.raises(SpecError, match="no finished experiment"):
        plan_study([{**configs[0], "init": f"{study}#{one[:3]}"}])


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("init", "changes", "said"),
    [
        ("{study}", {}, "it is a study; name one of its experiments"),
        ("{study}#{near}", {}, "no finished experiment '.*'; did you mean '{id}'"),
        ("{study}#{id}", {"net": "Conv;4;1;tanh"}, "another architecture than 'Conv;4;1;tanh'"),
        ("{study}#{id}", {"task": "correct;parallel"}, "another architecture"),
        ("{study}#{id}", {"num_seeds": 4}, "no weights of seed 2-3; there are those of 0-1"),
        ("{nothing}", {}, "no finished experiment is stored there"),
        ("{nothing}#{id}", {}, "is no study"),
        ("", {}, "'STORE' or 'STORE#EXPERIMENT'"),
        (7, {}, "'STORE' or 'STORE#EXPERIMENT'"),
    ],
)
def test_what_cannot_be_begun_with_is_refused_before_any_work(study, tmp_path, init, changes, said):
    one = ids(study)[NET]
    names = {"study": study, "id": one, "near": one[:-1] + "x", "nothing": tmp_path / "no.zarr"}
    given = init.format(**names) if isinstance(init, str) else init
    with pytest.raises(SpecError, match=said.format(**names)):
        run(init=given, **changes)
    if isinstance(given, str) and given:
        config = {"scenario": "diff_adv", **KEYWORDS, **changes, "init": given}
        del config["progress"]
        with pytest.raises(SpecError, match="init"):
            apexr.run_study([config], tmp_path / "new.zarr", progress=False)
        assert not (tmp_path / "new.zarr").exists()
