"""One switch for the precision; results say which, and the two never mix."""

import json
import warnings

import jax
import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES, python
from apexr.errors import ResolutionWarning, SpecError

COMMON = {**SIZES, "net": NET, "progress": False}
CHILD = """
import json, sys, apexr
keywords, precision, store = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
ds = apexr.run("diff_adv", **keywords, precision=precision, store=store)
told = json.loads(ds.attrs["specification"])["precision"]
print(ds.attrs["precision"], told, ds.train_loss.dtype, ds.sample_rollout.dtype, ds.experiment_id)
"""


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_fresh_process_computes_in_what_it_is_told(tmp_path, precision):
    said = python(CHILD, json.dumps(COMMON), precision, tmp_path / "adv.zarr").split()
    assert said[:4] == [precision] * 4
    networks = apexr.load_networks(tmp_path / "adv.zarr")
    assert networks.layers[0].weight.dtype == precision


def test_both_in_one_process():
    """Data, weights and compiled programs of one precision are no use to the other."""
    task = {**COMMON, "task": "correct;sequential", "train": "div;2"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is cut down on its way
        warnings.simplefilter("ignore", ResolutionWarning)
        double = apexr.run("diff_burgers", **task, precision="float64")
        single = apexr.run("diff_burgers", **task, precision="float32")
        again = apexr.run("diff_burgers", **task, precision="float64")
    for name in ("train_loss", "mean_nRMSE", "sample_rollout", "initial_state"):
        assert single[name].dtype == np.float32
        assert double[name].dtype == np.float64
        np.testing.assert_array_equal(again[name], double[name])
    assert single.experiment_id != double.experiment_id
    assert not np.allclose(single.initial_state, double.initial_state, atol=1e-3)
    assert not jax.config.jax_enable_x64


def test_nothing_said_is_what_jax_is_set_to():
    default = apexr.run("diff_adv", **COMMON)
    assert default.attrs["precision"] == "float32"
    with jax.enable_x64(True):
        double = apexr.run("diff_adv", **COMMON)
    assert double.attrs["precision"] == "float64"
    assert double.train_loss.dtype == np.float64


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("precision", ["float16", "double", 64, "float46"])
def test_other_precisions_are_refused(precision):
    with pytest.raises(SpecError, match="precision must be 'float32', 'float64' or 'mixed', got"):
        apexr.run("diff_adv", **COMMON, precision=precision)
