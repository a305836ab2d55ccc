"""The task that refines the next state from noise: its formulas, trainings and samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import _recordings as files
import apexr
from apexr.engine import TASKS
from apexr.errors import SpecError
from apexr.networks import NETWORKS, RefinerSpec, Schedule, resampled
from apexr.networks._refiner import digests
from apexr.scenarios import difficulty
from apexr.spectral import Grid

CORE = "Conv;4;1;tanh"
SIZES = {
    "num_points": 16,
    "num_train_samples": 3,
    "train_temporal_horizon": 5,
    "num_test_samples": 2,
    "test_temporal_horizon": 4,
    "batch_size": 5,
    "record_loss_every": 3,
    "optim_config": "adam;9;constant;1e-3",
}


def run(task="refine", net=CORE, scenario="diff_burgers", **options):
    return apexr.run(scenario, task=task, net=net, progress=False, **{**SIZES, **options})


@pytest.mark.parametrize(("steps", "least"), [(3, 4e-7), (1, 1e-3), (8, 0.2)])
def test_the_noise_of_the_steps(steps, least):
    schedule = Schedule(steps, least)
    k = np.arange(steps + 1)
    np.testing.assert_allclose(schedule.betas, least ** ((steps - k) / steps), rtol=1e-12)
    assert schedule.signal[-1] == 0.0
    np.testing.assert_allclose(schedule.signal, np.cumprod(1 - schedule.betas))
    signal, noise, of_clean, of_noisy, fresh = schedule.sampling()[::-1].T
    before = np.concatenate([[1.0], schedule.signal[:-1]])
    np.testing.assert_allclose(signal**2 + noise**2, 1, rtol=1e-12)
    np.testing.assert_allclose(of_clean + of_noisy * signal, np.sqrt(before), rtol=1e-9)
    np.testing.assert_allclose((of_noisy * noise) ** 2 + fresh**2, 1 - before, atol=1e-12)
    np.testing.assert_allclose([of_clean[0], of_noisy[0], fresh[0]], [1, 0, 0], atol=1e-12)


class Oracle:
    """What predicts v exactly of a field whose next state is known."""

    def __init__(self, schedule, size, following):
        self.schedule, self.size, self.following = schedule, size, following

    def batched(self, given):
        channels = (given.shape[0] - 8) // 2
        u, x, told = given[:channels], given[channels : 2 * channels], given[-8:]
        flat = told.reshape(8, told.shape[1], -1)[:, :, 0]
        apart = jnp.abs(flat.T[:, None] - jnp.asarray(self.schedule.embedding(), "f4")).sum(2)
        signal = jnp.asarray(self.schedule.signal, "f4")[jnp.argmin(apart, axis=1)]
        noise = jnp.asarray(1 - self.schedule.signal, "f4")[jnp.argmin(apart, axis=1)]
        signal, noise = (v.reshape(1, -1, *(1,) * (u.ndim - 2)) for v in (signal, noise))
        y = (self.following(u) - u) / self.size
        drawn = (x - jnp.sqrt(signal) * y) / jnp.sqrt(noise)
        return jnp.sqrt(signal) * drawn - jnp.sqrt(noise) * y


def shifted(u):
    return jnp.roll(u, 1, axis=-1)


def refiner(steps=3, least=4e-7, channels=2, dims=1, size=0.5):
    """Return a refiner whose network predicts v exactly for a field that moves by one point."""
    import equinox as eqx

    schedule = Schedule(steps, least)
    spec = RefinerSpec(NETWORKS.parse("Pure;1"), schedule)
    made = spec.build(Grid(dims, 8), channels, jax.random.PRNGKey(0))
    step = jnp.full(channels, size)
    made = eqx.tree_at(lambda one: one.statistics.step, made, step)
    return eqx.tree_at(lambda one: one.network, made, Oracle(schedule, size, shifted))


def states(channels=2, dims=1, batch=3, seed=0):
    shape = (channels, batch, *(8,) * dims)
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "f4")


@pytest.mark.parametrize(("steps", "least", "dims"), [(3, 4e-7, 1), (1, 1e-3, 2), (6, 0.1, 3)])
def test_an_exact_denoiser_makes_exact_steps(steps, least, dims):
    u = states(dims=dims)
    made = refiner(steps, least, dims=dims).batched(u)
    np.testing.assert_allclose(made, shifted(u), atol=2e-5)


@pytest.mark.parametrize("dims", [1, 2])
def test_an_exact_denoiser_has_no_loss(dims):
    u = states(dims=dims, batch=40)
    window = jnp.stack([u, shifted(u)], axis=2)
    keys = jax.random.split(jax.random.PRNGKey(3), 40)
    told, right = refiner(dims=dims).denoising_pairs(window, keys)
    np.testing.assert_allclose(told, right, atol=2e-3)  # of the last step, x is all but y
    assert np.std(right) > 0.5


def test_levels_are_uniform_and_the_noise_is_normal():
    """Where y is zero, v is the noise times the root of the signal that is left."""
    u = jnp.zeros((1, 4000, 8))
    window = jnp.stack([u, u], axis=2)
    keys = jax.random.split(jax.random.PRNGKey(1), 4000)
    _, right = refiner(3, 0.125, channels=1).denoising_pairs(window, keys)
    found = np.asarray(right)[0].std(axis=1)
    signal = np.sqrt(Schedule(3, 0.125).signal)
    assert (found == 0).mean() == pytest.approx(0.25, abs=0.03)  # k = K leaves none
    assert np.asarray(right).std() == pytest.approx(np.sqrt((signal**2).mean()), rel=0.03)


def test_the_noise_belongs_to_the_state_and_the_seed():
    made = RefinerSpec(NETWORKS.parse(CORE), Schedule(2, 1e-3))
    one, other = (made.build(Grid(1, 8), 2, jax.random.PRNGKey(seed)) for seed in (0, 1))
    u = states(batch=5)

    @jax.jit
    def step(u):
        return one.batched(u)

    whole = step(u)
    np.testing.assert_allclose(step(u[:, ::-1])[:, ::-1], whole, atol=1e-5)
    np.testing.assert_allclose(one(u[:, 2]), whole[:, 2], atol=1e-5)
    assert np.abs(np.asarray(step(jnp.zeros_like(u)) - step(jnp.zeros_like(u) + 1e-7))).max() > 0.01
    assert not np.array_equal(one.key.numbers, other.key.numbers)
    again = resampled(one, 7)
    assert not np.array_equal(again.key.numbers, one.key.numbers)
    np.testing.assert_array_equal(again.key.numbers, resampled(one, 7).key.numbers)
    assert np.abs(np.asarray(again.batched(u) - whole)).max() > 0.01


def test_digests_tell_states_apart():
    u = np.zeros((300, 2, 8), "f4")
    u.reshape(300, -1)[np.arange(16), np.arange(16)] = 1  # one number elsewhere
    u[16:] = np.arange(284)[:, None, None] * np.float32(1e-30)
    first, second = map(np.asarray, digests(jnp.asarray(u)))
    assert len(set(zip(first.tolist(), second.tolist(), strict=True))) == 300
    spread = np.unpackbits(first.view("u1")).mean()
    assert spread == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("dims", "net"),
    [(2, CORE), (1, f"norm;rms;{CORE}"), pytest.param(2, "UNet;2;1;relu", marks=pytest.mark.slow)],
)
def test_it_trains_stores_and_samples_the_same_again(tmp_path, dims, net):
    options = {"num_spatial_dims": dims, "num_channels": dims, "num_seeds": 2}
    result = run(net=net, store=tmp_path / "a.zarr", **options)
    assert np.isfinite(result.train_loss).all()
    assert result.task.item() == "refine"
    assert "key of the seed" in result.attrs["sampling"]
    networks = apexr.load_networks(tmp_path / "a.zarr")
    assert not np.array_equal(networks[0].key.numbers, networks[1].key.numbers)
    for seed, network in enumerate(networks):
        u = jnp.asarray(result.initial_state[0].values)
        made = network(u)
        held = result.sample_rollout.sel(seed=seed, time=1)[0].values
        np.testing.assert_allclose(made, held, rtol=1e-4, atol=1e-4)
    alone = run(net=net, **options)
    for name in ("train_loss", "nRMSE", "sample_rollout"):
        np.testing.assert_array_equal(alone[name], result[name])


def test_its_network_has_the_channels_it_needs():
    """State, noisy difference and eight channels of the step in, a difference out."""
    scenario = difficulty.Burgers(**SIZES)
    result = run("refine;2;1e-3")
    plain = scenario.get_parameter_count(CORE)
    assert int(result.num_parameters) == plain + 4 * 3 * 9
    data = scenario.get_train_data().values.astype("f8")
    rms = np.sqrt((np.diff(data, axis=1) ** 2).mean())
    made = scenario.get_neural_stepper(
        task_config="refine", network_config=CORE, key=jax.random.PRNGKey(0)
    )
    np.testing.assert_allclose(made.statistics.step, [rms], rtol=1e-5)


def test_an_interrupted_training_goes_on_with_the_same_bits(tmp_path):
    options = {"optim_config": "adam;20;constant;1e-3"}
    expected = run(**options)

    class Stop:
        every = 6

        def __call__(self, moment):
            if moment.update_step == 12:
                raise KeyboardInterrupt

    given = {"store": tmp_path / "a.zarr", "checkpoint_seconds": 0.0, **options}
    with pytest.raises(KeyboardInterrupt):
        run(trackers=[Stop()], **given)
    found = run(**given)
    for name in ("train_loss", "nRMSE", "sample_rollout"):
        np.testing.assert_array_equal(found[name], expected[name])


def test_recorded_data_with_constants(tmp_path):
    files.write_well(tmp_path / "a.hdf5")
    given = {**files.SIZES, "fields": "velocity", "constants": "all", "split": "last;2"}
    data = apexr.Recorded(tmp_path / "a.hdf5", **given)
    result = apexr.run(data, task="refine", net=CORE, progress=False)
    assert result.sizes["channel"] == 2
    assert np.isfinite(result.train_loss).all()
    assert np.isfinite(result.nRMSE).all()


def test_it_learns():
    """After some updates its first step is near."""
    options = {"optim_config": "adam;600;constant;3e-3", "record_loss_every": 100}
    result = run("refine;2;1e-3", "Conv;16;2;tanh", "diff_adv", batch_size=15, **options)
    assert float(result.train_loss[0, -1]) < 0.3 * float(result.train_loss[0, 0])
    assert float(result.mean_nRMSE.isel(seed=0, time=0)) < 0.5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"train": "sup;2"}, "train with 'one'"),
        ({"train": "loss;MAE;div;1"}, "train with 'one'"),
        ({"net": f"delta;{CORE}"}, "leave delta"),
        ({"net": f"history;2;{CORE}"}, "leave delta"),
        ({"net": f"norm;rms;bundle;2;{CORE}"}, "leave delta"),
        ({"task": "refine;0"}, "at least 1"),
        ({"task": "refine;3;1.0"}, "below 1"),
    ],
)
def test_what_means_nothing_is_refused_before_any_work(options, words, monkeypatch):
    from apexr.experiment import _data

    def work(*_):
        raise AssertionError("data were made")

    monkeypatch.setattr(_data, "trajectories", work)
    with pytest.raises(SpecError, match=words):
        run(**options)


def test_strings_come_back():
    assert str(TASKS.parse("refine;3;4e-7")) == "refine"
    assert str(TASKS.parse("refine;4;1e-3")) == "refine;4;0.001"
