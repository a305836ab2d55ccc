"""What is said of a study before it starts: counts, memory, time; what cannot fit is refused."""

import time

import pytest

import apexr
from _tiny import NET, SIZES
from apexr.errors import SpecError
from apexr.study import plan_study, preview
from apexr.study._estimate import Estimate, least_bytes
from apexr.study._work import Spent, pending_work

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
    # two seeds are there, four are not; compiling takes as long for them
    taken = float((2 * held.train_seconds + held.compile_seconds).sum())
    assert taken < said.seconds < taken + 2  # data, tests and writing are not in the results
    shared = preview(more, store, workers=2).seconds
    assert said.seconds / 2 <= shared < said.seconds
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


def spent_by_law(one, fixed=2e-4, slope=3e-10):
    """Return what an experiment takes on a made-up machine."""
    return Spent(2.0, one.updates * (fixed + slope * one.operations), 0.5)


def of_sizes(*sizes, **common):
    return plan_study([{**BASE, **common, "num_points": size} for size in sizes])


def test_equal_shapes_take_equally_long():
    one, same = plan_study([BASE, {**BASE, "train_seed": 5}])
    estimate = Estimate()
    assert estimate.left([one]) is None
    estimate.note(one, Spent(4.0, 8.0, 1.0))
    assert 8 < estimate.left([same]) < 9  # compiled already, and the data are there
    estimate.note(same, Spent(0.0, 8.0, 0.5))
    assert estimate.left([same]) == pytest.approx(8.5)
    assert estimate.left([same, one], workers=2) == pytest.approx(8.5)
    assert estimate.left([]) == 0


def test_every_new_shape_is_compiled_once():
    long = {"optim_config": "adam;100_000;constant;1e-3"}
    measured, *others = of_sizes(16, 20, 24, **long)
    estimate = Estimate()
    estimate.note(measured, Spent(5.0, 1e-3, 0.0))
    assert estimate.left(others) == pytest.approx(10, abs=1.2)


@pytest.mark.parametrize("first", [(16,), (16, 64), (16, 64, 256)])
def test_the_forecast_follows_what_an_update_takes(first):
    """On a machine with a law of its own; from one size alone the guess of its form counts."""
    sizes = (16, 64, 256, 1024)
    planned = of_sizes(*sizes, net="Conv;26;10;relu", optim_config="adam;10_000;constant;1e-3")
    estimate = Estimate()
    for one in planned:
        if one.scenario.num_points in first:
            estimate.note(one, spent_by_law(one))
    others = [one for one in planned if one.scenario.num_points not in first]
    truth = sum(spent_by_law(one).training + 2.5 for one in others)
    within = 2.0 if len(first) == 1 else 1.15
    assert truth / within < estimate.left(others) < truth * within


def test_small_experiments_do_not_make_a_large_network_a_matter_of_hours():
    """Weights times points would say so: a Fourier layer has many weights that few numbers meet."""
    small, large = plan_study([BASE, {**BASE, "net": "FNO;12;8;4;gelu", "num_points": 160}])
    estimate = Estimate()
    estimate.note(small, Spent(3.0, 6 * 5e-4, 1.0))
    assert 1 < estimate.left([large]) < 20


def test_kinds_of_networks_have_their_own_speed():
    base = {**BASE, "optim_config": "adam;10_000;constant;1e-3"}
    nets = ["Conv;8;3;relu", "FNO;8;8;2;gelu", "Conv;16;3;relu", "FNO;8;16;2;gelu"]
    planned = plan_study({**base, "net": nets})
    by_name = dict(zip(nets, planned, strict=True))
    estimate = Estimate()
    for net, slower in (("Conv;8;3;relu", 1), ("FNO;8;8;2;gelu", 10)):
        one = by_name[net]
        estimate.note(one, Spent(0.0, slower * spent_by_law(one).training, 0.0))
    ratio = estimate.left([by_name["FNO;8;16;2;gelu"]]) / estimate.left([by_name["Conv;16;3;relu"]])
    assert ratio > 4


def test_missing_seeds_take_their_part_of_the_time():
    (one,) = plan_study([{**BASE, "num_seeds": 4}])
    estimate = Estimate({one.id: 0.5})
    estimate.note(one, Spent(1.0, 3.0, 0.25))
    assert 3 < estimate.left([one]) < 3.25


def test_one_of_each_of_a_few_shapes_comes_first():
    sizes = [16, 16, 16, 20, 20, 20, 24, 24]
    study = [{**BASE, "num_points": size, "train_seed": place} for place, size in enumerate(sizes)]
    pending = pending_work(plan_study(study), {}, overwrite=False)
    order = [one.scenario.num_points for one, _ in pending]
    assert order == [16, 20, 24, 16, 16, 20, 20, 24]
    assert len({one.id for one, _ in pending}) == len(sizes)
