"""Networks of differences, of normalized states, of histories and of bundles."""

import dataclasses
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import _recordings as files
import apexr
from _tiny import filled
from apexr.engine import moments_of
from apexr.errors import ApexrWarning, SpecError
from apexr.networks import NETWORKS
from apexr.networks._statistics import LEAST_DEVIATION
from apexr.scenarios import difficulty
from apexr.spectral import Grid
from apexr.training import Streamed

CORE = "Conv;3;1;tanh"
SIZES = {
    "num_points": 16,
    "num_train_samples": 3,
    "train_temporal_horizon": 7,
    "num_test_samples": 2,
    "test_temporal_horizon": 8,
    "batch_size": 5,
    "record_loss_every": 3,
    "optim_config": "adam;7;constant;1e-3",
}


def run(net, scenario="diff_burgers", **options):
    return apexr.run(scenario, net=net, progress=False, **{**SIZES, **options})


def states(channels, dims=1, batch=3, seed=1):
    return np.random.default_rng(seed).normal(size=(channels, batch, *(8,) * dims)).astype("f4")


def built(config, channels=1, dims=1):
    """Return a network with weights of NumPy's, its statistics as they are before measured."""
    spec, grid = NETWORKS.parse(config), Grid(dims, 8)
    return filled(lambda key: spec.build(grid, channels, key))


def measured(net, **values):
    """Return a network with other statistics."""
    held = {name: jnp.asarray(value, "f4") for name, value in values.items()}
    changed = dataclasses.replace(net.statistics, **held)
    return eqx.tree_at(lambda one: one.statistics, net, changed)


# --- strings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("DELTA;conv;3;1;TANH", "delta;Conv;3;1;tanh"),
        ("delta;1;norm;ZSCORE;Conv;3;1;tanh", "delta;1.0;norm;zscore;Conv;3;1;tanh"),
        ("History;4;bundle;2;norm;rms;delta;1e-2;Conv;3;1;tanh", None),
    ],
)
def test_strings_come_back(given, canonical):
    spec = NETWORKS.parse(given)
    assert NETWORKS.parse(str(spec)) == spec
    assert canonical is None or str(spec) == canonical


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (f"delta;norm;rms;delta;{CORE}", "must have no delta of its own"),
        (f"norm;rms;norm;zscore;{CORE}", "must have no norm of its own"),
        (f"history;2;delta;history;3;{CORE}", "must have no history of its own"),
        (f"bundle;2;bundle;2;{CORE}", "must have no bundle of its own"),
        (f"delta;0;{CORE}", "SCALE must be above 0"),
        (f"delta;nan;{CORE}", "SCALE must be above 0"),
        (f"norm;zscor;{CORE}", "zscore"),
        (f"history;0;{CORE}", "at least 1"),
        (f"bundle;1.5;{CORE}", "must be int"),
        ("delta;0.5", "missing"),
        ("delta;Cnv;3;1;tanh", "did you mean"),
        ("norm;rms", "missing"),
    ],
)
def test_what_means_nothing_is_refused_with_a_caret(config, words):
    with pytest.raises(SpecError) as error:
        NETWORKS.parse(config)
    assert words in str(error.value)
    assert "^" in str(error.value)


# --- what they compute -------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("wrapper", ["delta", "delta;0.5", "norm;rms;delta", "history;3;delta"])
def test_delta_of_a_zero_network_is_the_identity(wrapper, dims):
    net = built(f"{wrapper};{CORE}", 2, dims)
    net = jax.tree.map(jnp.zeros_like, net)
    if net.statistics is not None:
        values = {"step": np.full_like(net.statistics.step, 0.3)}
        values |= {} if net.statistics.shift is None else {"shift": [1, 2], "scale": [3, 0.1]}
        net = measured(net, **values)
    frames = net.frames.held
    u = states(2 * frames, dims)
    made = net.batched(jnp.asarray(u))
    np.testing.assert_array_equal(made[-2:], u[-2:])
    np.testing.assert_array_equal(made[:-2], u[2:])


