"""Growth is fitted rightly, and work is done in a process of its own at each size."""

import pytest

from tools import parts
from tools.benchmarks import growth, memory, tables

SIZES = [1, 2, 4, 8, 16]


def test_the_exponent_is_that_of_a_power():
    for power in (0.5, 1.0, 2.0):
        values = [3 * size**power for size in SIZES]
        assert growth.exponent(SIZES, values) == pytest.approx(power)


def _used(power, held):
    return [memory.Used(size**power, 1.0, 0, 100 + held * size, 0, 0) for size in SIZES]


@pytest.mark.parametrize(
    ("power", "held", "streams", "is_met"),
    [
        (1.05, 1, True, True),
        (1.2, 1, True, False),
        (1.0, 10, True, False),
        (1.0, 10, False, True),
    ],
)
def test_what_streams_has_to_be_flat_and_all_linear(power, held, streams, is_met):
    work = growth.Work("work", None, "", streams)
    rows = growth.figures_of(work, SIZES, _used(power, held))
    assert all(row.is_met for row in rows) == is_met
    assert any(parts.MISSED in row.goal for row in rows) == (not is_met)
    assert isinstance(rows[0], tables.Figure)


def test_work_is_made_and_done_at_each_size(tmp_path, monkeypatch):
    monkeypatch.setattr(growth, "CLASSES", 5)
    found = growth.measure(growth.WORKS["f2"], [1, 2], tmp_path)
    assert [0 < one.returned < 1 for one in found] == [True, True]
    assert list(tmp_path.iterdir()) == []


def test_a_carrier_brings_what_was_laid_out(tmp_path, monkeypatch):
    monkeypatch.setattr(growth, "PHOTOGRAPHS", 64)
    (used,) = growth.measure(growth.WORKS["indexed"], [1], tmp_path)
    assert used.returned == 64
