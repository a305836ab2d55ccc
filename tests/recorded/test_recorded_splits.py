"""Splits by hand: what is drawn, that it is nested, and what is refused."""

import numpy as np
import pytest

import apexr
from apexr.errors import SpecError
from apexr.scenarios.recorded._split import listed, make_split

PARTS = [None] * 50


def split(config, seed=0, parts=PARTS, usual=None):
    return make_split(config, seed, parts, usual)


@pytest.mark.parametrize(
    ("config", "sizes"),
    [
        ("0.8;0.1;0.1", (40, 5, 5)),
        ("0.9;0.1", (45, 0, 5)),
        ("0.5;0.1;0.1", (25, 5, 5)),
        ("30;2;8", (30, 2, 8)),
        ("30;8", (30, 0, 8)),
        ("last;0.1", (45, 0, 5)),
        ("last;10;5", (35, 5, 10)),
        ("first;0.1", (45, 0, 5)),
        ("auto", (40, 5, 5)),
    ],
)
def test_sizes(config, sizes):
    held = split(config)
    assert (len(held.train), len(held.valid), len(held.test)) == sizes
    every = [*held.train, *held.valid, *held.test]
    assert len(set(every)) == len(every)
    assert set(every) <= set(range(50))


def test_ends_are_in_the_order_of_the_files():
    assert split("last;5;3").test == tuple(range(45, 50))
    assert split("last;5;3").valid == tuple(range(42, 45))
    assert split("first;5;3").test == tuple(range(5))
    assert split("first;5;3").valid == tuple(range(5, 8))


def test_what_is_drawn_depends_on_the_seed_alone_and_is_nested():
    large, small = split("40;5;5", 3), split("10;5;5", 3)
    assert large.train[:10] == small.train
    assert (large.valid, large.test) == (small.valid, small.test)
    assert split("40;5;5", 4).test != large.test
    assert split("40;5;5", 3) == large


def test_the_draw_is_fair():
    counts = np.zeros(50)
    for seed in range(400):
        counts[list(split("40;5;5", seed).test)] += 1
    assert abs(counts.mean() - 40) < 1e-9
    assert counts.std() < 3 * np.sqrt(40 * 0.9)
    assert counts.min() > 10


def test_what_the_files_say():
    parts = ["train"] * 4 + ["test"] * 2 + ["valid"]
    assert split("auto", parts=parts).config == "file"
    held = split("file", parts=parts)
    assert (held.train, held.valid, held.test) == ((0, 1, 2, 3), (6,), (4, 5))
    without = split("file", parts=["train", "train", "valid"])
    assert (without.valid, without.test) == ((), (2,))
    with pytest.raises(SpecError, match="no trajectories for testing"):
        split("file", parts=["train", "train"])
    assert split("auto", parts=["train"] * 10).config == "0.8;0.1;0.1"
    assert split("auto", usual="first;0.1").config == "first;0.1"


def test_two_trajectories_are_one_for_each():
    held = split("auto", parts=[None] * 2)
    assert (len(held.train), len(held.valid), len(held.test)) == (1, 0, 1)


@pytest.mark.parametrize(
    "config",
    ["half", "0.8", "1;2;3;4", "-1;2", "nan;0.5", "last", "last;1;2;3", "", "0.9;0.2", "inf;1"],
)
def test_what_means_nothing(config):
    with pytest.raises(SpecError, match="split"):
        split(config)


@pytest.mark.parametrize("config", ["49;1;1", "last;50", "first;25;25", "0;5", "5;0", "1000;1"])
def test_too_few_trajectories(config):
    with pytest.raises(SpecError, match=r"trajector"):
        split(config)


def test_a_single_trajectory_cannot_be_split():
    with pytest.raises(SpecError, match="needs at least 2 trajectories and there are 1"):
        apexr.Recorded(np.zeros((1, 5, 16)), dims=("sample", "time", "x"))


def test_runs_are_written_by_their_ends():
    assert listed([5, 0, 1, 2, 9, 4]) == "0-2,4-5,9"
    assert listed([]) == ""
