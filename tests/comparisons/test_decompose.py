"""Where errors come from: against the definitions by hand, and cases with known answers."""

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import apexr
from apexr.errors import ApexrError, ShapeError, SpecError
from apexr.scenarios import difficulty
from apexr.schema import DECOMPOSITION

N = 24
TINY = {
    "num_points": N,
    "num_train_samples": 4,
    "train_temporal_horizon": 5,
    "num_test_samples": 3,
    "test_temporal_horizon": 6,
    "optim_config": "adam;5;constant;1e-3",
    "record_loss_every": 5,
}


def norm(field):
    return np.sqrt((np.asarray(field, np.float64) ** 2).sum(axis=(1, 2)))


def by_hand(f, solve, states, num_steps):
    """Return all quantities ``(sample, time)`` as they are defined, in plain loops."""
    predicted = true = np.asarray(states, np.float64)
    rows = []
    for _ in range(num_steps):
        made, made_of_true = f(predicted), f(true)
        solved, truth = solve(predicted), solve(true)
        size, before = norm(truth), norm(predicted - true)
        first, second = made_of_true - truth, made - made_of_true
        with np.errstate(all="ignore"):
            rows.append(
                {
                    "error": norm(made - truth) / size,
                    "one_step": norm(first) / size,
                    "propagated": norm(second) / size,
                    "own_state_error": norm(made - solved) / size,
                    "dynamics": norm(solved - truth) / size,
                    "amplification": norm(second) / before,
                    "true_amplification": norm(solved - truth) / before,
                    "excess_amplification": norm(second) / norm(solved - truth),
                    "distribution_shift": norm(made - solved) / norm(first),
                    "alignment": (first * second).sum(axis=(1, 2)) / (norm(first) * norm(second)),
                }
            )
        predicted, true = made, truth
    return {name: np.stack([row[name] for row in rows], axis=1) for name in rows[0]}


def test_all_quantities_are_as_defined():
    scenario = difficulty.Burgers(**TINY)
    stepper = scenario.get_ref_stepper()
    rng = np.random.default_rng(0)
    states = rng.normal(size=(2, 1, N))

    def solve(batch):
        return np.stack([np.asarray(stepper(u)) for u in batch])

    def step(u):
        return 0.9 * u + 0.1 * jnp.roll(u, 1, axis=-1) ** 2

    def f(batch):
        return 0.9 * batch + 0.1 * np.roll(batch, 1, axis=-1) ** 2

    parts = apexr.decompose(step, scenario, states=states, num_steps=4)
    expected = by_hand(f, solve, states, 4)
    assert set(parts.data_vars) == set(expected) == set(DECOMPOSITION)
    for name, values in expected.items():
        np.testing.assert_allclose(parts[name][0], values, rtol=2e-3, atol=2e-5, err_msg=name)


def test_the_reference_solver_makes_no_error_of_its_own():
    scenario = difficulty.KuramotoSivashinskyConservative(**TINY)
    parts = apexr.decompose(scenario.get_ref_stepper(), scenario)
    for name in ("error", "one_step", "propagated", "own_state_error", "dynamics"):
        assert (parts[name] == 0).all(), name
    for name in ("amplification", "excess_amplification", "distribution_shift", "alignment"):
        assert np.isnan(parts[name]).all(), name


def test_a_stencil_amplifies_a_wave_by_its_symbol():
    scenario = difficulty.Advection(**TINY)
    mode = 3
    wave = np.cos(2 * np.pi * mode * np.arange(N) / N)[None, None]
    parts = apexr.decompose(
        lambda u: 0.7 * u + 0.4 * jnp.roll(u, 1, axis=-1), scenario, states=wave
    )
    symbol = abs(0.7 + 0.4 * np.exp(-2j * np.pi * mode / N))
    later = parts.isel(seed=0, test_sample=0, time=slice(1, None))
    np.testing.assert_allclose(later.amplification, symbol, rtol=1e-4)
    np.testing.assert_allclose(later.true_amplification, 1, rtol=1e-4)
    np.testing.assert_allclose(later.excess_amplification, symbol, rtol=1e-4)


