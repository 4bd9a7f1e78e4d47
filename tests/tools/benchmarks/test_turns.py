"""Ways are timed in turn and compared by medians."""

import pytest

from tools.benchmarks import turns

SECONDS = {"ours": [1.0, 2.0, 3.0], "theirs": [3.0, 4.0, 30.0]}


def test_ways_are_called_in_turn_after_a_warm_up():
    called = []
    found = turns.take(
        {"a": lambda: called.append("a"), "b": lambda: called.append("b")}, 2
    )
    assert called == ["a", "b"] * 3
    assert [len(found[name]) for name in "ab"] == [2, 2]


def test_a_way_that_times_itself_is_believed():
    assert turns.take({"a": lambda: 5.0}, 2) == {"a": [5.0, 5.0]}


def test_the_ratio_is_of_medians_and_its_spread_of_rounds():
    assert turns.Goal("ours", "theirs", 2).ratio(SECONDS) == (2, 2, 10)
    assert turns.Goal("ours", "theirs", 2, "time").ratio(SECONDS) == (0.5, 0.1, 0.5)


@pytest.mark.parametrize(
    ("bound", "of", "is_met"),
    [
        (2, "rate", True),
        (2.1, "rate", False),
        (0.5, "time", True),
        (0.4, "time", False),
    ],
)
def test_a_goal_is_a_least_rate_or_a_greatest_time(bound, of, is_met):
    assert turns.Goal("ours", "theirs", bound, of).is_met(SECONDS) == is_met


def test_a_report_is_a_table_that_says_what_is_missed(capsys):
    goals = [turns.Goal("ours", "theirs", 2), turns.Goal("ours", "theirs", 3)]
    assert not turns.report("Work", SECONDS, 8, "images", goals)
    said = capsys.readouterr().out
    assert "| Work, median of 3 [range] | images/s |" in said
    assert "| ours | 4 [2.667, 8] |" in said
    assert "| rate of ours over theirs | **2** [2, 10] | at least 2 |" in said
    assert "at least 3, **missed** |" in said
