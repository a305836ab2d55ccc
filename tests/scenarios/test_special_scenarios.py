"""Scenarios with rules of their own: patterns, flow, Poisson, axes that differ."""

import dataclasses

import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES, tiny
from apexr.errors import ApexrWarning, SpecError
from apexr.scenarios import physical, scenario_dict
from apexr.steppers import KolmogorovFlowVorticity

STEADY = {**tiny("phy_poisson"), "batch_size": 2}


@pytest.mark.parametrize(
    ("made", "name", "channels"),
    [
        (physical.Poisson(num_spatial_dims=3), "3d_phy_poisson_order2", None),
        (physical.Poisson(order=4), "1d_phy_poisson_order4", None),
        (physical.SwiftHohenberg(), "2d_phy_sh", None),
        (physical.GrayScott(), "2d_phy_gs", ("u", "v")),
        (physical.GrayScottType(pattern_type="lambda"), "2d_phy_gs_lambda", ("u", "v")),
        (physical.DecayingTurbulence(), "2d_phy_decay_turb", ("vorticity",)),
        (physical.KolmogorovFlow(), "2d_phy_kolm_flow", ("vorticity",)),
        (physical.UnbalancedAdvection(), "3d_phy_unbal_adv", None),
        (physical.DiagonalDiffusion(), "2d_phy_diag_diff", None),
        (physical.AnisotropicDiffusion(), "2d_phy_aniso_diff", None),
        (physical.SpatiallyMixedDispersion(), "2d_phy_mix_disp", None),
        (physical.SpatiallyMixedHyperDiffusion(num_spatial_dims=3), "3d_phy_mix_hyp", None),
    ],
)
def test_names_and_channels(made, name, channels):
    assert made.get_scenario_name() == name
    assert made.axes.channel_names == channels


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        ("Poisson", {"domain_extent": 10.0, "order": 2, "test_temporal_horizon": 1}),
        ("SwiftHohenberg", {"domain_extent": 10 * np.pi, "dt": 0.1, "num_substeps": 5}),
        ("GrayScott", {"domain_extent": 1.0, "dt": 10.0, "num_substeps": 10}),
        ("GrayScottType", {"domain_extent": 2.5, "dt": 20.0, "num_substeps": 20}),
        ("DecayingTurbulence", {"domain_extent": 1.0, "dt": 0.1, "num_substeps": 1}),
        ("KolmogorovFlow", {"domain_extent": 2 * np.pi, "num_warmup_steps": 500}),
        ("KolmogorovFlow", {"num_substeps": 20, "drag": -0.1, "diffusivity": 0.01}),
        ("UnbalancedAdvection", {"dt": 0.1, "num_spatial_dims": 3}),
        ("SpatiallyMixedDispersion", {"dt": 0.001}),
        ("SpatiallyMixedHyperDiffusion", {"dt": 1e-5}),
    ],
)
def test_defaults(cls, expected):
    made = getattr(physical, cls)()
    assert {name: getattr(made, name) for name in expected} == pytest.approx(expected)


def test_flow_is_drawn_to_wider_limits():
    assert physical.KolmogorovFlow().vlim == (-10.0, 10.0)


def test_drag_acts_twice_as_published():
    stepper = physical.KolmogorovFlow(num_points=16).get_ref_stepper()
    expected = KolmogorovFlowVorticity(1e-2, drag=-0.2, form="advective")
    assert stepper.stepper.equation == expected
    assert stepper.dt == pytest.approx(0.1)


@pytest.mark.parametrize(("num_points", "form"), [(63, "advective"), (64, "flux")])
def test_the_published_form_is_taken_on_coarse_grids(num_points, form):
    for cls in (physical.DecayingTurbulence, physical.KolmogorovFlow):
        stepper = cls(num_points=num_points, num_substeps=1).get_ref_stepper()
        assert stepper.equation.form == form
        other = cls(num_points=num_points, num_substeps=1, form="flux").get_ref_stepper()
        assert other.equation.form == "flux"


def test_both_forms_make_the_same_data_on_fine_grids():
    few = {"num_train_samples": 1, "train_temporal_horizon": 5, "num_warmup_steps": 0}
    made = [
        physical.DecayingTurbulence(num_points=64, form=form, **few).get_train_data()
        for form in ("flux", "advective")
    ]
    np.testing.assert_allclose(*made, atol=1e-5)


# --- Gray-Scott --------------------------------------------------------------------------------


def test_substrate_and_activator_start_from_blobs():
    scenario = physical.GrayScott(num_points=32, num_train_samples=3)
    start = scenario.get_ic_generator()
    assert str(start) == scenario.ic_config == "gray_scott_blobs"
    states = scenario.get_train_ic_set()
    u, v = states.sel(channel="u"), states.sel(channel="v")
    assert float(u.max()) == pytest.approx(1.0, abs=1e-3)
    assert float(v.min()) == pytest.approx(0.0, abs=1e-3)
    assert np.all(u.min(["x", "y"]) < 0.05)
    assert np.all(v.max(["x", "y"]) > 0.95)
    assert not np.allclose(1 - u, v)  # each blob has a place of its own


def test_an_initial_condition_for_one_channel_is_replaced():
    with pytest.warns(ApexrWarning, match="would draw equal substrate and activator"):
        made = physical.GrayScott(ic_config="fourier;5;true;true")
    assert made == physical.GrayScott()
    both = "channels;blobs;2;true|blobs;2"
    assert physical.GrayScott(ic_config=both).ic_config == both


