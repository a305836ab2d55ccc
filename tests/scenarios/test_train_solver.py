"""Training data of another solver than test data, and emulators that are better than them."""

import jax
import numpy as np
import pytest
import xarray as xr

import apexr
from apexr.analysis import superiority
from apexr.errors import MissingVariableError, SpecError
from apexr.recipe import plain_parameters
from apexr.scenarios import difficulty, normalized, physical
from apexr.steppers import FiniteDifferenceStepper, RepeatedStepper
from apexr.testing import no_compute

TINY = {
    "num_points": 20,
    "num_train_samples": 3,
    "train_temporal_horizon": 4,
    "num_test_samples": 2,
    "test_temporal_horizon": 5,
    "batch_size": 4,
    "optim_config": "adam;5;constant;1e-3",
    "record_loss_every": 5,
}
STEPS = [1, 2, 5, 10, 50, 100]


def closed_form(points, gamma, trained, tested):
    """Return ``ξ`` of the two-point stencil fitted to one wave of implicit upwind advection."""
    s2 = np.sin(np.pi * trained / points) ** 2
    scale = 4 * gamma**2 * s2 - 4 * gamma * s2 + 1
    weights = -gamma / scale, (1 + gamma - 4 * gamma * s2) / scale
    shift = np.exp(-2j * np.pi * tested / points)
    exact = np.exp(2j * np.pi * gamma * tested / points)
    solver = 1 / (1 - gamma * (1 - shift))
    emulator = weights[0] * shift + weights[1]
    return [abs(emulator**t - exact**t) / abs(solver**t - exact**t) for t in STEPS]


def advection(**changed):
    fitting = {
        "num_points": 100,
        "advection_gamma": -0.3,
        "train_solver": "fd;1.0;1",
        "ic_config": "modes;1;true",
        "test_ic_config": "modes;5;true",
        "num_train_samples": 10,
        "train_temporal_horizon": 1,
        "num_test_samples": 3,
        "test_temporal_horizon": 100,
        "batch_size": 10,
        "optim_config": "adam;20_000;warmup_cosine;0.0;3e-2;10",
        "record_loss_every": 10_000,
    }
    return difficulty.Advection(**(fitting | changed))


def test_the_two_point_stencil_has_the_published_superiority():
    ds, _ = advection()(network_config="Pure;2", num_seeds=2, precision="float64", progress=False)
    xi = superiority(ds)
    assert xi.dims == ("seed", "time")
    published = [0.568082, 0.5703, 0.5771, 0.5884, 0.6751, 0.7705]
    np.testing.assert_allclose(closed_form(100, -0.3, 1, 5), published, atol=6e-5)
    for seed in range(2):
        got = xi.isel(seed=seed).sel(time=STEPS)
        np.testing.assert_allclose(got, closed_form(100, -0.3, 1, 5), atol=1e-5)
    each = superiority(ds, "nRMSE")
    assert each.dims == ("seed", "test_sample", "time")
    np.testing.assert_allclose(each.isel(test_sample=0), xi, rtol=1e-6)


def test_a_mirrored_advection_is_fitted_on_the_other_side():
    """``Pure;3`` holds the stencil of either direction; its third weight is not determined."""
    wave = np.cos(2 * np.pi * np.arange(20) / 20)[None]
    net = apexr.networks.NETWORKS.parse("Pure;2").build(
        apexr.spectral.Grid(1, 20), 1, jax.random.PRNGKey(0)
    )
    seen = np.asarray(net(np.eye(1, 20, 7, dtype=np.float32)))[0]
    assert np.flatnonzero(seen).tolist() == [7, 8]  # the outputs that read point 7
    assert net(wave).shape == wave.shape
    assert advection().get_receptive_field(network_config="Pure;2") == ((1.0, 0.0),)
    assert advection().get_receptive_field(network_config="Pure;4") == ((2.0, 1.0),)


