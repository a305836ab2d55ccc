"""Callbacks record what they say, each at its own interval, and change nothing else."""

import jax
import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES
from apexr.engine import CALLBACKS, Callback, callback, named_weights
from apexr.errors import MissingVariableError, SpecError
from apexr.testing import assert_valid, no_compute
from apexr.training import tracker

PLAIN = {
    **SIZES,
    "optim_config": "sgd;8;constant;0.05",
    "net": NET,
    "num_seeds": 2,
    "progress": False,
    "num_trjs_returned": 2,
    "report_metrics": "mean_nRMSE,mean_fourier_MSE;0;3;0",
}
ALL = "net;1,weight_norm;2,grad_norm;1,metrics;5,sample_rollout;4,loss;3,"


@pytest.fixture(scope="module")
def seen():
    return []


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("callbacks") / "adv.zarr"


@pytest.fixture(scope="module")
def recorded(seen, path):
    @tracker(every=3)
    def watch(moment):
        weight = moment.emulators.layers[0].weight
        assert isinstance(weight, jax.Array)
        seen.append((moment.update_step, moment.seeds, np.asarray(moment.losses), weight.shape))

    chosen = {**PLAIN, "callbacks": ALL, "start_seed": 3}
    return apexr.run("diff_adv", **chosen, trackers=[watch], store=path)


@pytest.fixture(scope="module")
def plain():
    return apexr.run("diff_adv", **PLAIN, start_seed=3)


def test_each_callback_has_its_own_interval(recorded):
    assert_valid(recorded)
    steps = {
        name: recorded[f"update_step_{name}"].values.tolist()
        for name in ("net", "weight_norm", "grad_norm", "metrics", "sample_rollout", "loss")
    }
    assert steps == {
        "net": list(range(8)),
        "weight_norm": [0, 2, 4, 6],
        "grad_norm": list(range(8)),
        "metrics": [0, 5],
        "sample_rollout": [0, 4],
        "loss": [0, 3, 6],
    }
    assert recorded.weight_norm.dims == ("seed", "update_step_weight_norm")
    assert recorded.metrics_mean_nRMSE.dims == ("seed", "update_step_metrics", "time")
    assert recorded.sample_rollout_history.sizes["sample"] == 2


def test_a_training_does_not_notice_that_it_is_watched(recorded, plain):
    for name in ("train_loss", "mean_nRMSE", "sample_rollout"):
        np.testing.assert_array_equal(recorded[name], plain[name])


def test_losses_are_those_of_the_training(recorded, plain):
    assert plain.update_step.values.tolist() == [0, 3, 6]
    np.testing.assert_array_equal(recorded.loss, plain.train_loss)


def test_weight_norm_is_that_of_the_weights(recorded):
    weights = recorded.net_weights.sel(update_step_net=[0, 2, 4, 6])
    norm = np.sqrt((weights**2).sum("parameter"))
    np.testing.assert_allclose(recorded.weight_norm, norm, rtol=1e-6)


def test_gradient_norm_is_the_length_of_a_step_of_gradient_descent(recorded):
    step = recorded.net_weights.diff("update_step_net") / 0.05
    length = np.sqrt((step**2).sum("parameter"))
    np.testing.assert_allclose(recorded.grad_norm[:, :-1], length, rtol=1e-3)


def test_the_records_start_with_the_first_weights(recorded):
    scenario = apexr.difficulty.Advection(**SIZES)
    key = jax.random.split(jax.random.PRNGKey(4))[0]
    first = named_weights(scenario.get_network(NET, key))
    made = named_weights(apexr.load_networks(recorded, update_step=0))
    for name, array in first.items():
        np.testing.assert_array_equal(made[name][1], array)


def test_networks_of_a_step_give_its_rollouts_and_errors(recorded, path):
    for step, source in ((4, recorded), (0, path)):
        networks = apexr.load_networks(source, update_step=step)
        one = apexr.engine.select_seed(networks, 1)
        predicted = jax.vmap(one)(recorded.initial_state.values)
        at = {"seed": 1, "time": 0}
        history = recorded.sample_rollout_history.sel(update_step_sample_rollout=step)
        np.testing.assert_allclose(history.isel(at), predicted, atol=1e-5)
    reference = apexr.difficulty.Advection(**SIZES).get_test_data()
    states = jax.vmap(one)(reference.isel(time=0).values)
    truth = reference.isel(time=1).values
    ratio = np.sqrt(((states - truth) ** 2).sum((1, 2)) / (truth**2).sum((1, 2)))
    error = recorded.metrics_mean_nRMSE.sel(update_step_metrics=0).isel(at)
    np.testing.assert_allclose(error, ratio.mean(), rtol=1e-4)


