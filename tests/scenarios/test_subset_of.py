"""Training sets that are nested: the first trajectories of a larger drawn set."""

import numpy as np
import pytest

import apexr
from apexr.errors import SpecError
from apexr.scenarios import difficulty

TINY = {"num_points": 16, "train_temporal_horizon": 3, "num_test_samples": 2}


def test_the_first_of_a_drawn_set_are_used():
    whole = difficulty.Burgers(num_train_samples=6, **TINY).get_train_data()
    part = difficulty.Burgers(num_train_samples=2, subset_of=6, **TINY).get_train_data()
    np.testing.assert_array_equal(part, whole[:2])


def test_data_of_a_method_of_the_users_are_drawn_whole_and_cut():
    asked = []

    class Own(difficulty.Burgers):
        def produce_data(self, *, num_samples, temporal_horizon, **_):
            asked.append(num_samples)
            field = np.zeros((num_samples, temporal_horizon + 1, 1, 16))
            return field + np.arange(num_samples)[:, None, None, None]

    data = Own(num_train_samples=2, subset_of=5, **TINY).get_train_data()
    assert asked == [5]
    assert data[:, 0, 0, 0].values.tolist() == [0, 1]


def test_a_subset_is_not_larger_than_what_it_is_taken_of():
    with pytest.raises(SpecError, match="subset_of must be at least num_train_samples"):
        difficulty.Burgers(num_train_samples=7, subset_of=6, **TINY)
    with pytest.raises(SpecError, match="subset_of"):
        difficulty.Burgers(subset_of=-1)


def test_it_is_part_of_an_experiment_only_where_it_is_used():
    usual = difficulty.Burgers(**TINY)
    assert "subset_of" not in usual.identifying_parameters
    assert "subset_of" not in usual.changed_parameters
    subset = difficulty.Burgers(subset_of=60, **TINY)
    assert subset.identifying_parameters["subset_of"] == 60
    exact = difficulty.Burgers(numerics="exact", **TINY)
    assert "subset_of" not in exact.identifying_parameters


def test_results_say_what_a_training_cost():
    sizes = {**TINY, "num_train_samples": 3, "subset_of": 4, "batch_size": 5}
    result = apexr.run(
        "diff_burgers",
        net="Conv;4;1;relu",
        train="sup;2",
        progress=False,
        optim_config="adam;7;constant;1e-3",
        record_loss_every=7,
        **sizes,
    )
    assert result.num_train_samples.item() == 3
    weights, points, states = result.num_parameters.item(), 16, 5 * 2
    expected = 3 * 7 * states * 2 * weights * points
    assert 0.5 < result.train_flops.item() / expected < 2
