"""The normalized and the physical interface: the same equations by other coefficients."""

import pytest

import apexr
from apexr.errors import SpecError
from apexr.scenarios import difficulty, normalized, physical, scenario_dict

PRINTED = """\
KortewegDeVries(
  num_spatial_dims=1,
  num_points=160,
  num_channels=1,
  ic_config='fourier;5;true;true',
  num_warmup_steps=0,
  num_train_samples=50,
  subset_of=0,
  train_temporal_horizon=50,
  train_seed=0,
  num_test_samples=30,
  test_temporal_horizon=200,
  test_seed=773,
  test_ic_config='',
  num_valid_samples=0,
  valid_temporal_horizon=0,
  valid_seed=1546,
  select='last',
  patience=0,
  optim_config='adam;10_000;warmup_cosine;0.0;1e-3;2_000',
  batch_size=20,
  num_trjs_returned=1,
  record_loss_every=100,
  vlim=(-1.0, 1.0),
  report_metrics='mean_nRMSE',
  callbacks='',
  numerics='apebench',
  train_solver='',
  test_solver='',
  num_substeps=1,
  coarse_proportion=0.5,
  order=2,
  dealiasing_fraction=0.6666666666666666,
  num_circle_points=16,
  circle_radius=1.0,
  etdrk_coefficients='real',
  domain_extent=50.0,
  dt=0.1,
  a_coefs=(0.0, 0.0, 0.0, -1.0, -0.125),
  b_coefs=(0.0, -6.0, 0.0),
  convection_sc_coef=-6.0,
  dispersion_coef=-1.0,
  hyp_diffusion_coef=-0.125
)"""


def test_scenarios_print_all_their_fields():
    assert str(physical.KortewegDeVries()) == PRINTED


def test_namespaces():
    assert apexr.normalized is apexr.scenarios.normalized is normalized
    assert apexr.physical is apexr.scenarios.physical is physical
    assert scenario_dict["norm_adv"] is normalized.Advection
    assert scenario_dict["phy_adv"] is physical.Advection
    assert scenario_dict["norm_hyp_diff"] is scenario_dict["norm_hypdiff"]
    assert "norm_hyp_diff" not in list(scenario_dict)


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (normalized.Linear(), "1d_norm_lin_1"),
        (normalized.LinearSimple(linear_term_order=2), "1d_norm_lin_2"),
        (normalized.HyperDiffusion(num_spatial_dims=3), "3d_norm_hyp_diff"),
        (normalized.Convection(alphas=(0.0, -0.1, 1e-4)), "1d_norm_conv_1_2"),
        (normalized.KuramotoSivashinskyConservative(), "1d_norm_ks_cons"),
        (physical.Linear(), "1d_phy_lin_1"),
        (physical.Burgers(num_spatial_dims=2), "2d_phy_burgers"),
        (physical.KuramotoSivashinskyConservative(), "1d_phy_ks_conservative"),
        (physical.FisherKPP(), "1d_phy_fisher"),
    ],
)
def test_scenarios_name_themselves(made, name):
    assert made.get_scenario_name() == name


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (normalized.LinearSimple(linear_term_order=3).alphas, (0.0, 0.0, 0.0, -0.025)),
        (normalized.AdvectionDiffusion().alphas, (0.0, -0.025, 8e-4)),
        (normalized.Burgers(num_spatial_dims=2).num_channels, 2),
        (normalized.KuramotoSivashinskyConservative().convection_beta, -1.25e-2),
        (normalized.FisherKPP().betas, (-0.02, 0.0, 0.0)),
        (physical.FirstFour().a_coefs, (0.0, -2500.0, 80.0, 0.025, -7.5e-5)),
        (physical.KuramotoSivashinsky().b_coefs, (0.0, 0.0, -1.0)),
        (physical.FisherKPP().poly_coefs, (0.0, 0.0, -20.0)),
        (physical.FisherKPP().dt, 0.001),
        (physical.HyperDiffusion(hyper_diffusion_coef=-1e-4).a_coefs[4], -1e-4),
    ],
)
def test_coefficients_follow_from_the_parameters(made, expected):
    assert made == expected


@pytest.mark.parametrize("interface", [difficulty, normalized, physical])
def test_kuramoto_sivashinsky_starts_late(interface):
    for cls, limit in (("KuramotoSivashinsky", 6.5), ("KuramotoSivashinskyConservative", 2.5)):
        scenario = getattr(interface, cls)()
        assert scenario.num_warmup_steps == 500
        assert scenario.vlim == (-limit, limit)
        assert scenario.report_metrics == "mean_nRMSE,mean_correlation"


def test_physical_scenarios_have_units():
    scenario = physical.Advection(domain_extent=2, dt=0.05)
    assert scenario.grid.domain_extent == scenario.axes.domain_extent == 2.0
    assert scenario.axes.dt == 0.05
    assert normalized.Advection().axes.dt is None


@pytest.mark.parametrize(
    ("scenario", "step"),
    [
        (physical.Advection(num_points=16), 0.1),
        (physical.KortewegDeVries(num_points=16, num_substeps=4), 0.1),
        (normalized.Burgers(num_points=16), 1.0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_coarse_stepper_makes_a_part_of_the_step(scenario, step):
    assert scenario.get_ref_stepper().dt == pytest.approx(step)
    assert scenario.get_coarse_stepper().dt == pytest.approx(step / 2)


def test_the_misspelled_dispersion_is_understood():
    assert physical.Dispersion(dipersion_coef=2.5e-4) == physical.Dispersion()
    with pytest.raises(SpecError, match="old form of dispersion_coef"):
        physical.Dispersion(dipersion_coef=1e-4, dispersion_coef=1e-4)


def test_the_unread_convection_delta_is_refused():
    with pytest.raises(SpecError, match=r"'convection_delta'.*did you mean 'convection_beta'"):
        normalized.KuramotoSivashinskyConservative(convection_delta=-6e-3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: physical.Advection(dt=0), "dt must be above 0"),
        (lambda: physical.Advection(dt=-0.1), "dt must be above 0"),
        (lambda: physical.Burgers(domain_extent=0), "domain_extent must be above 0"),
        (lambda: physical.Burgers(domain_extent="1"), "domain_extent must be a finite number"),
        (lambda: physical.Nonlinear(b_coefs=(1, 2)), "b_coefs must hold 3 numbers"),
        (lambda: physical.Polynomial(poly_coefs=()), "poly_coefs must hold at least one number"),
        (lambda: physical.FisherKPP(poly_coefs=(0, 0, 1)), "poly_coefs of FisherKPP follows"),
        (lambda: physical.Burgers(num_channels=3), "num_channels of Burgers follows"),
        (lambda: normalized.Advection(dt=0.1), "unknown scenario keyword 'dt'"),
        (lambda: normalized.Linear(alphas="12"), "alphas must be a sequence of numbers"),
        (lambda: normalized.Nonlinear(betas=(0, 1)), "betas must hold 3 numbers"),
        (lambda: normalized.Burgers(alphas=(0, 0, 9, 0, 0)), "alphas of Burgers follows"),
    ],
)
def test_wrong_parameters_are_refused(wrong, message):
    with pytest.raises(SpecError, match=message):
        wrong()


@pytest.mark.parametrize("interface", [difficulty, normalized, physical])
def test_the_conservative_form_is_refused_beyond_one_dimension(interface):
    cls = interface.KuramotoSivashinskyConservative
    with pytest.raises(SpecError, match=rf"must be 1, got 2.*\({cls.interface}_ks\)"):
        cls(num_spatial_dims=2)
