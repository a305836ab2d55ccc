"""Losses, rollouts and errors of short trainings equal the published benchmark's, seed by seed."""

import jax
import numpy as np
import pytest
from _golden import Golden, deviation

from apexr import scenarios

GROUPS = {name: Golden(name) for name in ("training", "training_div", "training_correct")}
CASES = [
    pytest.param(golden, case, id=f"{name}-{case}")
    for name, golden in GROUPS.items()
    for case in sorted(golden.meta["cases"])
]
FULL_LOSSES = [
    *(("training", "adv-conv-one"), ("training", "burgers-conv-sup3")),
    *(("training", "adv-fno-sup3"), ("training_div", "adv-conv-div3")),
    *(("training_correct", "burgers-conv-sup3-parallel"),),
    *(("training_correct", "burgers-conv-div3-sequential"),),
]


def scenario_of(golden: Golden, case: str) -> scenarios.BaseScenario:
    facts = golden.meta["cases"][case]
    return scenarios.scenario_dict[facts["scenario"]](**facts["kwargs"])


@pytest.mark.parametrize(("golden", "case"), CASES)
@pytest.mark.filterwarnings("ignore:batch_size")
def test_training_equals_the_published_one(golden, case):
    request = golden.meta["cases"][case]["run"]
    result, _ = scenario_of(golden, case)(**request, progress=False)
    assert result.update_step.values.tolist() == golden[f"{case}/update_step"].tolist()
    np.testing.assert_allclose(result.train_loss, golden[f"{case}/train_loss"], rtol=1e-2)
    names = golden.meta["cases"][case]["kwargs"].get("report_metrics", "mean_nRMSE").split(",")
    for name in names:
        np.testing.assert_allclose(result[name], golden[f"{case}/{name}"], rtol=1e-2)
    rollout = golden[f"{case}/sample_rollout"]
    start = np.broadcast_to(result.initial_state, rollout[:, :, 0].shape)
    assert deviation(start, rollout[:, :, 0]) < 2e-4
    assert deviation(result.sample_rollout, rollout[:, :, 1:]) < 1e-2


@pytest.mark.parametrize(("group", "case"), FULL_LOSSES)
def test_full_loss_equals_the_published_one(group, case):
    golden = GROUPS[group]
    scenario, request = scenario_of(golden, case), golden.meta["cases"][case]["run"]
    key = jax.random.PRNGKey(request["start_seed"])
    configs = {name: request[name] for name in ("task_config", "network_config")}
    emulator = scenario.get_neural_stepper(**configs, key=key)
    made = scenario.full_loss(emulator, train_config=request["train_config"])
    assert made == pytest.approx(float(golden[f"{case}/full_loss"]), rel=1e-3)
