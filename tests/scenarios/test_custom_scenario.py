"""Scenarios of one's own: any Python function, or any equation, becomes an experiment."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES
from apexr.errors import SpecError
from apexr.scenarios import scenario_dict
from apexr.spectral import Grid, summed_derivative
from apexr.steppers import Equation, ETDRKStepper
from apexr.testing import assert_valid


class Turn(apexr.BaseScenario):
    """Two channels that turn into each other while they move on."""

    channel_names = ("u", "v")
    num_channels: int = 2
    domain_extent: float = 4.0
    dt: float = 0.25
    angle: float = 0.5
    cells: int = 1
    name: str | None = None

    def get_ref_stepper(self):
        return self._stepper(self.angle)

    def get_coarse_stepper(self):
        return self._stepper(self.angle / 2)

    def _stepper(self, angle):
        def step(u):
            turned = jnp.stack(
                [
                    jnp.cos(angle) * u[0] - jnp.sin(angle) * u[1],
                    jnp.sin(angle) * u[0] + jnp.cos(angle) * u[1],
                ]
            )
            return jnp.roll(turned, self.cells, axis=-1)

        return step

    def get_scenario_name(self):
        return f"{self.num_spatial_dims}d_turn"


@dataclasses.dataclass(frozen=True)
class Fifth(Equation):
    """``uₜ = b uₓₓₓₓₓ``."""

    b: float

    def linear_symbol(self, grid):
        return self.b * summed_derivative(grid, 5)


class FifthOrder(apexr.BaseScenario):
    """Fifth-order dispersion, by an equation that is not in the package."""

    b: float = 1e-6
    dt: float = 0.1

    def get_ref_stepper(self):
        return ETDRKStepper(Fifth(self.b), self.grid, self.dt)

    def get_coarse_stepper(self):
        return ETDRKStepper(Fifth(self.b), self.grid, self.dt / 2)

    def get_scenario_name(self):
        return "1d_fifth"


@pytest.fixture(scope="module")
def turned():
    return Turn(num_trjs_returned=2, **SIZES)(network_config=NET, num_seeds=2, progress=False)


def test_data_of_a_python_function(turned):
    scenario = Turn(**SIZES)
    data = scenario.get_train_data()
    assert data["channel"].values.tolist() == ["u", "v"]
    np.testing.assert_allclose(data["x"], np.arange(16) / 4)
    np.testing.assert_allclose(data["time_value"], np.arange(5) / 4)
    u, v = data.sel(channel="u"), data.sel(channel="v")
    after = np.roll(np.cos(0.5) * u[:, 0] - np.sin(0.5) * v[:, 0], 1, -1)
    np.testing.assert_allclose(u[:, 1], after, atol=1e-5)


def test_a_python_function_makes_an_experiment(turned):
    ds, networks = turned
    assert_valid(ds)
    assert ds.scenario.item() == "1d_turn"
    assert ds.sizes["channel"] == 2
    assert ds.sample_rollout.dims == ("seed", "sample", "time", "channel", "x")
    np.testing.assert_allclose(ds["time_value"], 0.25 * ds["time"])
    reference = Turn(**SIZES).get_test_data()
    np.testing.assert_array_equal(ds.sample_reference, reference[:2, 1:])
    np.testing.assert_array_equal(ds.initial_state, reference[:2, 0])
    assert networks.layers[0].weight.shape[0] == 2


def test_an_equation_makes_an_experiment():
    scenario = FifthOrder(ic_config="fourier;1;true;true", **SIZES)
    data = scenario.get_train_data()
    grid = Grid(1, 16)
    phase = 1e-6 * (2 * np.pi) ** 5 * 0.1
    wave = np.fft.rfft(data[:, :, 0])[..., 1]
    np.testing.assert_allclose(wave[:, 1:] / wave[:, :-1], np.exp(1j * phase), atol=1e-4)
    ds = apexr.run(scenario, net=NET, progress=False)
    assert_valid(ds)
    assert scenario.grid == grid
    assert ds.attrs["specification"].count("FifthOrder") == 1


def test_misspelled_keywords_of_ones_own_scenario():
    with pytest.raises(SpecError, match="'angel' for Turn; did you mean 'angle'"):
        Turn(angel=1.0)
    with pytest.raises(SpecError, match="angle must be a finite number, got 'wide'"):
        Turn(angle="wide")


def test_fields_of_other_types_are_taken_as_they_are():
    assert Turn(name="mine").name == "mine"
    assert Turn() == Turn(name=None)


def test_registering_by_the_dictionary():
    scenario_dict["turn"] = Turn
    try:
        assert scenario_dict["TURN"] is Turn
        assert "turn" in list(scenario_dict)
        assert "turn" in scenario_dict
        ds = apexr.run("turn", net=NET, progress=False, num_seeds=2, num_trjs_returned=2, **SIZES)
        assert ds.scenario.item() == "1d_turn"
        scenario_dict["turn"] = FifthOrder  # a later entry replaces an earlier one
        assert scenario_dict["turn"] is FifthOrder
    finally:
        del scenario_dict["turn"]
    assert "turn" not in scenario_dict
    with pytest.raises(LookupError, match="unknown scenario 'turn'"):
        scenario_dict["turn"]
    with pytest.raises(LookupError):
        del scenario_dict["turn"]


def test_only_scenarios_are_registered():
    for wrong in (dict, Turn(), None):
        with pytest.raises(SpecError, match="must be a subclass of BaseScenario"):
            scenario_dict["wrong"] = wrong
    assert "wrong" not in scenario_dict
    assert len(scenario_dict) == len(list(scenario_dict))


def test_registering_by_the_decorator():
    from apexr.scenarios import SCENARIOS, scenario

    @scenario("turn_twice", aliases=("turn_2",))
    class Twice(Turn):
        """Turns twice as fast."""

        angle: float = 1.0

    try:
        assert scenario_dict["turn_2"]() == Twice()
        assert Twice().angle == 1.0
        with pytest.raises(SpecError, match="registered already"):
            scenario("turn_twice")(Turn)
    finally:
        SCENARIOS.unregister("turn_twice")
        SCENARIOS.unregister("turn_2")
