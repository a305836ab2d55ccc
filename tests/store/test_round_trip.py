import warnings

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apexr import store
from apexr._files._durable import write_json
from apexr.schema import identifier, metric_identifiers
from apexr.store.unit._manifest import entries_below, make_manifest, result_labels
from apexr.testing import assert_valid, mock_experiment, no_compute

pytestmark = pytest.mark.quick

WEIGHTS = {
    "layers.0.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    ".blocks[1]/bias": np.array([1 + 2j], dtype=np.complex64),
    "scale": np.array(3),
}

results = st.builds(
    mock_experiment,
    net=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    num_spatial_dims=st.integers(1, 2),
    num_points=st.integers(2, 5),
    num_channels=st.integers(1, 2),
    num_times=st.integers(1, 3),
    num_losses=st.integers(1, 3),
    seeds=st.lists(st.integers(0, 2**32), min_size=1, max_size=3, unique=True).map(tuple),
    diverged=st.just((0,)),
    dt=st.sampled_from([None, 0.1]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(ds=results)
def test_write_and_read_are_inverse(tmp_path_factory, ds):
    unit = store.publish_experiment(ds, {}, tmp_path_factory.mktemp("unit") / "a.zarr")
    read = store.open_experiment(unit).load()
    xr.testing.assert_identical(read, ds)
    assert list(read.data_vars) == list(ds.data_vars)
    assert read.net.dtype == object
    store.verify(unit)


def test_metrics_stay_in_the_order_in_which_they_were_asked_for(tmp_path):
    metrics = ("mean_sMSE", "mean_nRMSE", "mean_MAE", "mean_fourier_MSE;0;5;0", "mean_H1_MSE")
    ds = mock_experiment(metrics=metrics)
    store.create_study(tmp_path)
    store.publish_experiment(ds, {}, store.unit_path(tmp_path, "0" * 32))
    study = store.open_study(tmp_path)
    wanted = [identifier(config) for config in metrics]
    assert metric_identifiers(study) == metric_identifiers(ds) == wanted
    assert list(study.data_vars) == list(ds.data_vars)
    assert "variable_order" not in study.attrs


def test_a_store_without_a_noted_order_is_read(tmp_path):
    ds = mock_experiment(metrics=("mean_nRMSE", "mean_MAE"))
    unit = store.publish_experiment(ds, {}, store.unit_path(tmp_path, "0" * 32))
    for meta in (unit / "data.zarr").rglob("zarr.json"):
        meta.write_text(meta.read_text().replace('"variable_order"', '"something_else"'))
    (unit / "manifest.json").unlink()
    write_json(
        store.place(unit / "manifest.json"),
        make_manifest(result_labels(ds), entries_below(store.place(unit))),
    )
    read = store.open_experiment(unit)
    assert next(iter(read.data_vars)) == "train_loss"
    assert set(read.data_vars) == set(ds.data_vars)


def test_any_zarr_reader_opens_it_quietly(tmp_path):
    ds = mock_experiment()
    unit = store.publish_experiment(ds, WEIGHTS, tmp_path / "a.zarr")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        xr.testing.assert_equal(xr.open_zarr(unit).load(), ds)
        assert "weights" in xr.open_datatree(unit, engine="zarr").children
        assert "weights" in dict(zarr.open_group(unit, mode="r").members())


def test_writing_is_quiet(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.publish_experiment(mock_experiment(), WEIGHTS, tmp_path / "a.zarr")


def test_weights_come_back_bit_for_bit(tmp_path):
    unit = store.publish_experiment(mock_experiment(), WEIGHTS, tmp_path / "a.zarr")
    read = store.read_weights(unit)
    assert set(read) == set(WEIGHTS)
    for name, values in WEIGHTS.items():
        assert read[name].dtype == values.dtype
        np.testing.assert_array_equal(read[name], values)


@pytest.mark.parametrize("name", ["", "../a", "a//b"])
def test_weight_names_are_no_paths(tmp_path, name):
    with pytest.raises(store.ConflictError.__base__, match="weights"):
        store.publish_experiment(mock_experiment(), {name: np.ones(1)}, tmp_path / "a.zarr")
    assert not list(tmp_path.iterdir())


def test_opening_reads_no_variable(tmp_path):
    unit = store.publish_experiment(mock_experiment(), {}, tmp_path / "a.zarr")
    with no_compute():
        ds = store.open_experiment(unit)
        assert_valid(ds)
        ds.mean_nRMSE.median("seed")
    assert ds.sample_rollout.chunks is not None


def test_seconds_stay_numbers(tmp_path):
    unit = store.publish_experiment(mock_experiment(), {}, tmp_path / "a.zarr")
    assert store.open_experiment(unit).train_seconds.dtype == np.float64


def test_chunks_are_compressed_and_checked(tmp_path):
    unit = store.publish_experiment(mock_experiment(), {}, tmp_path / "a.zarr")
    array = zarr.open_array(unit, path="train_loss", mode="r")
    assert [type(codec).__name__ for codec in array.compressors] == ["BloscCodec", "Crc32cCodec"]
    assert array.chunks == array.shape


def test_channel_names_come_back_as_text(tmp_path):
    ds = mock_experiment(num_channels=2)
    ds = ds.assign_coords(channel=np.array(["u", "vorticity"], dtype=object))
    unit = store.publish_experiment(ds, {}, tmp_path / "a.zarr")
    read = store.open_experiment(unit)
    xr.testing.assert_equal(read.load(), ds)
    assert read.channel.dtype == object
    assert isinstance(read.channel.values[0], str)
