"""Memory is measured where nothing else was done before."""

import numpy as np
import pytest

from tools.benchmarks import memory

MANY = 50_000_000


WORK = """
import time
import numpy as np

def filling(size):
    def work():
        held = np.ones(size, np.uint8)
        # as long as it takes to be seen
        time.sleep(0.1)
        return int(held[-1])
    return work

def looking(path):
    mapped = np.load(path, mmap_mode="r")
    return lambda: int(mapped.max())
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "worked.py").write_text(WORK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_what_work_needs_is_seen_beyond_what_was_there(folder):
    used = memory.apart("worked:filling", MANY)
    assert used.returned == 1
    assert 0.9 * MANY < used.grown < 2 * MANY
    # the kernel keeps the peak a little behind
    assert used.peak >= 0.99 * used.resident
    assert used.resident >= used.own
    assert used.seconds > 0


def test_a_process_of_its_own_has_a_peak_of_its_own(folder):
    held = np.ones(4 * MANY, np.uint8)
    used = memory.apart("worked:filling", MANY)
    assert MANY < used.peak < held.nbytes
    assert used.returned == 1


def test_pages_of_a_mapped_file_are_not_its_own(folder):
    np.save(folder / "x.npy", np.ones(MANY, np.uint8))
    used = memory.apart("worked:looking", str(folder / "x.npy"))
    assert used.resident > used.own + MANY / 2
    assert used.grown < MANY / 2


def test_a_process_that_fails_is_an_error():
    with pytest.raises(RuntimeError, match=r"operator:truediv\(1, 0\) failed"):
        memory.apart("operator:truediv", 1, 0)
