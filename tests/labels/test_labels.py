import numpy as np
import pytest

from apexr.errors import SchemaError, ShapeError
from apexr.labels import Axes, Recorded, experiment, states, trajectories
from apexr.schema import validate

CONFIG = {
    "scenario": "1d_diff_adv",
    "task": "predict",
    "net": "Conv;4;1;relu",
    "train": "one",
    "scenario_kwargs": "{}",
}


def build(arrays, axes=None, **changes):
    given = {
        "seeds": [3, 4],
        "update_steps": [0, 100, 200],
        "config": CONFIG,
        "metrics": {"mean_fourier_nRMSE_0_5_0": "mean_fourier_nRMSE;0;5;0"},
        "attrs": {"device": "cpu"},
    }
    return experiment(arrays, axes or Axes(1, 8), **{**given, **changes})


def test_trajectories_start_at_time_zero():
    array = trajectories(np.zeros((2, 5, 1, 8)), Axes(1, 8, 2.0, dt=0.5), name="train_data")
    assert array.dims == ("sample", "time", "channel", "x")
    assert array.name == "train_data"
    np.testing.assert_array_equal(array.time, np.arange(5))
    np.testing.assert_allclose(array.time_value, np.arange(5) * 0.5)
    np.testing.assert_allclose(array.x, np.arange(8) * 0.25)
    assert array.x.attrs["extent"] == 2.0


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_states_in_all_dimensions(dims):
    array = states(np.zeros((2, 2, *[4] * dims)), Axes(dims, 4, channel_names=("u", "v")))
    assert array.dims == ("sample", "channel", *"xyz"[:dims])
    assert array.channel.values.tolist() == ["u", "v"]
    assert "time_value" not in array.coords


def test_experiment_is_labeled_by_the_schema():
    ds = build(
        {
            "train_loss": np.ones((2, 3), np.float32),
            "mean_fourier_nRMSE_0_5_0": np.ones((2, 6), np.float32),
            "fourier_nRMSE_0_5_0": np.ones((2, 4, 6), np.float32),
            "train_seconds": 1.5,
            "num_parameters": 7,
            "diverged_at": [-1, 200],
        }
    )
    validate(ds)
    assert ds.mean_fourier_nRMSE_0_5_0.attrs["config"] == "mean_fourier_nRMSE;0;5;0"
    assert ds.fourier_nRMSE_0_5_0.dims == ("seed", "test_sample", "time")
    assert ds.train_loss.dtype == np.float32
    assert ds.diverged_at.dtype == np.int64
    assert ds.time.values.tolist() == [1, 2, 3, 4, 5, 6]
    assert ds.sel(seed=4).diverged_at == 200
    assert ds.net.dtype == object
    assert ds.net.item() == CONFIG["net"]
    assert ds.attrs["schema_version"] == 1
    assert ds.attrs["device"] == "cpu"


def test_double_precision_is_kept():
    assert build({"train_loss": np.ones((2, 3))}).train_loss.dtype == np.float64


def test_callbacks_have_their_own_steps():
    ds = build({}, records=[Recorded("weight_norm", [0, 5], np.ones((2, 2)))])
    validate(ds)
    assert ds.weight_norm.dims == ("seed", "update_step_weight_norm")
    assert ds.update_step_weight_norm.values.tolist() == [0, 5]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"train_loss": np.ones((2, 4))}, r"train_loss: expected shape \(seed: 2, update_step: 3"),
        ({"train_loss": np.ones(3)}, r"got \(3,\)"),
        ({"train_los": np.ones((2, 3))}, "did you mean 'train_loss'"),
        (
            {
                "mean_fourier_nRMSE_0_5_0": np.ones((2, 6)),
                "fourier_nRMSE_0_5_0": np.ones((2, 4, 5)),
            },
            "fourier_nRMSE_0_5_0: expected shape .*time: 6",
        ),
        ({"initial_state": np.ones((1, 1, 9))}, "initial_state: .*x: 8"),
    ],
)
def test_wrong_shapes_name_the_variable(arrays, words):
    with pytest.raises(SchemaError, match=words):
        build(arrays)


def test_wrong_labels():
    with pytest.raises(SchemaError, match="config"):
        build({}, config={"scenario": "a"})
    with pytest.raises(SchemaError, match="flat list"):
        build({}, attrs={"a": {"b": 1}})
    with pytest.raises(SchemaError, match="2 channels"):
        states(np.zeros((1, 1, 4)), Axes(1, 4, channel_names=("u", "v")))
    with pytest.raises(ShapeError):
        Axes(4, 8)
