"""Methods that a scenario of one's own overrides are what its experiments are made of."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import apexr
from _tiny import NET, SIZES
from apexr.engine import Stacked, named_weights
from apexr.errors import ApexrError, ShapeError, SpecError
from apexr.recipe._code import HONORED, UNKNOWN, code_of
from apexr.scenarios import scenario_dict

Advection = apexr.difficulty.Advection
PLAIN = Advection(**SIZES)
SEEDS = {"num_seeds": 2, "progress": False}


def run(cls, net=NET, **more):
    return cls(**SIZES)(network_config=net, **{**SEEDS, **more})


def specification(ds):
    return ds.attrs["specification"]


@pytest.fixture(scope="module")
def plain():
    return run(Advection)[0]


class Doubled(eqx.Module):
    """Maps a state to a multiple of it."""

    factor: jax.Array

    def __call__(self, state):
        return self.factor * state


class OwnData(Advection):
    def get_train_data(self):
        return 2.0 * super().get_train_data()

    def get_test_data(self):
        return np.asarray(super().get_test_data())[::-1]


class OwnOptimizer(Advection):
    def get_optimizer(self):
        return optax.sgd(0.0)  # never moves


class OwnNetwork(Advection):
    def get_network(self, network_config, key):
        assert network_config == "Double"
        return Doubled(2.0 + 0.0 * jax.random.normal(key))


class OwnStepper(Advection):
    def get_neural_stepper(self, *, task_config, network_config, key):
        return Doubled(jnp.asarray(3.0))


class OwnTrainer(Advection):
    def get_trainer(self, *, train_config):
        def trainer(emulator, key):
            return jax.tree.map(lambda leaf: 0 * leaf, emulator), np.array([3.0, 2.0, 1.0])

        return trainer


class OtherPlan(Advection):
    def get_trainer(self, *, train_config):
        trainer = super().get_trainer(train_config=train_config)
        return dataclasses.replace(trainer, trajectories=0 * trainer.trajectories)


def test_own_data_are_trained_and_tested_on():
    scenario = OwnData(**SIZES)
    ds, _ = run(OwnData)
    wanted = PLAIN.get_test_data().values[::-1]
    np.testing.assert_array_equal(ds.sample_reference[0], wanted[0, 1:])
    np.testing.assert_array_equal(ds.initial_state[0], wanted[0, 0])
    np.testing.assert_array_equal(scenario.get_ref_sample_data(), wanted[:1])
    trainer = scenario.get_trainer(train_config="one")
    np.testing.assert_array_equal(trainer.trajectories, 2 * PLAIN.get_train_data().values)
    perfect = apexr.evaluate(scenario, wanted[:, 1:])
    assert (perfect.mean_nRMSE == 0).all()


def test_an_own_optimizer_updates_the_weights(plain):
    ds, networks = run(OwnOptimizer)
    for seed in (0, 1):
        init_key, _ = jax.random.split(jax.random.PRNGKey(seed))
        drawn = PLAIN.get_network(NET, init_key)
        same = jax.tree.map(np.allclose, named_weights(networks[seed]), named_weights(drawn))
        assert all(same.values())
    assert not np.allclose(ds.mean_nRMSE, plain.mean_nRMSE)


def test_an_own_network_is_trained_whatever_its_string_says():
    ds, networks = run(OwnNetwork, "Double")
    assert isinstance(networks, Stacked)
    assert ds.net.item() == "Double"
    assert ds.num_parameters == 1
    assert (networks.factor != 2).all()  # it was trained
    assert networks.factor.shape == (2,)
    start = PLAIN.get_train_data().values
    wanted = np.square(2 * start[:, :-1] - start[:, 1:]).mean()
    trained = OwnNetwork(**SIZES).full_loss(Doubled(jnp.asarray(2.0)))
    assert trained == pytest.approx(wanted, rel=1e-5)
    corrected, _ = run(OwnNetwork, "Double", task_config="correct;parallel")
    assert corrected.task.item() == "correct;parallel"


def test_an_own_stepper_takes_the_place_of_network_and_task():
    ds, networks = run(OwnStepper, "anything;1", task_config="mine")
    assert (ds.task.item(), ds.net.item()) == ("mine", "anything;1")
    assert networks.factor.shape == (2,)
    assert OwnStepper(**SIZES).get_parameter_count("x") == 1


def test_a_stepper_that_holds_a_solver_keeps_it():
    class Corrected(Advection):
        def get_neural_stepper(self, *, task_config, network_config, key):
            given = {"task_config": "correct;parallel", "network_config": network_config}
            return super().get_neural_stepper(**given, key=key)

    ds, networks = run(Corrected)
    wanted, _ = run(Advection, task_config="correct;parallel")
    np.testing.assert_allclose(ds.mean_nRMSE, wanted.mean_nRMSE, rtol=1e-4)
    np.testing.assert_allclose(ds.train_loss, wanted.train_loss, rtol=1e-4)
    assert len(networks) == 2


def test_an_own_trainer_is_called_for_one_seed_after_another(plain):
    ds, networks = run(OwnTrainer)
    np.testing.assert_array_equal(ds.train_loss, [[3, 2, 1]] * 2)
    assert ds.update_step.values.tolist() == [0, 1, 2]
    assert ds.diverged_at.values.tolist() == [-1, -1]
    assert not any(array.any() for array in named_weights(networks).values())
    np.testing.assert_allclose(ds.mean_nRMSE, 1, rtol=1e-5)  # a network of zeros gives zero
    assert set(plain.data_vars) == set(ds.data_vars)
    with pytest.raises(SpecError, match="callbacks and trackers are called by trainers of apexr"):
        OwnTrainer(**SIZES, callbacks="weight_norm;2")(network_config=NET, progress=False)


def test_seeds_that_an_own_trainer_loses_are_told():
    class Losing(Advection):
        def get_trainer(self, *, train_config):
            return lambda emulator, key: (emulator, [1.0, np.nan, np.inf])

    with pytest.warns(apexr.errors.ApexrWarning, match="2 of 2 seeds diverged"):
        ds, _ = run(Losing)
    assert ds.diverged_at.values.tolist() == [1, 1]


def test_an_own_string_of_training_reaches_the_own_trainer_alone():
    ds, _ = run(OwnTrainer, train_config="mine;7")
    assert ds.train.item() == "mine;7"
    with pytest.raises(ApexrError, match="unknown"):
        run(Advection, train_config="mine;7")


def test_a_trainer_of_apexrs_with_other_data_trains_all_seeds_at_once():
    ds, networks = run(OtherPlan, "Pure;3")
    np.testing.assert_array_equal(ds.train_loss, 0)  # a linear network is exact on zeros
    np.testing.assert_array_equal(ds.sample_reference[0], PLAIN.get_test_data()[0, 1:])
    assert len(networks) == 2


def test_own_simulation_makes_all_data():
    class Frozen(Advection):
        def produce_data(self, *, num_samples, temporal_horizon, key, **_):
            first = jax.random.normal(key, (num_samples, 1, 1, self.num_points))
            return jnp.repeat(first, temporal_horizon + 1, axis=1)

    data = Frozen(**SIZES).get_train_data()
    assert float(abs(data.diff("time")).max()) == 0
    assert data.shape == PLAIN.get_train_data().shape


@pytest.mark.parametrize(
    "cls", [OwnData, OwnOptimizer, OwnNetwork, OwnStepper, OwnTrainer, OtherPlan]
)
def test_each_has_an_identity_of_its_own_even_under_the_plain_key(cls, monkeypatch):
    plain = code_of(PLAIN)
    assert plain == {}
    made = code_of(cls(**SIZES))
    assert made
    assert set(made) <= set(HONORED)
    assert UNKNOWN not in made.values()
    request = apexr.scenarios.Request(net=NET)
    before = apexr.scenarios.specification(PLAIN, request)
    assert "overridden" not in before
    monkeypatch.setitem(scenario_dict, "diff_adv", cls)
    after = apexr.scenarios.specification(cls(**SIZES), request)
    assert after["scenario"] == before["scenario"]
    assert after["overridden"] == made


def method(source, **names):
    space = {"Advection": Advection, "optax": optax, "__name__": __name__, **names}
    exec(f"class Mine(Advection):\n{source}", space)
    return code_of(space["Mine"](**SIZES))["get_optimizer"]


def test_the_identity_follows_what_the_code_does():
    base = "    def get_optimizer(self):\n        return optax.sgd({})\n"
    first = method(base.format("1e-3"))
    assert first == method(base.format("1e-3"))
    assert first != method(base.format("1e-2"))
    reached = base.format("RATE")
    assert method(reached, RATE=1e-3) != method(reached, RATE=1e-2)
    helped = base.format("self.rate()") + "    def rate(self):\n        return {}\n"
    assert method(helped.format(1)) != method(helped.format(2))
    arrays = base.format("RATES[0]")
    assert method(arrays, RATES=np.zeros(2)) == method(arrays, RATES=np.zeros(2))
    assert method(arrays, RATES=np.zeros(2)) != method(arrays, RATES=np.ones(2))


def made_with(thing):
    class Mine(Advection):
        def get_optimizer(self):
            """Return what it was made with."""
            # a comment
            return optax.sgd(1e-3) if thing is None else thing

    return Mine


def test_constants_from_around_count_and_unknown_objects_are_not_stored(tmp_path):
    first, second = (code_of(made_with(t)(**SIZES))["get_optimizer"] for t in (1.0, 2.0))
    assert first != second
    mine = made_with(optax.sgd(1e-3))
    assert code_of(mine(**SIZES)) == {"get_optimizer": UNKNOWN}
    ds, _ = run(mine)
    assert '"unknown"' in specification(ds)
    with pytest.raises(SpecError, match=r"get_optimizer of .*Mine depends on an object.*without a"):
        apexr.run(mine(**SIZES), net=NET, store=tmp_path / "mine.zarr", progress=False)
    assert not list(tmp_path.iterdir())


def test_an_overridden_scenario_is_stored_and_loaded(tmp_path, monkeypatch):
    monkeypatch.setitem(scenario_dict, "own_network", OwnNetwork)
    store = tmp_path / "own.zarr"
    given = {"net": "Double", "store": store, **SIZES, **SEEDS}
    ds = apexr.run("own_network", **given)
    again = apexr.run("own_network", **given)
    assert again.attrs["created"] == ds.attrs["created"]  # read, not run
    networks = apexr.load_networks(store)
    assert networks.factor.shape == (2,)
    state = ds.initial_state.values[0]
    wanted = ds.sample_rollout.sel(seed=1, time=1).values[0]
    np.testing.assert_allclose(networks[1](state), wanted, rtol=1e-5)


class WrongShape(Advection):
    def get_train_data(self):
        return np.zeros((2, 3, 1, 16))


class NoOptimizer(Advection):
    def get_optimizer(self):
        return "adam"


class NoTrainer(Advection):
    def get_trainer(self, *, train_config):
        return None


class NoLosses(Advection):
    def get_trainer(self, *, train_config):
        return lambda emulator, key: emulator


@pytest.mark.parametrize(
    ("cls", "error", "match"),
    [
        (WrongShape, ShapeError, r"get_train_data of WrongShape must give.*\(3, 5, 1, 16\).*got"),
        (NoOptimizer, SpecError, r"get_optimizer must return an optax.*got 'adam'"),
        (NoTrainer, SpecError, "get_trainer must return a function"),
        (NoLosses, SpecError, r"must map \(emulator, key\) to \(trained emulator, losses\)"),
    ],
)
def test_what_an_overridden_method_must_give(cls, error, match):
    with pytest.raises(error, match=match):
        run(cls)
