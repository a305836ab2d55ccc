"""Data for reuse: bounded in memory, and told apart by what they are made of alone."""

import dataclasses

import numpy as np
import pytest

import apexr
from _tiny import SIZES
from apexr.experiment import _data
from apexr.experiment._kept import Kept, a_part_of_memory


def array(size):
    return np.zeros(size, np.uint8)


def test_no_more_bytes_are_kept_than_allowed_and_the_last_asked_for_stay():
    kept = Kept(most=3, most_bytes=lambda: 100)
    first = kept.get("a", lambda: array(40))
    kept.get("b", lambda: array(40))
    assert kept.get("a", lambda: array(1)) is first
    kept.get("c", lambda: array(50))
    assert kept.nbytes == 90
    assert kept.get("a", lambda: array(1)) is first  # b has gone
    assert kept.get("b", lambda: array(7)).size == 7


def test_what_is_too_large_is_made_but_not_kept():
    kept = Kept(most=3, most_bytes=lambda: 100)
    assert kept.get("large", lambda: array(101)).size == 101
    assert len(kept) == 0
    assert kept.nbytes == 0


def test_a_number_of_arrays_is_never_passed():
    kept = Kept(most=2, most_bytes=lambda: 100)
    for name in "abcd":
        kept.get(name, lambda: array(1))
    assert len(kept) == 2


def test_the_bound_is_a_part_of_what_is_available():
    assert 0 < a_part_of_memory() < apexr._memory.available_memory()


class Reports(apexr.difficulty.Advection):
    num_trjs_returned: int = 2
    vlim: tuple = (-2.0, 2.0)
    notes: list = dataclasses.field(default_factory=lambda: ["a", "b"])
    callbacks: str = dataclasses.field(default_factory=str)
    report_metrics: str = "mean_nRMSE,mean_MAE"


@pytest.mark.parametrize("given", [{}, {"num_test_samples": 1, "num_trjs_returned": 1}])
def test_subclasses_may_have_other_defaults_of_what_is_reported(given):
    """With one test sample the class's own default of ``num_trjs_returned`` does not fit."""
    sizes = {**SIZES, **given}
    scenario = Reports(**sizes)
    plain = apexr.difficulty.Advection(**sizes)
    np.testing.assert_array_equal(scenario.get_train_data(), plain.get_train_data())
    np.testing.assert_array_equal(scenario.get_test_data(), plain.get_test_data())
    assert scenario.get_ref_sample_data().sizes["sample"] == scenario.num_trjs_returned


def test_such_a_subclass_is_trained_and_says_what_differs():
    ds, _ = Reports(**SIZES)(network_config="Conv;2;1;tanh", progress=False)
    assert ds.sizes["sample"] == 2
    assert {"mean_nRMSE", "mean_MAE"} <= set(ds.data_vars)
    assert "notes" not in ds.scenario_kwargs.item()
    ds, _ = Reports(**SIZES, notes=["c"])(network_config="Conv;2;1;tanh", progress=False)
    assert '"notes": ["c"]' in ds.scenario_kwargs.item()


def test_data_are_shared_by_equal_requests_whatever_is_reported():
    first = Reports(**SIZES)
    again = Reports(**{**SIZES, "num_trjs_returned": 3, "record_loss_every": 2}, callbacks="")
    held = _data.trajectories(first, "train", "reference")
    assert _data.trajectories(again, "train", "reference") is held


def test_a_default_may_be_a_list_and_is_no_ones_but_the_records_own():
    class Lists(apexr.difficulty.Advection):
        vlim: tuple[float, float] = [-2, 2]
        notes: list = ["a"]  # noqa: RUF012 - what is tested

    first, second = Lists(), Lists()
    assert first.vlim == (-2.0, 2.0)
    first.notes.append("b")
    assert second.notes == ["a"]
    assert second.changed_parameters == {}
    assert first.changed_parameters == {"notes": ["a", "b"]}


def test_parameters_that_are_no_plain_data_still_make_data():
    class Own(apexr.difficulty.Advection):
        keep: object = None

    scenario = Own(**SIZES, keep=lambda: 0)
    plain = apexr.difficulty.Advection(**SIZES)
    np.testing.assert_array_equal(scenario.get_train_data(), plain.get_train_data())
    with pytest.raises(apexr.errors.SpecError, match=r"keep of .*Own must be plain data.*lambda"):
        scenario(network_config="Conv;2;1;tanh", progress=False)
