"""A way takes its turns in a process of its own, under an environment of its own."""

import pytest

from tools.benchmarks import elsewhere

MADE_THERE = """
import os


def from_environment(factor):
    def way():
        print("not an answer")
        return factor * float(os.environ["OF_A_TEST"])

    return way


def breaking():
    raise SystemExit(3)
"""


@pytest.fixture
def environment(tmp_path):
    (tmp_path / "made_there.py").write_text(MADE_THERE, "utf-8")
    return {"OF_A_TEST": "4", "PYTHONPATH": str(tmp_path)}


def test_it_answers_each_call_and_then_ends(environment):
    made_by = "made_there:from_environment"
    with elsewhere.Elsewhere(made_by, [2.0], environment) as way:
        assert [way(), way()] == [8.0, 8.0]
    assert way.exit_code == 0


def test_a_process_that_ended_is_said(environment):
    with (
        elsewhere.Elsewhere("made_there:breaking", [], environment) as way,
        pytest.raises(RuntimeError, match="made_there:breaking ended"),
    ):
        way()