def test_the_errors_of_the_training_solver_are_those_of_its_rollouts():
    scenario = difficulty.Burgers(
        **TINY, train_solver="fd;1;1", test_solver="fd;1;50", num_warmup_steps=2,
        report_metrics="mean_nRMSE,mean_MSE",
    )  # fmt: skip
    ds, _ = scenario(network_config="Pure;3", num_seeds=2, progress=False)
    train, test = scenario.get_train_stepper(), scenario.get_ref_stepper()
    assert (train.picard, test.picard) == (1, 50)
    start = scenario.get_test_ic_set().values
    truth = predicted = start
    for step in range(1, 6):
        truth = np.stack([test(u) for u in truth])
        predicted = np.stack([train(u) for u in predicted])
        size = np.sqrt((truth**2).sum(axis=(1, 2)))
        expected = np.sqrt(((predicted - truth) ** 2).sum(axis=(1, 2))) / size
        np.testing.assert_allclose(ds.train_solver_nRMSE.sel(time=step), expected, rtol=1e-3)
        mean = ds.train_solver_mean_nRMSE.sel(time=step)
        np.testing.assert_allclose(mean, expected.mean(), rtol=1e-3)
    ratio = ds.mean_nRMSE / ds.train_solver_mean_nRMSE
    np.testing.assert_allclose(superiority(ds), ratio, rtol=1e-6)
    apexr.testing.assert_valid(ds)


def test_both_sets_are_warmed_up_by_the_test_solver():
    given = {"train_solver": "fd;1;1", "test_solver": "etdrk;2", "num_warmup_steps": 3, **TINY}
    scenario = difficulty.Burgers(**given)
    plain = difficulty.Burgers(**(given | {"train_solver": "", "test_solver": ""}))
    for name in ("train", "test"):
        warmed = getattr(scenario, f"get_{name}_ic_set")()
        np.testing.assert_allclose(warmed, getattr(plain, f"get_{name}_ic_set")(), atol=1e-6)
    first = scenario.get_train_data().isel(time=[0, 1])
    stepped = scenario.get_train_stepper()(first.values[0, 0])
    np.testing.assert_allclose(first.values[0, 1], stepped, atol=1e-6)
    np.testing.assert_allclose(scenario.get_test_data(), plain.get_test_data(), atol=1e-6)


def test_test_states_of_their_own():
    scenario = advection(test_temporal_horizon=2)
    spectrum = np.abs(np.fft.rfft(scenario.get_test_ic_set().values[:, 0]))
    assert (spectrum.argmax(axis=-1) == 5).all()
    assert (np.abs(np.fft.rfft(scenario.get_train_ic_set())).argmax(axis=-1) == 1).all()
    for wrong in ("fourier", "modes;60;true", 5):
        with pytest.raises(SpecError):
            advection(test_ic_config=wrong)


def test_solvers_of_the_scenario_have_its_step_and_its_options():
    ours = physical.Burgers(num_points=20, num_substeps=3, test_solver="fd;0.5;7", dt=0.2)
    stepper = ours.get_ref_stepper()
    assert isinstance(stepper, RepeatedStepper)
    assert isinstance(stepper.stepper, FiniteDifferenceStepper)
    assert (stepper.dt, stepper.num_substeps) == (pytest.approx(0.2), 3)
    assert (stepper.stepper.theta, stepper.stepper.picard) == (0.5, 7)
    own = difficulty.Burgers(num_points=20, train_solver="etdrk;4", dealiasing_fraction=0.5)
    assert own.get_ref_stepper().order == 2
    assert own.get_train_stepper().order == 4
    assert own.get_train_stepper().dealiasing_fraction == 0.5
    assert own.get_train_stepper().coefficients == "real"
    assert difficulty.Burgers().get_train_stepper().order == 2


@pytest.mark.parametrize("dims", [1, 2])
def test_coefficients_are_those_of_the_difficulties(dims):
    """``γ_j / (N^j 2^(j-1) D)``, but ``γ₀`` itself, on a unit domain with a unit step."""
    scenario = difficulty.Convection(
        num_spatial_dims=dims, num_points=20, gammas=(-0.1, 0.0, 0.2, 0.0, 0.0),
        convection_delta=-2.0, test_solver="fd;1;1",
    )  # fmt: skip
    flat = np.full((dims, *(20,) * dims), 0.5, np.float32)
    np.testing.assert_allclose(scenario.get_ref_stepper()(flat), flat / 1.1, rtol=1e-5)
    equation = scenario.get_ref_stepper().equation
    assert equation.linear_coefficients[2] == pytest.approx(0.2 / (20**2 * 2 * dims))
    assert equation.convection_scale == pytest.approx(2.0 / (20 * dims))


