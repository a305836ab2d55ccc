"""The whole way on grids whose axes differ: from a call or a study file to a picture."""

import json

import numpy as np
import pytest
import xarray as xr

import apexr
from _tiny import NET, tiny
from apexr.errors import SpecError
from apexr.testing import assert_valid

WIDE = {"num_spatial_dims": 2, "num_points": (24, 16)}
QUIET = {"progress": False, "net": NET}


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    store = tmp_path_factory.mktemp("wide") / "wide.zarr"
    domain = {"domain_extent": [2.0, 1.0], "report_metrics": "mean_nRMSE,mean_H1_nRMSE"}
    arguments = {**tiny("phy_adv"), **WIDE, **domain}
    made = apexr.run("phy_adv", store=store, **QUIET, **arguments)
    return made, store, arguments


def test_a_result_says_the_grid(wide):
    made, _, _ = wide
    assert_valid(made)
    assert made.sample_rollout.shape[-2:] == (24, 16)
    for dim, points, length in (("x", 24, 2.0), ("y", 16, 1.0)):
        np.testing.assert_allclose(made[dim], np.arange(points) * length / points)
        assert made[dim].attrs["extent"] == length
    labels = json.loads(made.scenario_kwargs.item())
    assert labels["num_points"] == [24, 16]
    assert labels["domain_extent"] == [2.0, 1.0]
    assert np.isfinite(made.mean_H1_nRMSE).all()


def test_the_store_gives_it_back(wide):
    made, store, arguments = wide
    again = apexr.run("phy_adv", store=store, **QUIET, **arguments)
    xr.testing.assert_identical(again.mean_nRMSE.load(), made.mean_nRMSE)
    xr.testing.assert_identical(again.sample_rollout.load(), made.sample_rollout)


def test_pictures_have_the_shape_of_the_domain(wide, tmp_path):
    made, _, _ = wide
    apexr.plot.save(apexr.plot.state(made), tmp_path / "state.png")
    assert (tmp_path / "state.png").stat().st_size > 10_000
    (panel, *_) = apexr.plot.state(made).traverse(lambda each: each, ["Image"])
    left, bottom, right, top = panel.bounds.lbrt()
    assert (right - left, top - bottom) == pytest.approx((2.0, 1.0))
    assert panel.opts.get("plot", "matplotlib").kwargs["aspect"] == pytest.approx(2.0)


def test_any_rollout_of_the_grid_is_scored():
    scenario = apexr.scenarios.physical.Advection(**{**tiny("phy_adv"), **WIDE})
    reference = scenario.get_test_data()
    scored = apexr.evaluate(scenario, reference)
    np.testing.assert_array_equal(scored.mean_nRMSE, 0)
    with pytest.raises(ValueError, match="24"):
        apexr.evaluate(scenario, reference.transpose(..., "y", "x").values)


def test_equal_numbers_are_the_same_experiment():
    from apexr._run import plan_experiment
    from apexr.scenarios import Request

    def planned(**parameters):
        given = {**tiny("phy_diff"), "num_spatial_dims": 2, **parameters}
        experiment = plan_experiment("phy_diff", Request(net=NET), given)[1]
        return experiment.attrs["experiment_id"], experiment.config, experiment.axes

    plain = planned(num_points=16, domain_extent=2.0)
    assert planned(num_points=(16, 16), domain_extent=(2, 2.0)) == plain
    assert planned(num_points=[16, 16], domain_extent=np.array([2.0, 2.0])) == plain
    assert planned(num_points=(16, 12), domain_extent=2.0)[0] != plain[0]
    assert planned(num_points=(12, 16), domain_extent=2.0)[0] != planned(num_points=(16, 12))[0]


def test_difficulties_keep_square_cells():
    given = {**tiny("diff_adv"), **WIDE, "advection_gamma": -4.0, "num_warmup_steps": 0}
    data = apexr.scenarios.difficulty.Advection(**given).get_test_data()
    # γ₁ cells in a step, shared by the two dimensions: two cells along each
    moved = np.roll(data.isel(time=0), (2, 2), (-2, -1))
    np.testing.assert_allclose(data.isel(time=1), moved, atol=1e-5)
    assert data["x"].attrs["extent"] == 1.0
    assert data["y"].attrs["extent"] == pytest.approx(2 / 3)


def test_a_turned_problem_has_the_turned_data():
    # odd numbers of points: published data have a Nyquist wave that prefers a direction
    scenario = apexr.scenarios.physical.Burgers
    shared = {**tiny("phy_burgers"), "num_spatial_dims": 2, "num_warmup_steps": 0}
    wide = scenario(**{**shared, "num_points": (21, 13), "domain_extent": (2.0, 1.0)})
    tall = scenario(**{**shared, "num_points": (13, 21), "domain_extent": (1.0, 2.0)})
    state = wide.get_test_ic_set().isel(sample=0).values
    stepped = np.asarray(wide.get_ref_stepper()(state))
    turned = tall.get_ref_stepper()(np.swapaxes(state, 1, 2)[::-1])
    np.testing.assert_allclose(turned, np.swapaxes(stepped, 1, 2)[::-1], atol=1e-5)


def test_study_files_hold_lists(tmp_path):
    from apexr.study._configs import plan_study

    (tmp_path / "study.toml").write_text(
        """
        [common]
        scenario = "phy_diff"
        num_spatial_dims = 2
        [[experiments]]
        num_points = [24, 16]
        domain_extent = [3.0, 2.0]
        [grid]
        num_points = [[24, 16], 16]
        """
    )
    planned = plan_study(tmp_path / "study.toml")
    assert [one.scenario.num_points for one in planned] == [(24, 16), (24, 16), 16]
    assert [one.scenario.domain_extent for one in planned] == [(3.0, 2.0), 1.0, 1.0]
    assert len({one.shape for one in planned}) == 2  # the length alone compiles nothing new


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"num_points": (24,)}, "num_points must be one number, or 2 of them"),
        ({"num_points": (24, 16, 8)}, "num_points must be one number, or 2 of them"),
        ({"num_points": (24, 1)}, r"num_points\[1\] must be at least 2, got 1"),
        ({"num_points": "24"}, "num_points must be an integer"),
        ({"domain_extent": (1.0, 0.0)}, r"domain_extent\[1\] must be above 0"),
        ({"num_points": (24, 16), "net": "UNet;4;4;relu"}, "24 points can be halved 3 times"),
    ],
)
def test_wrong_axes_are_refused_before_any_work(given, said):
    arguments = {**tiny("phy_adv"), "num_spatial_dims": 2, **QUIET, **given}
    with pytest.raises(SpecError, match=said):
        apexr.run("phy_adv", **arguments)


def test_coefficients_are_those_of_the_longest_axis():
    scenario = apexr.scenarios.physical.Advection
    square = scenario(num_spatial_dims=2, num_points=24, domain_extent=2.0)
    wide = scenario(num_spatial_dims=2, num_points=(24, 12), domain_extent=(2.0, 1.0))
    described = [apexr.scenarios.describe_coefficients(one) for one in (square, wide)]
    assert described[0] == described[1]
    flat = scenario(num_spatial_dims=2, num_points=(24, 24), domain_extent=(2.0, 1.0))
    with pytest.raises(SpecError, match=r"cells of 0\.08333 by 0\.04167"):
        apexr.scenarios.describe_coefficients(flat)
