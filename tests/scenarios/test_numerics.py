"""One field says which numerics a scenario has."""

import numpy as np
import pytest

import apexr
from _tiny import tiny
from apexr._digest import digest
from apexr.errors import SpecError
from apexr.scenarios import Request, difficulty, physical, scenario_dict, specification
from apexr.spectral import dealiasing_mask
from apexr.steppers import Burgers, repeat

IDS = "7e421e93ff7c6b60f681535c83cf0e6a"
"""Digest of the ids that all scenarios had before there was a choice of numerics."""


class OwnBurgers(apexr.EquationScenario):
    def equation(self):
        return Burgers(0.1)


def identity(scenario):
    return digest(specification(scenario, Request()))


def test_experiments_from_before_keep_their_ids():
    ids = {}
    for key, cls in scenario_dict.items():
        ids[key] = identity(cls())
        if "etdrk_coefficients" in cls.parameters():
            ids[f"{key}+exact"] = identity(cls(etdrk_coefficients="exact", num_substeps=3))
    assert len(ids) == 90
    assert digest(ids) == IDS


def test_numerics_are_part_of_the_identity_by_meaning():
    published, exact = difficulty.Burgers(), difficulty.Burgers(numerics="exact")
    both = difficulty.Burgers(numerics="exact", etdrk_coefficients="exact")
    partly = difficulty.Burgers(etdrk_coefficients="exact")
    assert identity(exact) == identity(both)
    assert len({identity(one) for one in (published, exact, partly)}) == 3
    assert exact.changed_parameters == both.changed_parameters == {"numerics": "exact"}
    assert identity(difficulty.Burgers(numerics="apebench")) == identity(published)
    read = specification(both, Request())["parameters"]
    assert identity(difficulty.Burgers(**read)) == identity(both)


@pytest.mark.parametrize(
    ("scenario", "mode", "masked"),
    [
        (difficulty.Burgers(), "real", False),
        (difficulty.Burgers(etdrk_coefficients="exact"), "exact", True),
        (difficulty.Burgers(numerics="exact"), "exact", True),
        (OwnBurgers(), "exact", True),
        (OwnBurgers(etdrk_coefficients="real"), "real", False),
        (OwnBurgers(numerics="apebench"), "real", False),
    ],
)
def test_the_solver_follows(scenario, mode, masked):
    stepper = scenario.get_ref_stepper()
    assert stepper.coefficients == scenario.coefficient_mode == mode
    assert (stepper.waves is not None) == masked
    assert scenario.get_coarse_stepper().coefficients == mode


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("cls", [difficulty.FisherKPP, physical.FisherKPP])
def test_where_a_population_saturates(cls, dims):
    """Exact: at 1, in any dimension. The published data: at D."""
    state = np.full((1,) + (16,) * dims, 0.5)
    for numerics, limit in (("exact", 1), ("apebench", dims)):
        scenario = cls(num_spatial_dims=dims, num_points=16, numerics=numerics)
        last = repeat(scenario.get_ref_stepper(), 1500)(state)
        np.testing.assert_allclose(last, limit, atol=1e-3)


@pytest.mark.parametrize("numerics", ["apebench", "exact"])
def test_initial_states_have_the_waves_of_the_mask(numerics):
    sizes = {**tiny("diff_burgers"), "ic_config": "white_noise;1.0"}
    scenario = difficulty.Burgers(**sizes, numerics=numerics)
    data = scenario.get_test_data()
    outside = ~dealiasing_mask(scenario.grid, 2 / 3)[0]
    spectra = np.abs(np.fft.rfft(data.values)[..., outside])
    assert (spectra[:, 0].max() > 0.1) == (numerics == "apebench")
    assert (spectra[:, 1:].max() < 1e-5) == (numerics == "exact")
    made = apexr.simulate(scenario, num_steps=2, progress=False)
    np.testing.assert_array_equal(made.isel(time=0), data.isel(time=0))


def test_attributes_say_which_numerics_made_the_data():
    sizes = tiny("phy_kolm_flow")
    published = physical.KolmogorovFlow(**sizes, num_warmup_steps=0).get_train_data().attrs
    assert published["numerics"] == "apebench"
    assert "drag acts as 2" in published["numerics_deviations"]
    assert "opposite sign" in published["numerics_deviations"]
    exact = physical.KolmogorovFlow(**sizes, num_warmup_steps=0, numerics="exact")
    attrs = exact.get_train_data().attrs
    assert attrs["numerics"] == attrs["etdrk_coefficients"] == "exact"
    assert "numerics_deviations" not in attrs
    made = apexr.simulate(exact, num_steps=1, progress=False)
    assert made.attrs["numerics"] == "exact"


def test_the_second_release_draws_its_states_from_noise():
    sizes = tiny("diff_burgers")
    published, second = (
        difficulty.Burgers(**sizes, numerics=n) for n in ("apebench", "exponax-0.2")
    )
    assert identity(published) != identity(second)
    data = second.get_test_data()
    assert data.attrs["numerics"] == "exponax-0.2"
    config = f"noise_{published.ic_config}"
    same = difficulty.Burgers(**{**sizes, "ic_config": config})
    np.testing.assert_array_equal(data, same.get_test_data())
    assert not np.allclose(data.isel(time=0), published.get_test_data().isel(time=0), atol=0.1)
    with pytest.raises(SpecError, match="has limits of its amplitudes"):
        difficulty.Burgers(
            **{**sizes, "ic_config": "fourier;2;true;true;false;0.5;2.0"}, numerics="exponax-0.2"
        ).get_test_data()


def test_unknown_numerics_are_refused():
    with pytest.raises(
        SpecError, match=r"numerics must be one of 'apebench', 'exact', 'exponax-0\.2', got 'exat'"
    ):
        difficulty.Burgers(numerics="exat")
