import numpy as np
import pytest

from apexr.errors import SchemaError, SpecError
from apexr.schema import (
    COORDINATES,
    VARIABLES,
    chunk_shape,
    identifier,
    metric_identifiers,
    metric_names,
    trajectory_name,
    validate,
)
from apexr.testing import assert_valid, mock_experiment


@pytest.mark.parametrize(
    ("config", "name", "twin"),
    [
        ("mean_nRMSE", "mean_nRMSE", "nRMSE"),
        ("mean_fourier_nRMSE;0;5;0", "mean_fourier_nRMSE_0_5_0", "fourier_nRMSE_0_5_0"),
        ("mean_fourier_MSE;0;5;0.5", "mean_fourier_MSE_0_5_0p5", "fourier_MSE_0_5_0p5"),
        ("energy;-1", "energy_m1", "energy_m1_per_sample"),
    ],
)
def test_metric_names(config, name, twin):
    assert identifier(config) == name
    assert name.isidentifier()
    assert trajectory_name(config) == twin
    assert trajectory_name(name) == twin


def test_a_metric_called_like_the_errors_of_another():
    """The errors of each sample of mean_nRMSE are nRMSE, unless a metric has that name."""
    configs = ["mean_nRMSE", "nRMSE", "mean_MSE"]
    assert metric_names(configs) == {
        "mean_nRMSE": ("mean_nRMSE", "mean_nRMSE_per_sample"),
        "nRMSE": ("nRMSE", "nRMSE_per_sample"),
        "mean_MSE": ("mean_MSE", "MSE"),
    }
    ds = mock_experiment(metrics=configs)
    assert_valid(ds)
    assert metric_identifiers(ds) == configs
    for name in configs:
        assert ds[name].dims == ("seed", "time")
        twin = ds[metric_names(configs)[name][1]]
        np.testing.assert_allclose(twin.mean("test_sample"), ds[name], rtol=1e-6)


@pytest.mark.parametrize(
    ("configs", "message"),
    [
        (["a;1.0", "a;1p0"], "'a;1p0': it would be called 'a_1p0' in a result, as a;1.0"),
        (["mean_seed"], "called 'seed' in a result, as the variable seed of every result"),
        (["train_loss"], "as the variable train_loss of every result"),
    ],
)
def test_metrics_that_cannot_be_told_apart_in_a_result(configs, message):
    with pytest.raises(SpecError, match=message):
        metric_names(configs)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_mock_results_are_valid(dims):
    ds = mock_experiment(num_spatial_dims=dims, num_points=6, num_channels=2, num_samples=2)
    assert_valid(ds)
    assert metric_identifiers(ds) == ["mean_nRMSE"]


def test_every_declaration_is_used_by_a_mock_result():
    ds = mock_experiment(num_spatial_dims=3, num_points=4)
    validated = {"valid_loss", "valid_score", "selected_at", "stopped_at"}  # where it is asked for
    assert set(VARIABLES) - validated <= set(ds.data_vars)
    # in studies, in those of several grids, where callbacks record weights, where they validate
    elsewhere = {"experiment", "num_channels", "parameter", "valid_time"}
    assert set(COORDINATES) - elsewhere == set(ds.coords)


def test_validate_lists_all_problems():
    ds = mock_experiment()
    ds = ds.assign(
        train_los=ds.train_loss,
        diverged_at=ds.diverged_at.astype(float),
        train_seconds=ds.train_seconds.assign_attrs(units="h"),
        num_parameters=ds.num_parameters * ds.time,
    )
    ds = ds.drop_vars("x").assign_attrs(schema_version=99, nested={"a": 1})
    with pytest.raises(SchemaError) as caught:
        validate(ds)
    message = str(caught.value)
    for part in (
        "schema_version",
        "'train_los': not declared; did you mean 'train_loss'?",
        "'diverged_at': expected int, got float64",
        "'train_seconds': units are 's', got 'h'",
        "'num_parameters': expected dims",
        "dimension 'x': has no coordinate",
        "attrs['nested']",
    ):
        assert part in message


def test_time_starts_at_one():
    ds = mock_experiment()
    with pytest.raises(SchemaError, match="starts at step 1"):
        validate(ds.assign_coords(time=ds.time - 1))


def test_validate_is_lazy():
    from apexr.testing import no_compute

    with no_compute():
        validate(mock_experiment().chunk())


def test_chunks_hold_whole_states_and_stay_below_the_limit():
    dims = ("seed", "sample", "time", "channel", "x", "y")
    shape = (10, 1, 200, 2, 160, 160)
    chunks = chunk_shape(dims, shape, 4)
    assert chunks[3:] == shape[3:]
    assert np.prod(chunks) * 4 <= 16 * 2**20
    assert chunk_shape(("seed", "time"), (10, 200), 4) == (10, 200)
    assert chunk_shape(("seed",), (0,), 4) == (1,)
