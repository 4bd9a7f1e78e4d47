"""Figures stand beside their goals."""

import math

import pytest

from tools import parts
from tools.benchmarks import tables


@pytest.mark.parametrize(
    ("value", "bounds", "goal"),
    [
        (2.0, {"most": 2.0}, "at most 2.0 s"),
        (2.1, {"most": 2.0}, f"at most 2.0 s, {parts.MISSED}"),
        (2.0, {"least": 2.0}, "at least 2.0 s"),
        (1.9, {"least": 2.0}, f"at least 2.0 s, {parts.MISSED}"),
        (math.nan, {"most": 2.0}, f"at most 2.0 s, {parts.MISSED}"),
        (5.0, {}, ""),
    ],
)
def test_a_figure_says_its_goal_and_whether_it_missed_it(value, bounds, goal):
    figure = tables.Figure("work", value, "{:.1f} s", **bounds)
    assert figure.goal == goal
    assert figure.is_met == (parts.MISSED not in goal)


def test_a_report_is_a_table_and_a_verdict(capsys):
    rows = [tables.Figure("a", 1.0), tables.Figure("b", 2.0, most=3)]
    assert tables.report("Work", rows)
    assert capsys.readouterr().out.splitlines() == [
        "| Work |  | goal |",
        "| --- | --- | --- |",
        "| a | 1 |  |",
        "| b | 2 | at most 3 |",
        "",
    ]
    assert not tables.report("Work", [*rows, tables.Figure("c", 2.0, least=3)])


def test_numbers_have_four_digits_and_no_exponent():
    said = [tables.number(value) for value in (0.123456, 4, 99.126, 47_260.4)]
    assert said == ["0.1235", "4", "99.13", "47,260"]
