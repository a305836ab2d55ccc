"""Whatever fits the schema comes back identical: any numbers, any text, any plain attribute."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from apexr import store
from apexr.schema import CONFIG_COORDS, validate
from apexr.testing import mock_experiment

pytestmark = pytest.mark.acceptance

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
awkward = st.sampled_from(["", "a/b", "..", "\0", "x" * 300, "é", "e\u0301", "🙂", "\u202eabc"])
attributes = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
    text
    | awkward
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.lists(st.integers(-9, 9), min_size=2, max_size=3),
    max_size=3,
)


@st.composite
def datasets(draw):
    """Draw a Dataset of the schema: its sizes, the values of every variable, labels, attributes."""
    ds = mock_experiment(
        num_spatial_dims=draw(st.integers(1, 3)),
        num_points=draw(st.integers(2, 4)),
        num_channels=draw(st.integers(1, 3)),
        num_times=draw(st.integers(1, 3)),
        num_losses=draw(st.integers(1, 3)),
        num_test_samples=draw(st.integers(1, 3)),
        seeds=tuple(draw(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3, unique=True))),
        metrics=draw(st.sampled_from([("mean_nRMSE",), ("mean_fourier_MSE;0;5;0", "mean_MAE")])),
        dt=draw(st.sampled_from([None, 0.1])),
    )
    double = draw(st.booleans())
    ds = ds.assign({n: drawn(draw, array, double) for n, array in ds.data_vars.items()})
    if draw(st.booleans()):
        steps = draw(st.integers(1, 3))
        ds = with_callback(ds, steps, draw(st.booleans()))
    labels = {name: draw(text | awkward) for name in CONFIG_COORDS}
    coords = {n: xr.Variable((), np.array(v, object), ds[n].attrs) for n, v in labels.items()}
    names = draw(st.lists(text, min_size=ds.sizes["channel"], max_size=3, unique=True))
    if len(names) == ds.sizes["channel"]:
        coords["channel"] = ("channel", np.array(names, object), ds["channel"].attrs)
    return ds.assign_coords(coords).assign_attrs(draw(attributes) | ds.attrs)


def drawn(draw, array, double):
    """Return a variable with other values of its kind."""
    kind = array.dtype.kind
    width = 64 if double else 32
    if kind == "f":
        values = st_numpy.arrays(
            np.dtype(f"f{width // 8}"), array.shape, elements=st.floats(width=width)
        )
    else:
        values = st_numpy.arrays(np.int64, array.shape, elements=st.integers(-1, 2**53))
    return array.copy(data=draw(values))


def with_callback(ds, steps, with_mode):
    """Return a result in which a callback has recorded something."""
    dims, shape = ["seed", "update_step_norm"], [ds.sizes["seed"], steps]
    record = xr.DataArray(np.random.default_rng(0).normal(size=shape), dims=dims)
    coords = {"update_step_norm": np.arange(steps) * 7}
    if with_mode:
        record = record.expand_dims(mode=2, axis=2)
        coords["mode"] = np.arange(2)
    return ds.assign(weight_norm=record).assign_coords(coords)


def check_round_trip(folder, ds):
    """Store a result alone and in a study, where other codecs are used."""
    study = folder / "study.zarr"
    store.create_study(study)
    for path in (folder / "a.zarr", store.unit_path(study, "a" * 32)):
        check_unit(store.publish_experiment(ds, {}, path, overwrite=True), ds)


def check_unit(unit, ds):
    read = store.open_experiment(unit).load()
    xr.testing.assert_identical(read, ds)
    for name, array in ds.variables.items():
        assert read[name].dtype == array.dtype
        if array.dtype.kind in "fi":
            assert read[name].values.tobytes() == np.ascontiguousarray(array.values).tobytes()
    store.verify(unit)


def is_result(ds):
    try:
        validate(ds)
    except ValueError:
        return False
    return True


anything = datasets().filter(is_result)
without_deadline = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(without_deadline, max_examples=15)
@given(ds=anything)
def test_any_result_comes_back(tmp_path_factory, ds):
    check_round_trip(tmp_path_factory.mktemp("unit"), ds)


@pytest.mark.slow
@settings(without_deadline, max_examples=1000)
@given(ds=anything)
def test_a_thousand_results_come_back(tmp_path_factory, ds):
    check_round_trip(tmp_path_factory.mktemp("unit"), ds)
