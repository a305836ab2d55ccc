"""Losses, rollouts and errors of short trainings equal the published benchmark's, seed by seed."""

import jax
import numpy as np
import pytest
from _golden import Golden, deviation

from apexr import scenarios

GOLDEN = Golden("training")


def scenario_of(case: str) -> scenarios.BaseScenario:
    facts = GOLDEN.meta["cases"][case]
    return scenarios.scenario_dict[facts["scenario"]](**facts["kwargs"])


@pytest.mark.parametrize("case", sorted(GOLDEN.meta["cases"]))
@pytest.mark.filterwarnings("ignore:batch_size")
def test_training_equals_the_published_one(case):
    request = GOLDEN.meta["cases"][case]["run"]
    result, _ = scenario_of(case)(**request, progress=False)
    assert result.update_step.values.tolist() == GOLDEN[f"{case}/update_step"].tolist()
    np.testing.assert_allclose(result.train_loss, GOLDEN[f"{case}/train_loss"], rtol=1e-2)
    names = GOLDEN.meta["cases"][case]["kwargs"].get("report_metrics", "mean_nRMSE").split(",")
    for name in names:
        np.testing.assert_allclose(result[name], GOLDEN[f"{case}/{name}"], rtol=1e-2)
    rollout = GOLDEN[f"{case}/sample_rollout"]
    start = np.broadcast_to(result.initial_state, rollout[:, :, 0].shape)
    assert deviation(start, rollout[:, :, 0]) < 2e-4
    assert deviation(result.sample_rollout, rollout[:, :, 1:]) < 1e-2


@pytest.mark.parametrize("case", ["adv-conv-one", "burgers-conv-sup3", "adv-fno-sup3"])
def test_full_loss_equals_the_published_one(case):
    scenario, request = scenario_of(case), GOLDEN.meta["cases"][case]["run"]
    key = jax.random.PRNGKey(request["start_seed"])
    network = scenario.get_network(request["network_config"], key)
    made = scenario.full_loss(network, train_config=request["train_config"])
    assert made == pytest.approx(float(GOLDEN[f"{case}/full_loss"]), rel=1e-3)