def test_fields_of_any_size_are_split_alike():
    scenario = difficulty.Advection(**TINY)
    wave = np.cos(2 * np.pi * np.arange(N) / N)[None, None]
    alone = apexr.decompose(lambda u: 0.9 * u, scenario, states=wave)
    for scale in (1e-25, 1e25):
        scaled = apexr.decompose(lambda u: 0.9 * u, scenario, states=scale * wave)
        xr.testing.assert_allclose(scaled.drop_attrs(), alone.drop_attrs(), rtol=1e-4)


def test_the_error_is_that_of_the_rollout(tmp_path):
    result = apexr.run(
        "diff_burgers",
        net="Conv;4;1;relu",
        num_seeds=2,
        store=tmp_path / "r",
        progress=False,
        **TINY,
    )
    parts = apexr.decompose(tmp_path / "r")
    assert parts.error.dims == ("seed", "test_sample", "time")
    np.testing.assert_allclose(parts.error, result.nRMSE, rtol=1e-3, atol=1e-6)
    assert parts["net"].item() == "Conv;4;1;relu"
    xr.testing.assert_equal(apexr.decompose(result), parts)
    networks = apexr.load_networks(tmp_path / "r")
    xr.testing.assert_allclose(
        apexr.decompose(networks, difficulty.Burgers(**TINY)).drop_vars(["net", "train"]),
        parts.drop_vars(["net", "train"]),
    )


def test_a_study_is_split_experiment_by_experiment(tmp_path):
    nets = ["Conv;4;1;relu", "Pure;3"]
    configs = {"scenario": "diff_burgers", "net": nets, "num_seeds": 2, **TINY}
    apexr.run_study(configs, tmp_path / "study", progress=False)
    parts = apexr.decompose(tmp_path / "study")
    assert parts.one_step.dims == ("experiment", "seed", "test_sample", "time")
    assert sorted(parts["net"].values) == sorted(nets)
    first = str(parts["experiment"].values[0])
    alone = apexr.decompose(tmp_path / "study", experiment=first)
    np.testing.assert_array_equal(alone.error, parts.error.sel(experiment=first))


def test_functions_of_other_frameworks_are_called_with_numpy_arrays():
    scenario = difficulty.Burgers(**TINY)

    def foreign(u):
        assert type(u) is np.ndarray
        return np.maximum(0.9 * u, -0.5)

    def native(u):
        return jnp.maximum(0.9 * u, -0.5)

    on_host, compiled = (apexr.decompose(step, scenario) for step in (foreign, native))
    for name in DECOMPOSITION:
        np.testing.assert_allclose(on_host[name], compiled[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("source", "scenario", "words"),
    [
        (lambda u: u, None, "scenario is missing"),
        (lambda u: u[:, :-1], difficulty.Burgers(**TINY), "must take a state"),
        (np.zeros(3), difficulty.Burgers(**TINY), "a function of a state"),
        ([1, 2], difficulty.Burgers(**TINY), "a function of a state"),
        (lambda u: u, "diff_burger", "did you mean 'diff_burgers'"),
        (xr.Dataset(), None, "which store its networks are in"),
        ("nowhere.zarr", None, "nowhere.zarr"),
    ],
)
def test_what_means_nothing_is_refused(source, scenario, words):
    with pytest.raises(ApexrError, match=words.replace("(", r"\(")):
        apexr.decompose(source, scenario)


def test_states_must_fit():
    scenario = difficulty.Burgers(**TINY)
    with pytest.raises(ShapeError, match="initial_states must have shape"):
        apexr.decompose(lambda u: u, scenario, states=np.zeros((2, 1, N + 1)))
    with pytest.raises(SpecError, match="num_steps"):
        apexr.decompose(lambda u: u, scenario, num_steps=0)


def test_a_decomposition_is_drawn():
    parts = apexr.decompose(lambda u: 0.9 * u, difficulty.Burgers(**TINY))
    curves = [element.label for element in apexr.plot.decomposition(parts, split="emulator")]
    assert [label.split(" (")[0] for label in curves] == [
        "error",
        "one-step error",
        "propagated error",
        "trajectories of training: 5 steps",
    ]
    assert len(apexr.plot.decomposition(parts)) == 2
    with pytest.raises(ApexrError, match=r"apexr\.decompose"):
        apexr.plot.decomposition(xr.Dataset())
