"""What does not fit into memory is refused before anything runs, with what would fit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import apexr
from _tiny import SIZES
from apexr.engine import require_room_for_training
from apexr.errors import SpecError
from apexr.training import Footprint

GB = 10**9


@pytest.fixture
def memory(monkeypatch):
    """Return the function that says how much memory there is."""
    return lambda size: monkeypatch.setattr("apexr.engine._room.available_memory", lambda: size)


@pytest.fixture
def no_data(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("data were made")

    monkeypatch.setattr("apexr.experiment._data._trajectories", refuse)


@pytest.mark.usefixtures("no_data")
def test_data_that_cannot_fit_are_refused_at_once(memory):
    memory(20 * GB)
    with pytest.raises(SpecError) as caught:
        apexr.run("diff_adv", num_spatial_dims=2, num_points=10**6, net="Conv;2;1;relu")
    said = str(caught.value)
    assert "of train data (50 x 51 x 1 x 1000000 x 1000000)" in said
    assert "20 GB are available; take fewer samples" in said


@pytest.mark.usefixtures("no_data")
def test_a_training_that_cannot_fit_is_refused_with_what_would(memory):
    memory(200_000)
    sizes = {**SIZES, "num_train_samples": 8, "batch_size": 32}
    with pytest.raises(
        SpecError, match=r"training 2 seeds takes .* 200 kB are available"
    ) as caught:
        apexr.run("diff_adv", net="Conv;40;2;relu", num_seeds=2, **sizes, progress=False)
    assert "a smaller network, a shorter unrolling or fewer points" in str(caught.value)


@pytest.mark.parametrize(
    ("need", "advice"),
    [
        ((2, 1 * GB, 6 * GB, 0), "batch_size 16 instead of 20, or a smaller network"),
        ((2, 8 * GB, 1 * GB, GB // 2), "6 seeds at a time, or a smaller network"),
        ((1, 30 * GB, 1 * GB, 0), "what would fit: a smaller network"),
    ],
)
def test_advice(memory, need, advice):
    memory(12 * GB)
    devices, held, working, per_seed = need
    footprint = Footprint(devices, held, working, 20, per_seed, 0.0)
    with pytest.raises(SpecError) as caught:
        require_room_for_training(footprint, 0, num_seeds=12, batch_size=20)
    assert advice in str(caught.value)


def test_what_is_needed_is_said_and_recorded(capsys, memory):
    memory(20 * GB)
    ds = apexr.run("diff_adv", net="Conv;2;1;tanh", num_seeds=2, **SIZES)
    assert "training 2 seeds takes" in capsys.readouterr().err
    windows = 4 * 16 * 5 * 3
    assert ds.attrs["training_bytes"] > windows
    assert ds.attrs["training_bytes"] < 2**20


def test_the_program_is_compiled_once(compiled):
    from apexr.objectives import OBJECTIVES
    from apexr.training import OPTIMIZERS, TrainingPlan, prepare, train

    spec = apexr.networks.NETWORKS.parse("Conv;2;1;tanh")
    network = spec.build(apexr.spectral.Grid(1, 16), 1, jax.random.PRNGKey(0))
    networks = jax.tree.map(lambda leaf: leaf[None] if hasattr(leaf, "ndim") else leaf, network)
    data = jnp.asarray(np.random.default_rng(0).normal(size=(3, 5, 1, 16)), jnp.float32)
    keys = jax.random.PRNGKey(0)[None]
    plan = TrainingPlan(OBJECTIVES.parse("one"), OPTIMIZERS.parse("adam;4;constant;1e-3"), 3, 2)
    before = prepare(networks, data.shape, 1, plan).footprint()
    assert before.compile_seconds > 0
    assert before.held > data.nbytes
    assert compiled.count("jit(on_device)") == 1
    train(networks, data, keys, plan)
    assert prepare(networks, data.shape, 1, plan).footprint().held == before.held
    assert compiled.count("jit(on_device)") == 1