def test_identities_of_experiments_before_are_kept():
    for cls in (difficulty.Burgers, normalized.Advection, physical.Poisson):
        held = plain_parameters(cls())
        assert not {"train_solver", "test_solver", "test_ic_config"} & set(held)
    chosen = difficulty.Burgers(train_solver="FD;1;1", test_ic_config="fourier;3;true;true")
    held = plain_parameters(chosen)
    assert held["train_solver"] == "fd;1.0;1"
    assert "test_solver" not in held
    assert chosen == difficulty.Burgers(**chosen.changed_parameters)


def test_results_and_data_say_which_solvers_there_were(tmp_path):
    given = {"train_solver": "fd;1;1", "net": "Pure;3", "num_seeds": 2}
    apexr.run_study({"scenario": "diff_adv", **given, **TINY}, tmp_path / "s", progress=False)
    study = apexr.open_study(tmp_path / "s")
    with no_compute():
        lazy = superiority(study)
        chunked = superiority(study.chunk(seed=1, time=2))
    xr.testing.assert_allclose(lazy.compute(), chunked.compute())
    assert lazy.dims == ("experiment", "seed", "time")
    one = apexr.open_experiment(tmp_path / "s", str(study.experiment.values[0]))
    assert one.attrs["train_solver"] == "fd;1.0;1"
    np.testing.assert_allclose(lazy.isel(experiment=0), superiority(one))


def test_diverged_seeds_are_the_worst():
    ds, _ = difficulty.Advection(**TINY, train_solver="fd;1;1")(
        network_config="Pure;3", num_seeds=2, progress=False
    )
    ds["mean_nRMSE"][0, 2:] = np.nan
    xi = superiority(ds)
    assert np.isinf(xi[0, 2:]).all()
    assert np.isfinite(xi[1]).all()


def test_results_without_another_solver_say_what_to_do():
    ds, _ = difficulty.Advection(**TINY)(network_config="Pure;3", progress=False)
    assert not [name for name in ds if name.startswith("train_solver")]
    with pytest.raises(MissingVariableError, match="train_solver='fd"):
        superiority(ds)
    with pytest.raises(MissingVariableError, match="mean_nRMSE"):
        superiority(ds, "mean_nRSME")


def test_a_ratio_of_correlations_is_refused():
    scenario = difficulty.Advection(
        **TINY, train_solver="fd;1;1", report_metrics="mean_correlation,mean_nRMSE"
    )
    ds, _ = scenario(network_config="Pure;3", progress=False)
    with pytest.raises(SpecError, match="no error"):
        superiority(ds, "mean_correlation")


@pytest.mark.parametrize(
    ("cls", "given", "said"),
    [
        (difficulty.FisherKPP, {"train_solver": "fd;1;1"}, "train_solver of FisherKPP.*quadratic"),
        (difficulty.KuramotoSivashinsky, {"test_solver": "fd;1;1"}, "gradient norm"),
        (physical.GrayScott, {"train_solver": "fd;1;1"}, "no terms for GrayScott"),
        (physical.Poisson, {"train_solver": "etdrk;2"}, "makes no steps in time"),
        (difficulty.Burgers, {"train_solver": "fd;1"}, "PICARD is missing"),
        (difficulty.Burgers, {"test_solver": "fdd;1;1"}, "fd"),
        (difficulty.Burgers, {"test_solver": 3}, "string"),
    ],
)
def test_solvers_that_do_not_fit_are_refused(cls, given, said):
    with pytest.raises(SpecError, match=said):
        cls(**given)


def test_the_error_of_finite_difference_data_is_measured():
    scenario = difficulty.Burgers(**TINY, test_solver="fd;1;50", numerics="exact")
    found = scenario.reference_error(num_steps=3)
    truth = difficulty.Burgers(**TINY, num_substeps=20, order=4, numerics="exact")
    difference = scenario.get_test_data() - truth.get_test_data()
    size = (truth.get_test_data() ** 2).sum(["channel", "x"])
    expected = np.sqrt((difference**2).sum(["channel", "x"]) / size).mean("sample")
    np.testing.assert_allclose(found.mean_nRMSE, expected.sel(time=[1, 2, 3]), rtol=1e-3)
    linear = difficulty.Diffusion(**TINY, test_solver="fd;1;1").reference_error(num_steps=2)
    assert (linear.mean_nRMSE > 1e-3).all()
