"""Methods of the benchmark's scenarios that people port with."""

import jax
import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES
from apexr.errors import SpecError

SCENARIO = apexr.difficulty.Burgers(**SIZES, report_metrics="mean_nRMSE,mean_MAE")


def test_data_are_produced_by_any_stepper_from_a_key():
    sizes = {"num_samples": 3, "num_warmup_steps": 0, "temporal_horizon": 4}
    key = jax.random.PRNGKey(SCENARIO.train_seed)
    made = SCENARIO.produce_data(stepper=SCENARIO.get_ref_stepper(), key=key, **sizes)
    np.testing.assert_array_equal(made, SCENARIO.get_train_data())
    assert made.dims == ("sample", "time", "channel", "x")
    still = SCENARIO.produce_data(stepper=lambda u: u, key=key, **sizes)
    np.testing.assert_array_equal(still[:, 0], made[:, 0])
    np.testing.assert_array_equal(still[:, 4], made[:, 0])


def test_rollouts_of_any_model_are_tested():
    truth = SCENARIO.get_test_data().values[:, 1:]
    errors = SCENARIO.perform_tests_on_rollout(0.5 * truth)
    assert set(errors) == {"mean_nRMSE", "mean_MAE"}
    np.testing.assert_allclose(errors["mean_nRMSE"], np.full((1, 5), 0.5), rtol=1e-5)
    wanted = np.abs(0.5 * truth.astype("f8")).mean(axis=(0, 2, 3))
    np.testing.assert_allclose(errors["mean_MAE"][0], wanted, rtol=1e-5)
    own = SCENARIO.perform_tests_on_rollout(np.stack([truth] * 2), test_data_no_init=2 * truth)
    np.testing.assert_allclose(own["mean_nRMSE"], np.full((2, 5), 0.5), rtol=1e-5)


def test_a_study_is_kept_under_a_base_path(tmp_path):
    configs = [{"scenario": "diff_adv", "net": NET, **SIZES}]
    study = apexr.run_study(configs, base_path=tmp_path / "study", progress=False)
    assert study.sizes["experiment"] == 1
    tables = apexr.run_study_convenience(configs, base_path=tmp_path / "study", progress=False)
    assert len(tables[0]) == 5
    with pytest.raises(SpecError, match="another name of store; give one"):
        apexr.run_study(configs, "a.zarr", base_path="b.zarr")
    with pytest.raises(SpecError, match="run_study needs a store"):
        apexr.run_study(configs)


def test_components_are_listed_and_say_how_to_add_one():
    parts = apexr.components
    assert {"Conv", "FNO"} <= set(parts.architecture_dict)
    assert "fourier" in parts.ic_dict
    assert "mean_nRMSE" in parts.metric_dict
    assert "relu" in parts.activation_fn_dict
    assert {"adam"} <= set(parts.optimizer_dict)
    assert {"constant"} <= set(parts.lr_scheduler_dict)
    assert parts.architecture_dict["conv"] is apexr.networks.NETWORKS.registry.get("Conv")
    with pytest.raises(SpecError, match=r"registered by the decorator apexr\.networks\.network"):
        parts.architecture_dict["Mine"] = object
