"""Seeds as members: against rollouts by hand, and ensembles with known answers."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import apexr
from apexr.analysis import crps
from apexr.engine import Stacked
from apexr.errors import ApexrError
from apexr.scenarios import difficulty

N = 24
SCENARIO = difficulty.Burgers(num_points=N, num_test_samples=4, test_temporal_horizon=5)


class Damped(eqx.Module):
    """Multiplies a state by its only weight."""

    factor: jax.Array

    def __call__(self, u):
        return self.factor * u


def members(*factors):
    return Stacked(Damped(jnp.asarray(factors, jnp.float32)), range(len(factors)))


def test_independent_members_are_scored_as_their_rollouts():
    factors = np.array([0.8, 0.9, 1.0, 1.1])
    scores = apexr.ensemble(members(*factors), SCENARIO)
    truth = SCENARIO.get_test_data().isel(time=slice(1, None))
    start = SCENARIO.get_test_ic_set()
    powers = xr.DataArray(factors, dims="seed") ** xr.DataArray(np.arange(1, 6), dims="time")
    rollouts = start * powers
    expected = crps(rollouts.transpose("seed", ...), truth).mean(["channel", "x"])
    np.testing.assert_allclose(
        scores.crps, expected.transpose("sample", "time"), rtol=2e-3, atol=1e-5
    )
    error = np.sqrt(((rollouts.mean("seed") - truth) ** 2).mean(["channel", "x"]))
    np.testing.assert_allclose(
        scores.mean_error, error.transpose("sample", "time"), rtol=2e-3, atol=1e-5
    )
    assert scores.rank_histogram.sum("member_rank").values.tolist() == [4 * N] * 5
    np.testing.assert_allclose(scores.level, [3 / 5, 1 / 5])


def test_in_a_rollout_of_the_mean_members_go_on_from_it():
    scores = apexr.ensemble(members(0.8, 1.2), SCENARIO, mode="mean_rollout")
    start = SCENARIO.get_test_ic_set().values.astype(float)
    size = np.sqrt((start**2).mean())  # the mean stays, so that the spread does not grow
    np.testing.assert_allclose(scores.spread, 0.2 * np.sqrt(2) * size, rtol=1e-4)


def test_blocks_do_not_change_scores(monkeypatch):
    from apexr.engine import _ensemble as engine

    whole = apexr.ensemble(members(0.8, 0.9, 1.1), SCENARIO)
    blocks = engine.ensemble_blocks
    monkeypatch.setattr(
        "apexr.comparisons._ensemble.ensemble_blocks",
        lambda *given: blocks(*given, block_bytes=2 * 4 * 4 * N * 4),
    )
    parts = apexr.ensemble(members(0.8, 0.9, 1.1), SCENARIO)
    for name in ("crps", "energy_score", "spread_skill", "coverage"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-6)


def test_a_member_that_diverges_is_counted():
    scores = apexr.ensemble(members(0.9, 1.0, 1e20), SCENARIO)
    assert scores.num_diverged.values.tolist() == [0, 1, 1, 1, 1]
    assert np.isinf(scores.crps.isel(time=slice(1, None))).all()
    assert np.isfinite(scores.crps.isel(time=0)).all()


def test_a_stored_experiment_is_an_ensemble(tmp_path):
    result = apexr.run(
        "diff_burgers",
        net="Pure;3",
        num_seeds=3,
        num_points=N,
        num_test_samples=2,
        test_temporal_horizon=3,
        num_train_samples=2,
        train_temporal_horizon=3,
        num_trjs_returned=2,
        optim_config="adam;2;constant;1e-3",
        record_loss_every=2,
        batch_size=2,
        store=tmp_path / "r",
        progress=False,
    )
    scores = apexr.ensemble(result)
    expected = crps(result.sample_rollout, result.sample_reference).mean(["channel", "x"])
    np.testing.assert_allclose(scores.crps, expected, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: apexr.ensemble(lambda u: u, SCENARIO), "at least 2 seeds"),
        (lambda: apexr.ensemble(members(1, 1), SCENARIO, mode="mean"), "mode must be one of"),
        (lambda: apexr.ensemble(members(1, 1)), "scenario is missing"),
        (lambda: apexr.ensemble(members(1, 1), SCENARIO, num_steps=1.5), "num_steps"),
    ],
)
def test_what_is_no_ensemble_is_refused(call, words):
    with pytest.raises(ApexrError, match=words):
        call()
