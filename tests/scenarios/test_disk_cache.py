"""Reference data that took much work are kept on disk, checked, and never wrong."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

import apexr
from apexr.experiment import _data, disk_cache
from apexr.experiment._kept import Kept
from apexr.initial import INITIAL_CONDITIONS, initial_condition

SMALL = {
    "num_points": 16,
    "num_train_samples": 3,
    "num_test_samples": 2,
    "train_temporal_horizon": 4,
    "test_temporal_horizon": 5,
}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Keep everything, in a folder of the test's own; return how often data were simulated."""
    made = []
    simulated = _data.simulated

    def count(*arguments):
        made.append(arguments)
        return simulated(*arguments)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(disk_cache.LIMIT, "1GB")
    monkeypatch.setattr(_data, "LITTLE", 0)
    monkeypatch.setattr(_data, "_KEPT", Kept(0, int))  # nothing in memory
    monkeypatch.setattr(_data, "simulated", count)
    return made


def burgers(**changes):
    return apexr.difficulty.Burgers(**{**SMALL, **changes})


def test_data_are_made_once(cache):
    first = burgers().get_test_data()
    again = burgers().get_test_data()
    assert len(cache) == 1
    np.testing.assert_array_equal(first, again)
    assert not list(disk_cache.folder().glob("*.tmp"))


@pytest.mark.parametrize(
    "changes",
    [
        {"test_seed": 5},
        {"num_points": 18},
        {"convection_delta": -2.0},
        {"numerics": "exact"},
        {"num_warmup_steps": 1},
        {"ic_config": "fourier;3;true;true"},
    ],
    ids=str,
)
def test_what_data_depend_on_is_told_apart(cache, changes):
    fields = {field.name for field in dataclasses.fields(apexr.difficulty.Burgers)}
    assert set(changes) <= fields
    plain = burgers().get_test_data()
    other = burgers(**changes).get_test_data()
    assert len(cache) == 2
    assert plain.shape != other.shape or not np.array_equal(plain, other)


def test_what_data_do_not_depend_on_is_not(cache):
    burgers().get_test_data()
    burgers(batch_size=7, optim_config="sgd;500;constant;1e-3").get_test_data()
    assert len(cache) == 1


def test_a_single_wrong_byte_is_noticed(cache, caplog):
    right = burgers().get_test_data()
    (entry,) = disk_cache.entries()
    whole = entry.path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 40)):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        entry.path.write_bytes(bytes(damaged))
        np.testing.assert_array_equal(burgers().get_test_data(), right)
    entry.path.write_bytes(whole[:100])
    np.testing.assert_array_equal(burgers().get_test_data(), right)
    assert "made again" in caplog.text


def test_data_of_a_users_code_are_not_kept(cache):
    class Mine(apexr.difficulty.Burgers):
        pass

    for _ in range(2):
        Mine(**SMALL).get_test_data()
    assert len(cache) == 2
    assert disk_cache.entries() == []


def test_an_initial_condition_of_a_users_is_not_kept(cache):
    @initial_condition("mine_of_the_cache")
    class Mine(type(INITIAL_CONDITIONS.parse("fourier;3;true;true"))):
        """mine_of_the_cache;CUTOFF - a test."""

    try:
        for _ in range(2):
            burgers(ic_config="mine_of_the_cache;3;true;true").get_test_data()
    finally:
        INITIAL_CONDITIONS.registry.unregister("mine_of_the_cache")
    assert len(cache) == 2


def test_the_cache_stays_below_its_limit(cache, monkeypatch):
    burgers().get_test_data()
    one = disk_cache.size()
    monkeypatch.setenv(disk_cache.LIMIT, str(int(2.5 * one)))
    for seed in range(5):
        burgers(test_seed=seed + 10).get_test_data()
        assert disk_cache.size() <= 2.5 * one
    assert len(disk_cache.entries()) == 2
    monkeypatch.setenv(disk_cache.LIMIT, "10")
    burgers(test_seed=99).get_test_data()  # larger than the cache: not kept
    assert len(disk_cache.entries()) == 2


def test_it_can_be_switched_off(cache, monkeypatch):
    monkeypatch.setenv(disk_cache.LIMIT, "0")
    burgers().get_test_data()
    assert not disk_cache.folder().exists()
    monkeypatch.setenv(disk_cache.LIMIT, "much")
    with pytest.raises(apexr.errors.SpecError, match="APEXR_DATA_CACHE"):
        burgers().get_test_data()


def test_clearing_leaves_the_files_of_others(cache):
    burgers().get_test_data()
    other = disk_cache.folder() / "notes.npz"
    other.write_bytes(b"mine")
    assert disk_cache.clear() > 0
    assert disk_cache.entries() == []
    assert other.read_bytes() == b"mine"


def test_a_folder_that_cannot_be_made_only_costs_time(cache, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    for _ in range(2):
        burgers().get_test_data()
    assert len(cache) == 2


def test_processes_that_want_the_same_make_it_once(tmp_path):
    code = (
        "from apexr.experiment import _data; _data.LITTLE = 0; import apexr, logging;"
        "logging.basicConfig(level=logging.INFO);"
        f"apexr.difficulty.Burgers(**{SMALL!r}).get_test_data()"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), disk_cache.LIMIT: "1GB"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [process.communicate()[1] for process in processes]
    assert sorted("are kept in" in text for text in told) == [False, True]
    assert sorted("reference data come from" in text for text in told) == [False, True]