@pytest.mark.parametrize("wrapper", ["norm;zscore", "norm;rms", "history;1", "bundle;1"])
@pytest.mark.parametrize("core", [CORE, "FNO;2;3;1;gelu", "UNet;2;1;tanh", "MLP;5;1;swish"])
def test_what_changes_nothing_is_the_network_within_to_the_last_bit(wrapper, core):
    spec, inner, grid = NETWORKS.parse(f"{wrapper};{core}"), NETWORKS.parse(core), Grid(1, 8)
    key = jax.random.PRNGKey(3)
    u = jnp.asarray(states(2))
    mine, other = spec.build(grid, 2, key), inner.build(grid, 2, key)
    np.testing.assert_array_equal(mine.batched(u), other.batched(u))
    np.testing.assert_array_equal(mine(u[:, 0]), other(u[:, 0]))


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
@pytest.mark.parametrize("size", ["", "0.5;"])
def test_all_wrappers_in_any_order_are_the_formula(order, size):
    words = [f"delta;{size}", "norm;zscore;", "history;3;", "bundle;2;"]
    channels, shift, scale, step = 2, [0.5, -1.0], [2.0, 0.5], [0.1, 0.3]
    net = built("".join(words[place] for place in order) + CORE, channels)
    net = measured(net, shift=shift, scale=scale, step=step)
    u = states(3 * channels).reshape(3, channels, 3, 8)
    column = lambda values: np.asarray(values)[:, None, None]  # noqa: E731
    given = np.concatenate([(frame - column(shift)) / column(scale) for frame in u])
    made = np.asarray(net.core.batched(jnp.asarray(given, "f4")))[: 2 * channels]
    factor = (float(size[:-1]) if size else 1.0) * column(step)
    frames = [u[-1] + factor * made[:2], u[-1] + factor * made[2:]]
    expected = np.concatenate([u[-1], *frames])
    told = net.batched(jnp.asarray(u.reshape(-1, 3, 8)))
    np.testing.assert_allclose(told, expected, rtol=2e-5, atol=2e-6)


def test_norm_without_delta_goes_back_to_physical_units():
    net = measured(built(f"norm;zscore;{CORE}", 2), shift=[3, -2], scale=[0.5, 4])
    u = states(2)
    shift, scale = (np.reshape(value, (2, 1, 1)) for value in ([3, -2], [0.5, 4]))
    made = np.asarray(net.core.batched(jnp.asarray((u - shift) / scale, "f4")))
    np.testing.assert_allclose(net.batched(jnp.asarray(u)), shift + scale * made, rtol=2e-5)


def test_constants_are_given_once_and_not_predicted():
    spec = NETWORKS.parse(f"history;3;norm;zscore;{CORE}")
    net = filled(lambda key: spec.build_with(Grid(1, 8), 2, 1, key))
    assert net.core.layers[0].weight.shape[1] == 3 * 2 + 1
    u = states(7)
    net = measured(net, shift=[0, 0, 5], scale=[1, 1, 2])
    given = np.concatenate([u[:6], (u[6:] - 5) / 2])
    made = np.asarray(net.core.batched(jnp.asarray(given)))
    told = np.asarray(net.batched(jnp.asarray(u)))
    np.testing.assert_array_equal(told[-1], u[-1])
    np.testing.assert_array_equal(told[:4], u[2:6])
    np.testing.assert_allclose(told[4:6], made[:2], rtol=1e-6)


# --- statistics --------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_statistics_are_those_of_numpy(offset, monkeypatch):
    from apexr.engine import _fitted

    monkeypatch.setattr(_fitted, "BLOCK_BYTES", 3 * 8 * 2 * 10)  # blocks of three frames
    values = (np.random.default_rng(0).normal(size=(4, 7, 2, 10)) + offset).astype("f4")
    wide = values.astype("f8")
    over, steps = (0, 1, 3), np.diff(wide, axis=1)
    found = moments_of(values)
    np.testing.assert_allclose(found.mean, wide.mean(over), rtol=1e-12)
    np.testing.assert_allclose(found.deviation, wide.std(over), rtol=1e-9)
    np.testing.assert_allclose(found.root_mean_square, np.sqrt((wide**2).mean(over)), rtol=1e-12)
    np.testing.assert_allclose(found.step_deviation, steps.std(over), rtol=1e-9)
    rms = np.sqrt((steps**2).mean(over))
    np.testing.assert_allclose(found.step_root_mean_square, rms, rtol=1e-9)
    streamed = Streamed(values.shape, "f4", lambda n, first, last: values[n, first:last])
    for name, value in vars(moments_of(streamed)).items():
        np.testing.assert_array_equal(value, getattr(found, name))