@pytest.mark.parametrize("wrong", ["thete", "Theta", ""])
def test_unknown_patterns(wrong):
    with pytest.raises(SpecError, match=f"unknown Gray-Scott pattern '{wrong}'.*known: alpha"):
        physical.GrayScottType(pattern_type=wrong)


# --- Poisson -----------------------------------------------------------------------------------


def test_trajectories_of_poisson_are_right_hand_side_and_solution():
    scenario = physical.Poisson(num_spatial_dims=2, **STEADY)
    data = scenario.get_train_data()
    assert data.sizes["time"] == 2
    force, solution = data.isel(sample=0, channel=0).transpose("time", ...).values
    operator = (2 * np.pi / 10.0 * np.fft.fftfreq(16, 1 / 16)) ** 2
    applied = np.fft.ifft2((operator[:, None] + operator) * np.fft.fft2(solution)).real
    np.testing.assert_allclose(applied, force - force.mean(), atol=1e-4)
    assert float(solution.mean()) == pytest.approx(0.0, abs=1e-6)
    assert scenario.axes.dt is None


def test_an_emulator_learns_to_solve_poisson():
    result = apexr.run("phy_poisson", net=NET, progress=False, **STEADY)
    assert result.sizes["time"] == 1
    assert np.isfinite(result.mean_nRMSE).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_temporal_horizon": 2}, "train_temporal_horizon of Poisson must be 1, got 2"),
        ({"test_temporal_horizon": 200}, "test_temporal_horizon of Poisson must be 1, got 200"),
        ({"num_warmup_steps": 1}, "num_warmup_steps of Poisson must be 0, got 1"),
        ({"order": 3}, "order of Poisson must be even, got 3"),
        ({"order": 0}, "order must be at least 2, got 0"),
        ({"dt": 0.1}, "unknown scenario keyword 'dt'"),
    ],
)
def test_poisson_makes_one_step(change, message):
    with pytest.raises(SpecError, match=message):
        physical.Poisson(**change)


# --- axes that differ --------------------------------------------------------------------------

HOLDS = "must hold {} {}, one a dimension, got {}"


@pytest.mark.parametrize(
    ("cls", "change", "message"),
    [
        ("UnbalancedAdvection", {"num_spatial_dims": 2}, HOLDS.format(2, "numbers", 3)),
        ("DiagonalDiffusion", {"num_spatial_dims": 3}, HOLDS.format(3, "numbers", 2)),
        ("DiagonalDiffusion", {"diffusion_coef_vector": (1.0, -1.0)}, "positive semidefinite"),
        ("AnisotropicDiffusion", {"num_spatial_dims": 3}, HOLDS.format(3, "rows", 2)),
        (
            "AnisotropicDiffusion",
            {"diffusion_coef_matrix": ((1.0, 0.0), (0.0,))},
            r"diffusion_coef_matrix\[1\] of .* must hold 2 numbers",
        ),
        (
            "AnisotropicDiffusion",
            {"diffusion_coef_matrix": ((1.0, 2.0), (2.0, 1.0))},
            "positive semidefinite",
        ),
        (
            "AnisotropicDiffusion",
            {"diffusion_coef_matrix": ((1.0, 0.5), (0.0, 1.0))},
            "must be a symmetric matrix",
        ),
        ("AnisotropicDiffusion", {"diffusion_coef_matrix": (1.0, 1.0)}, "sequence of numbers"),
    ],
)
def test_coefficients_fit_the_dimensions(cls, change, message):
    with pytest.raises(SpecError, match=message):
        getattr(physical, cls)(**change)


def test_advection_by_a_vector_moves_along_it():
    velocity = (0.3, -0.2)
    scenario = physical.UnbalancedAdvection(
        num_spatial_dims=2, num_points=24, advection_coef_vector=velocity, domain_extent=2.0
    )
    x, y = scenario.grid.coordinates
    wave = np.sin(np.pi * (x + 2 * y))[None]
    moved = np.sin(np.pi * ((x - 0.03) + 2 * (y + 0.02)))[None]
    np.testing.assert_allclose(scenario.get_ref_stepper()(wave), moved, atol=1e-5)


@pytest.mark.parametrize("key", ["phy_sh", "phy_gs", "phy_kolm_flow", "phy_unbal_adv"])
def test_special_scenarios_refuse_what_they_are_not_made_for(key):
    cls = scenario_dict[key]
    for dims in {1, 2, 3} - set(cls.dimensions):
        with pytest.raises(SpecError, match=f"num_spatial_dims of .* got {dims}; "):
            cls(num_spatial_dims=dims)
    with pytest.raises(SpecError, match=r"num_channels of .* follows"):
        cls(num_channels=5)


@pytest.mark.parametrize("key", ["phy_gs_type", "phy_decay_turb", "phy_aniso_diff"])
def test_special_scenarios_run(key):
    result = apexr.run(key, net=NET, progress=False, **SIZES)
    names = scenario_dict[key].channel_names
    assert names is None or tuple(result.channel.values) == names
    assert np.isfinite(result.mean_nRMSE).all()


def test_scenarios_stay_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        physical.GrayScott().feed_rate = 0.1
