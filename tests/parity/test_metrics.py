"""Metrics equal the published benchmark's on the same arrays."""

import numpy as np
import pytest
from _golden import Golden

from apexr.engine import score_rollouts
from apexr.metrics import METRICS

GOLDEN = Golden("metrics")
NAMES = GOLDEN.meta["names"]
CASES = sorted({key.split("/")[0] for key in GOLDEN.names()})


def test_every_published_metric_is_known():
    published = {name.split(";")[0] for name in NAMES}
    assert len(published) == 22
    assert published <= set(METRICS.names())


@pytest.mark.parametrize("case", CASES)
def test_scores_equal_the_published_ones(case):
    prediction, target = GOLDEN[f"{case}/pred"], GOLDEN[f"{case}/ref"]
    scores = dict(zip(GOLDEN.meta["names"], GOLDEN[f"{case}/scores"], strict=True))
    metrics = {name: METRICS.parse(name) for name in NAMES}
    made = score_rollouts(prediction[None, :, None], target[:, None], metrics)
    for name in NAMES:
        assert np.mean(made[name]) == pytest.approx(scores[name], rel=1e-3, abs=1e-6), name