def test_steps_that_are_not_recorded_cannot_be_loaded(recorded, plain):
    with pytest.raises(MissingVariableError, match=r"before update 99 are not recorded.*\[0, 1"):
        apexr.load_networks(recorded, update_step=99)
    with pytest.raises(MissingVariableError, match="recorded are none: name net;EVERY"):
        apexr.load_networks(plain, update_step=0)


def test_records_are_stored_and_tabled(recorded, path):
    with no_compute():
        held = apexr.open_experiment(path)
        assert held.weight_norm.chunks is not None
    wide = apexr.to_wide(recorded)
    columns = [name for name in wide if name.startswith("aux_")]
    assert columns == [f"aux_{step:06d}" for step in range(8)]
    assert set(wide["aux_000001"][0]) == {"net", "grad_norm"}
    errors = wide["aux_000005"][1]["metrics"]
    assert list(errors) == ["mean_nRMSE", "mean_fourier_MSE;0;3;0"]
    assert len(errors["mean_nRMSE"]) == 5
    table = apexr.to_long(recorded, "weight_norm")
    assert table[["seed", "update_step"]].drop_duplicates().shape == (8, 2)
    table = apexr.to_long(recorded, "metrics_mean_nRMSE")
    assert {"seed", "update_step", "time_step"} < set(table)


def test_trackers_see_moments_and_leave_no_trace(recorded, seen):
    assert [step for step, *_ in seen] == [0, 3, 6]
    for index, (_, seeds, losses, shape) in enumerate(seen):
        assert seeds == (3, 4)
        assert shape == (2, 2, 1, 3)
        np.testing.assert_array_equal(losses, recorded.train_loss[:, index])
    assert not any("watch" in str(name) for name in recorded.variables)


def test_studies_hold_experiments_with_and_without_records(tmp_path):
    config = {"scenario": "diff_adv", **PLAIN, "report_metrics": "mean_nRMSE"}
    config.pop("progress")
    configs = [config, {**config, "callbacks": "weight_norm;4", "start_seed": 5}]
    study = apexr.run_study(configs, tmp_path / "study.zarr", progress=False)
    assert study.weight_norm.dims == ("experiment", "seed", "update_step_weight_norm")
    table = apexr.to_long(study, "weight_norm")
    assert len(table) == 4
    assert table["weight_norm"].notna().all()
    wide = apexr.to_wide(study)
    assert [n for n in wide if n.startswith("aux_")] == ["aux_000000", "aux_000004"]


def test_a_callback_of_ones_own():
    @callback("first_weight")
    class FirstWeight(Callback):
        """first_weight;EVERY - the mean of the first layer's weights."""

        every: int

        def measure(self, moment, test):
            return moment.emulators.layers[0].weight.mean(axis=(1, 2, 3))

    try:
        result = apexr.run("diff_adv", **PLAIN, callbacks="first_weight;4,net;4")
        assert_valid(result)
        networks = apexr.load_networks(result, update_step=4)
        wanted = networks.layers[0].weight.mean(axis=(1, 2, 3))
        np.testing.assert_allclose(result.first_weight[:, 1], wanted, rtol=1e-5)
    finally:
        CALLBACKS.registry.unregister("first_weight")


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("callbacks", "said"),
    [
        ("weight_nrm;3", "did you mean 'weight_norm'"),
        ("weight_norm", "EVERY is missing"),
        ("weight_norm;0", "EVERY must be at least 1"),
        ("weight_norm;3;4", "nothing is expected after"),
        ("loss;2,loss;3", "'loss' is named twice"),
    ],
)
def test_wrong_strings_are_refused(callbacks, said):
    with pytest.raises(SpecError) as caught:
        apexr.run("diff_adv", **PLAIN, callbacks=callbacks)
    assert said in str(caught.value)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("trackers", [print, [print], "loss;1", [tracker(every=0)(print)], 3])
def test_wrong_trackers_are_refused(trackers):
    with pytest.raises(SpecError, match="trackers must be a list"):
        apexr.run("diff_adv", **PLAIN, trackers=trackers)


@pytest.mark.usefixtures("no_training")
def test_names_that_results_need_are_refused():
    @callback("train_loss")
    class TrainLoss(Callback):
        """train_loss;EVERY - nothing."""

        every: int

        def measure(self, moment, test):
            return moment.losses

    try:
        with pytest.raises(SpecError, match="'train_loss' is something that every result holds"):
            apexr.run("diff_adv", **PLAIN, callbacks="train_loss;2")
    finally:
        CALLBACKS.registry.unregister("train_loss")
