"""Shared by all tests."""

import os
import signal
from pathlib import Path

import pytest

from _shapes import check_annotated_shapes

# Before JAX starts: every core is a device, as in the command line and in `apexr.run`.
os.environ.setdefault("JAX_NUM_CPU_DEVICES", str(len(os.sched_getaffinity(0))))
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("JAX_ENABLE_COMPILATION_CACHE", "false")  # tests leave nothing behind
os.environ.setdefault("APEXR_DATA_CACHE", "0")  # likewise
# The suite compiles hundreds of small programs and runs each a few times: compile fast.
# `JAX_DISABLE_MOST_OPTIMIZATIONS=false` compiles as users do: see `test-as-users` in the Makefile.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background by a script
    signal.signal(signal.SIGINT, signal.default_int_handler)

if os.environ.get("APEXR_CHECK_SHAPES"):
    check_annotated_shapes()

LONG = (
    "study/test_dask.py",
    "study/test_learning_grid.py",
    "contracts/test_network_contract.py",
    "cli/test_cli_workers.py",
    "dashboard/test_in_browser.py",
    "run/test_interrupted_runs.py",
    "store/test_index.py",
    "study/test_many_shapes.py",
    "store/test_object_stores.py",
    "study/test_two_processes.py",
    "study/test_run_study.py",
    "parity/test_training.py",
)


def pytest_collection_modifyitems(items):
    """Begin with the files that take long: none is to run alone in the end."""
    rank = {Path(__file__).parent / name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture(autouse=True, scope="module")
def _free_compiled_programs():
    """Drop what a module compiled: a process may only hold so many mapped regions on a CPU."""
    yield
    import sys

    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


@pytest.fixture
def compiled():
    """The names of the programs that are compiled during the test, as they come."""
    import jax

    names = []

    def note(event, _, **more):
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(more["fun_name"])

    jax.clear_caches()
    jax.monitoring.register_event_duration_secs_listener(note)
    yield names
    jax.monitoring.unregister_event_duration_listener(note)


@pytest.fixture(autouse=True, scope="module")
def _own_answer_to_ctrl_c():
    """Put the answer to SIGINT back: servers and clusters of a module leave theirs behind."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True, scope="session")
def _no_waiting_for_the_disk():
    """Let nothing in this process wait until bytes are on the disk: some take 30 ms a file.

    What a loss of power leaves is modelled (``tests/store/_crash.py``), and processes that are
    killed are processes of their own.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield
