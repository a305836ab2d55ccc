"""A metric of one's own whose name is that of another's errors of each sample."""

import jax.numpy as jnp
import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES
from apexr.errors import SpecError
from apexr.metrics import METRICS, Metric, metric


@pytest.fixture
def own():
    """Register the largest error as ``nRMSE`` and as ``mean_seed``."""

    class Largest(Metric):
        """Largest difference."""

        def sample_error(self, prediction, target):
            return jnp.abs(prediction - target).max()

    names = ("nRMSE", "mean_seed")
    for name in names:
        metric(name)(type("Largest", (Largest,), {"__doc__": f"{name} - largest difference."}))
    yield
    for name in names:
        METRICS.registry.unregister(name)


def test_both_are_in_the_result(own):
    ds = apexr.run("diff_adv", net=NET, report_metrics="mean_nRMSE,nRMSE", progress=False, **SIZES)
    assert ds.nRMSE.dims == ds.mean_nRMSE.dims == ("seed", "time")
    largest = np.abs(ds.sample_rollout - ds.sample_reference).max(["channel", "x"])
    kept = ds.nRMSE_per_sample.sel(test_sample=ds["sample"].values)
    np.testing.assert_allclose(kept.values, largest.values, rtol=1e-6)
    np.testing.assert_allclose(ds.mean_nRMSE_per_sample.mean("test_sample"), ds.mean_nRMSE)


def test_a_name_that_every_result_has_is_refused_before_any_work(own):
    with pytest.raises(SpecError, match="'mean_seed': it would be called 'seed'"):
        apexr.run("diff_adv", net=NET, report_metrics="mean_seed", progress=False, **SIZES)
