"""Results that several files of tests draw."""

import numpy as np

from apexr import store
from apexr.testing import mock_experiment

NETS = {
    "Conv;26;10;relu": (1000, 21.0, 1.0),
    "FNO;12;8;4;gelu": (50_000, np.inf, 0.1),
    "Res;16;4;relu": (4000, 33.0, 2.0),
}
"""Network to its parameters, its receptive field and how bad its errors are."""


def study(folder, diverged=None):
    """Return a study of two scenarios and three networks; one experiment is not there."""
    store.create_study(folder)
    for number, (scenario, net) in enumerate((s, n) for s in ("1d_a", "1d_b") for n in NETS):
        if number == 4:
            continue
        lost = (diverged or {}).get(number, ())
        one = mock_experiment(scenario=scenario, net=net, random_seed=number, diverged=lost)
        parameters, field, factor = NETS[net]
        one["num_parameters"] = one.num_parameters * 0 + parameters
        one["receptive_field"] = one.receptive_field * 0 + field
        one["mean_nRMSE"] = one.mean_nRMSE * np.float32(factor)
        store.publish_experiment(one, {}, store.unit_path(folder, f"{number:032x}"))
    return store.open_study(folder)
