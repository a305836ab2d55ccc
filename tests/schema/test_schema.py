import numpy as np
import pytest

from apexr.errors import SchemaError
from apexr.schema import (
    COORDINATES,
    VARIABLES,
    chunk_shape,
    identifier,
    metric_identifiers,
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


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_mock_results_are_valid(dims):
    ds = mock_experiment(num_spatial_dims=dims, num_points=6, num_channels=2, num_samples=2)
    assert_valid(ds)
    assert metric_identifiers(ds) == ["mean_nRMSE"]


def test_every_declaration_is_used_by_a_mock_result():
    ds = mock_experiment(num_spatial_dims=3, num_points=4)
    assert set(VARIABLES) <= set(ds.data_vars)
    elsewhere = {"experiment", "parameter"}  # in studies, and where callbacks record weights
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
