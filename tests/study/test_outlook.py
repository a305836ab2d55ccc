"""What is said of a study before it starts: counts, memory, time; what cannot fit is refused."""

import time

import pytest

import apexr
from _tiny import NET, SIZES
from apexr.errors import SpecError
from apexr.study import plan_study, preview
from apexr.study._estimate import Estimate, least_bytes

BASE = {"scenario": "diff_adv", "net": NET, **SIZES}


@pytest.mark.usefixtures("no_training")
def test_nothing_is_known_of_the_time_of_a_new_study(tmp_path):
    planned = plan_study({**BASE, "net": [NET, "Conv;3;1;tanh"], "train_seed": [0, 1]})
    said = preview(planned, tmp_path / "study.zarr")
    assert (said.experiments, said.pending, said.shapes, said.seconds) == (4, 4, 2, None)
    assert "4 experiments, 0 finished, 4 to run\n2 shapes, each compiled once" in str(said)
    assert "time: unknown, nothing of this study has been measured yet" in str(said)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("no_training")
def test_time_follows_what_is_finished(configs, store):
    planned = plan_study(configs)
    assert str(preview(planned, store)) == "2 experiments, 2 finished, 0 to run"
    more = plan_study([{**config, "num_seeds": 6} for config in configs])
    said = preview(more, store)
    assert said.pending == 2
    held = apexr.open_study(store)
    taken = float((held.train_seconds + held.compile_seconds).sum())
    assert said.seconds == pytest.approx(2 * taken, rel=1e-3)  # two seeds are there, four are not
    assert preview(more, store, workers=2).seconds == pytest.approx(said.seconds / 2)
    assert "time: about 0" in str(said)


def test_memory_is_counted_by_shapes():
    (one,) = plan_study([{**BASE, "num_seeds": 2}])
    values = 3 * 5 * 16 * 2 + 2 * 3 * 6 * 16  # training twice, tests twice
    weights = 2 * apexr.difficulty.Advection(**SIZES).get_parameter_count(NET)
    assert least_bytes(one) == 4 * (values + 3 * weights)


@pytest.mark.usefixtures("no_training")
def test_huge_sizes_are_refused_before_anything_is_made(tmp_path):
    huge = {**BASE, "num_spatial_dims": 2, "num_points": [16, 10**6, 2 * 10**6]}
    begun = time.process_time()
    with pytest.raises(SpecError) as caught:
        apexr.run_study(huge, tmp_path / "study.zarr", progress=False)
    assert time.process_time() - begun < 1
    said = str(caught.value)
    assert said.startswith("2 of 3 experiments cannot fit into the memory of")
    assert 'num_points": 1000000' in said
    with pytest.raises(SpecError, match="2 of 3 experiments cannot fit"):
        preview(plan_study(huge), tmp_path / "study.zarr")
    assert not list(tmp_path.iterdir())


def test_estimates_from_shapes_and_from_work():
    small, same, large = plan_study([BASE, {**BASE, "train_seed": 5}, {**BASE, "num_points": 32}])
    estimate = Estimate()
    assert estimate.left([small]) is None
    estimate.note(small, 8.0)
    assert estimate.left([same]) == 8.0
    assert estimate.left([same, large]) == pytest.approx(8 + 16)


def test_missing_seeds_take_their_part_of_the_time():
    (one,) = plan_study([{**BASE, "num_seeds": 4}])
    estimate = Estimate(shares={one.id: 0.5})
    estimate.note(one, 3.0)
    assert estimate.left([one]) == 3.0
    assert estimate.seconds == {one.shape: 6.0}