def test_a_network_of_a_scenario_has_the_statistics_of_its_training_data():
    scenario = difficulty.Burgers(num_spatial_dims=2, num_channels=2, **SIZES)
    data = scenario.get_train_data().values.astype("f8")
    over = (0, 1, 3, 4)
    steps = np.diff(data, axis=1)
    key = jax.random.PRNGKey(0)
    both = scenario.get_network(f"delta;norm;zscore;{CORE}", key).statistics
    np.testing.assert_allclose(both.shift, data.mean(over), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(both.scale, data.std(over), rtol=1e-5)
    np.testing.assert_allclose(both.step, steps.std(over), rtol=1e-5)
    alone = scenario.get_neural_stepper(network_config=f"delta;{CORE}", key=key).statistics
    assert alone.shift is None
    np.testing.assert_allclose(alone.step, [np.sqrt((steps**2).mean())], rtol=1e-5)
    assert scenario.get_network(f"delta;0.1;{CORE}", key).statistics is None


def test_no_channel_is_divided_by_almost_nothing(tmp_path):
    values = files.numbers(12, 7, 2, 16)
    values[:, :, 1] = 3.0
    dims = ("sample", "time", "channel", "x")
    data = apexr.Recorded(values, dims=dims, split="last;2", **files.SIZES)
    held = data.get_network(f"norm;zscore;{CORE}", jax.random.PRNGKey(0)).statistics
    assert held.scale[1] == np.float32(LEAST_DEVIATION)
    assert np.isfinite(apexr.run(data, net=f"norm;zscore;{CORE}", progress=False).train_loss).all()


# --- trainings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("train", ["one", "sup;2", "loss;nMSE;cut;1;sup;2", "div;2"])
def test_frames_of_one_train_to_the_same_bits(train):
    mine = run(f"history;1;bundle;1;{CORE}", train=train, num_seeds=2)
    other = run(CORE, train=train, num_seeds=2)
    for name in ("train_loss", "nRMSE", "sample_rollout", "num_parameters"):
        np.testing.assert_array_equal(mine[name], other[name])


def rolled_out(net, truth):
    """Return the rollout of one emulator from the first frames, by hand."""
    given, made = net.frames.given, net.frames.made
    channels = truth.shape[1]
    state = np.concatenate([truth[max(n, 0)] for n in range(given - net.frames.held, given)])
    frames = []
    while len(frames) < len(truth) - given:
        state = np.asarray(net(jnp.asarray(state)))
        frames += list(state[-made * channels :].reshape(made, channels, *state.shape[1:]))
    return np.stack(frames[: len(truth) - given])


@pytest.mark.parametrize(
    ("wrapper", "dims"),
    [("history;3", 1), ("bundle;3", 1), ("history;2;bundle;3;delta;norm;zscore", 2)],
)
def test_rollouts_begin_after_the_given_frames_and_say_so(tmp_path, wrapper, dims):
    net, sizes = f"{wrapper};{CORE}", {**SIZES, "num_spatial_dims": dims, "num_points": 12}
    scenario = difficulty.Burgers(num_trjs_returned=2, num_channels=dims, **sizes)
    options = {"net": net, "train": "one", "num_seeds": 2, "progress": False}
    result = apexr.run(scenario, store=tmp_path / "a.zarr", **options)
    networks = apexr.load_networks(tmp_path / "a.zarr")
    given = networks[0].frames.given
    np.testing.assert_array_equal(result.time, np.arange(given, 9))
    truth = scenario.get_test_data().values
    for place, network in enumerate(networks):
        made = np.stack([rolled_out(network, one) for one in truth])
        held = result.sample_rollout.isel(seed=place).values
        np.testing.assert_allclose(held, made, rtol=1e-4, atol=1e-5)
        error = np.sqrt(((made - truth[:, given:]) ** 2).sum(axis=tuple(range(3, 3 + dims))))
        norm = np.sqrt((truth[:, given:] ** 2).sum(axis=tuple(range(3, 3 + dims))))
        expected = (error / norm).sum(axis=2)
        np.testing.assert_allclose(result.nRMSE.isel(seed=place), expected, rtol=1e-4)
    np.testing.assert_array_equal(result.sample_reference, truth[:, given:])
    np.testing.assert_array_equal(result.initial_state, truth[:, 0])
    again = apexr.evaluate(scenario, result.sample_rollout)
    np.testing.assert_allclose(again.nRMSE, result.nRMSE, rtol=1e-5)
    np.testing.assert_array_equal(again.time, result.time)


@pytest.mark.parametrize("steps", [1, 2])
def test_the_loss_is_that_of_the_frames_that_a_call_makes(steps):
    scenario = difficulty.Burgers(**SIZES)
    net = scenario.get_network(f"history;2;bundle;2;delta;norm;rms;{CORE}", jax.random.PRNGKey(1))
    data = scenario.get_train_data().values
    length = 2 + 2 * steps
    windows = [one[k : k + length] for one in data for k in range(len(one) - length + 1)]
    losses = []
    for window in windows:
        made = rolled_out(net, window)
        squares = ((made - window[2:]) ** 2).mean(axis=(1, 2)).reshape(steps, 2)
        losses.append(squares.mean(axis=1).sum())
    told = scenario.full_loss(net, train_config="one" if steps == 1 else f"sup;{steps}")
    assert told == pytest.approx(np.mean(losses), rel=1e-4)


@pytest.mark.parametrize(
    "train", ["div;2", "chain;2;1", "mix;1;1", "residuum;2", "composite;1,0.1;sup;2|div;1"]
)
def test_objectives_that_step_the_solver_step_the_newest_frame(train):
    """A network that gives the solver's own step has no loss: here the linear one, exactly."""
    scenario = difficulty.Advection(**SIZES)
    stepper = scenario.get_ref_stepper()

    class Solver:
        frames = apexr.networks.NETWORKS.parse(f"history;2;bundle;2;{CORE}").frames

        def __call__(self, state):
            first = stepper(state[-1:])
            return jnp.concatenate([first, stepper(first)])

    assert scenario.full_loss(Solver(), train_config=train) < 1e-10


def test_a_difference_network_learns_where_the_plain_one_begins():
    """Of zero weights, the loss of a difference is that of the identity."""
    scenario = difficulty.Burgers(**SIZES)
    net = scenario.get_network(f"delta;{CORE}", jax.random.PRNGKey(0))
    zero = jax.tree.map(jnp.zeros_like, net)
    data = scenario.get_train_data().values
    expected = ((data[:, 1:] - data[:, :-1]) ** 2).mean()
    assert scenario.full_loss(zero) == pytest.approx(expected, rel=1e-5)


def test_statistics_are_stored_and_not_trained(tmp_path):
    net = f"delta;norm;zscore;{CORE}"
    options = {"callbacks": "net;3,weight_norm;3", "num_seeds": 2, "store": tmp_path / "a.zarr"}
    result = run(net, **options)
    plain = run(CORE)
    assert int(result.num_parameters) == int(plain.num_parameters)
    networks = apexr.load_networks(tmp_path / "a.zarr")
    scenario = difficulty.Burgers(**SIZES)
    drawn = scenario.get_network(net, jax.random.PRNGKey(0))
    for network in networks:
        for name in ("shift", "scale", "step"):
            held, fresh = getattr(network.statistics, name), getattr(drawn.statistics, name)
            np.testing.assert_array_equal(held, fresh)
    first = apexr.load_networks(result, update_step=3)
    np.testing.assert_array_equal(first[0].statistics.scale, drawn.statistics.scale)
    apexr.store.export_safetensors(tmp_path / "a.zarr", tmp_path / "a.safetensors")
    again = apexr.load_networks(tmp_path / "a.safetensors", seed=1)
    u = jnp.asarray(states(1)[:, 0])
    np.testing.assert_array_equal(again(u), networks[1](u))
    told = apexr.decompose(tmp_path / "a.zarr", num_steps=3)
    errors = np.sqrt(((result.sample_rollout - result.sample_reference) ** 2).sum(["channel", "x"]))
    norms = np.sqrt((result.sample_reference**2).sum(["channel", "x"]))
    expected = (errors / norms).isel(sample=0, time=slice(3))
    mine = told.error.isel(test_sample=0).transpose("seed", "time")
    np.testing.assert_allclose(mine, expected.transpose("seed", "time"), rtol=1e-3)


@pytest.mark.parametrize("net", [f"delta;norm;rms;{CORE}", f"history;2;bundle;2;delta;{CORE}"])
def test_recorded_data_with_constants_stream_to_the_same_bits(tmp_path, net):
    files.write_well(tmp_path / "a.hdf5")
    given = {**files.SIZES, "fields": ["tracer", "velocity"], "constants": "all"}
    given |= {"split": "last;2"}
    held = apexr.Recorded(tmp_path / "a.hdf5", **given)
    streamed = apexr.Recorded(tmp_path / "a.hdf5", data_memory="300kB", **given)
    assert isinstance(streamed.recorded_data("train"), Streamed)
    first, second = (apexr.run(one, net=net, progress=False) for one in (held, streamed))
    assert first.channel.values[0] == "tracer"
    for name in ("train_loss", "nRMSE", "sample_rollout"):
        np.testing.assert_array_equal(first[name], second[name])


def test_an_interrupted_training_goes_on_with_the_same_bits(tmp_path):
    net, options = f"history;2;delta;norm;zscore;{CORE}", {"optim_config": "adam;20;constant;1e-3"}
    expected = run(net, **options)

    class Stop:
        every = 6

        def __call__(self, moment):
            if moment.update_step == 12:
                raise KeyboardInterrupt

    given = {"store": tmp_path / "a.zarr", "checkpoint_seconds": 0.0, **options}
    with pytest.raises(KeyboardInterrupt):
        run(net, trackers=[Stop()], **given)
    found = run(net, **given)
    for name in ("train_loss", "nRMSE", "sample_rollout"):
        np.testing.assert_array_equal(found[name], expected[name])


# --- studies, tables, pictures -----------------------------------------------------------------


def test_errors_of_another_train_solver_begin_with_the_first_predicted_step():
    result = run(f"history;3;{CORE}", train_solver="fd;0.5;1")
    assert result.sizes["time"] == 6
    other = run(CORE, train_solver="fd;0.5;1")
    name = "train_solver_mean_nRMSE"
    np.testing.assert_array_equal(result[name], other[name].sel(time=slice(3, None)))


def test_a_study_compares_them_at_the_steps_that_all_predict(tmp_path):
    nets = [CORE, f"history;3;{CORE}", f"bundle;2;delta;{CORE}"]
    configs = [{"scenario": "diff_burgers", "net": net, "num_seeds": 2, **SIZES} for net in nets]
    study = apexr.run_study(configs, tmp_path / "study.zarr", progress=False)
    rows = {net: study.isel(experiment=place) for place, net in enumerate(study.net.values)}
    history = rows[nets[1]]
    assert np.isnan(history.mean_nRMSE.sel(time=[1, 2])).all()
    assert np.isfinite(history.mean_nRMSE.sel(time=slice(3, None))).all()
    table = apexr.to_long(study, "mean_nRMSE")
    assert set(table[table.net == nets[1]].time_step) == set(range(3, 9))
    assert len(table[table.net == nets[0]]) == 2 * 8
    with pytest.warns(ApexrWarning, match="too few seeds"):
        shares = apexr.analysis.interquartile_mean(study, baseline=nets[0])
    logs = {
        net: np.log(row.mean_nRMSE.sel(time=slice(3, None)).values).mean(axis=1)
        for net, row in rows.items()
    }
    expected = np.exp(np.mean(logs[nets[1]]) - np.median(logs[nets[0]]))
    found = shares["ratio"].sel(net=nets[1])
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_tables_and_pictures_keep_the_time(tmp_path):
    result = run(f"history;3;{CORE}")
    cell = apexr.melt_sample_rollouts(result)["sample_rollout"][0]
    assert len(cell) == 9
    np.testing.assert_array_equal(cell[0], result.initial_state[0])
    assert np.isnan(cell[1:3]).all()
    np.testing.assert_array_equal(cell[3:], result.sample_rollout[0, 0])
    wide = apexr.to_wide(result)
    assert "mean_nRMSE_0003" in wide
    assert "mean_nRMSE_0001" not in wide
    assert apexr.plot.metric(result) is not None
    picture = apexr.plot.spacetime(result)
    assert picture is not None
    well = tmp_path / "a.hdf5"
    apexr.to_well(result, well)
    import h5py

    with h5py.File(well) as file:
        assert file["dimensions/time"].shape == (6,)


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "options", "words"),
    [
        (f"history;2;{CORE}", {"task": "correct;parallel"}, "takes the task 'predict'"),
        (f"history;9;{CORE}", {"train_temporal_horizon": 20}, "raise test_temporal_horizon"),
        (f"history;8;{CORE}", {"test_temporal_horizon": 20}, "history of 8 frames"),
        (f"bundle;8;{CORE}", {}, "bundle of 8"),
        ("norm;rms;UNet;2;5;relu", {}, "LEVELS"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_any_work(net, options, words, monkeypatch):
    from apexr.experiment import _data

    def work(*_):
        raise AssertionError("data were made")

    monkeypatch.setattr(_data, "trajectories", work)
    with pytest.raises(SpecError, match=words):
        run(net, **options)


def test_comparisons_with_solvers_refuse_emulators_of_several_frames(tmp_path):
    run(f"history;2;{CORE}", store=tmp_path / "a.zarr")
    with pytest.raises(SpecError, match="a history of 2 frames"):
        apexr.decompose(tmp_path / "a.zarr")


def test_boundaries_are_those_of_the_network_within(tmp_path):
    files.write_well(tmp_path / "a.hdf5", boundary="WALL")
    data = apexr.Recorded(tmp_path / "a.hdf5", **files.SIZES)
    result = apexr.run(data, net="delta;MLP;4;1;tanh", progress=False)
    assert np.isfinite(result.train_loss).all()
    with pytest.raises(SpecError, match="goes on periodically"):
        apexr.run(data, net=f"delta;{CORE}", progress=False)
