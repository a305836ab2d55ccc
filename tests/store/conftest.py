"""What a hostile store may take."""

import time

import pytest

from _tiny import forget_peak, peak_memory

MEMORY = 200 * 2**20


@pytest.fixture
def bounded_memory(record_property):
    """Fail if the process of a test grows by 200 MB at any moment."""
    before = forget_peak()
    yield
    grown = peak_memory() - before
    record_property("memory", grown)
    assert grown < MEMORY


@pytest.fixture
def bounded(bounded_memory):
    """Fail if a test takes a second of work, or 200 MB."""
    start = time.process_time()
    yield
    assert time.process_time() - start < 1
