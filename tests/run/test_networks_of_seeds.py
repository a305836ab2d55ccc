"""The networks of several seeds: one is taken by its seed, and all say that they are several."""

import pickle

import equinox as eqx
import jax
import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES
from apexr.engine import Stacked, named_weights
from apexr.errors import MissingVariableError, ShapeError, SpecError

SEEDS = [3, 4, 5]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("networks") / "adv.zarr"
    given = {"start_seed": 3, "num_seeds": 3, "callbacks": "net;3", "progress": False}
    apexr.run("diff_adv", net=NET, store=path, **SIZES, **given)
    return path


@pytest.fixture(scope="module")
def networks(store):
    return apexr.load_networks(store)


def same(first, second):
    first, second = named_weights(first), named_weights(second)
    return first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name]) for name in first
    )


def weights_of(store, seed):
    place = SEEDS.index(seed)
    return {name: values[place] for name, values in apexr.store.read_weights(store).items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_one_network_is_taken_by_its_seed(store, networks, seed):
    network = apexr.load_networks(store, seed=seed)
    held = named_weights(network)
    assert held.keys() == weights_of(store, seed).keys()
    for name, values in weights_of(store, seed).items():
        np.testing.assert_array_equal(held[name], values)
    rollout = apexr.open_experiment(store)
    state = rollout.initial_state.values[0]
    wanted = rollout.sample_rollout.sel(seed=seed, time=1).values[0]
    np.testing.assert_allclose(network(state), wanted, atol=1e-5)
    np.testing.assert_allclose(networks[SEEDS.index(seed)](state), wanted, atol=1e-5)


def test_several_are_counted_iterated_and_sliced(store, networks):
    assert isinstance(networks, Stacked)
    assert len(networks) == 3
    assert networks.seeds == (3, 4, 5)
    assert same(networks[-1], apexr.load_networks(store, seed=5))
    assert all(same(one, networks[place]) for place, one in zip(range(3), networks, strict=True))
    last = networks[1:]
    assert last.seeds == (4, 5)
    assert same(last[0], networks[1])
    with pytest.raises(IndexError, match="3 networks"):
        networks[3]
    for wrong in ("0", 1.0, None, [0], True):
        with pytest.raises(SpecError, match=r"counted from 0 to 2, got .*networks\.seeds\.index"):
            networks[wrong]


def test_what_is_stacked_says_so(networks):
    assert repr(networks).startswith("3 networks, stacked: arrays lead with the seeds [3, 4, 5]")
    with pytest.raises(ShapeError, match=r"3 networks, stacked: take one as networks\[0\]"):
        networks(np.zeros((1, 16), np.float32))
    assert "stacked" not in repr(networks[0])


def test_they_are_called_as_each_of_them_and_survive_pickling(networks):
    assert type(networks).__name__ == type(networks[0]).__name__ == "ConvNet"
    again = pickle.loads(pickle.dumps(networks))  # made here: apexr never unpickles what it reads
    assert same(again, networks)
    assert again.seeds == networks.seeds


def test_all_are_mapped_over_at_once(networks):
    state = np.linspace(0, 1, 16, dtype=np.float32)[None]
    mapped = eqx.filter_vmap(lambda net, u: net(u), in_axes=(eqx.if_array(0), None))
    at_once = mapped(networks, state)
    for index, network in enumerate(networks):
        np.testing.assert_allclose(at_once[index], network(state), atol=1e-6)
    first = jax.tree.map(lambda leaf: leaf[0], eqx.filter(networks, eqx.is_array))
    first = eqx.combine(first, eqx.filter(networks, eqx.is_array, inverse=True))
    np.testing.assert_allclose(first(state), at_once[0], atol=1e-6)
    assert "stacked" not in repr(first)


def test_those_of_a_run_are_the_same_kind(networks):
    given = {"task": "predict", "net": NET, "train": "one", "start_seed": 3, "progress": False}
    _, run = apexr.run_experiment(
        scenario="diff_adv", num_seeds=3, callbacks="net;3", **SIZES, **given
    )
    assert isinstance(run, Stacked)
    assert run.seeds == networks.seeds
    assert same(run, networks)
    assert eqx.tree_equal(jax.tree.structure(run), jax.tree.structure(networks))


def test_networks_of_a_step_are_taken_by_seed_too(store):
    one = apexr.load_networks(store, seed=4, update_step=3)
    assert same(one, apexr.load_networks(store, update_step=3)[1])
    assert not same(one, apexr.load_networks(store, seed=4))


def test_what_is_not_there(store, tmp_path):
    with pytest.raises(MissingVariableError, match=r"no network of seed 9; there are \[3, 4, 5\]"):
        apexr.load_networks(store, seed=9)
    study = tmp_path / "study.zarr"
    config = {"scenario": "diff_adv", "net": NET, **SIZES}
    apexr.run_study([config], study, progress=False)
    name = apexr.list_experiments(study)["id"][0]
    with pytest.raises(SpecError, match=rf"is a study; name one of its experiments.*{name}"):
        apexr.load_networks(study)
    assert callable(apexr.load_networks(study, name))
