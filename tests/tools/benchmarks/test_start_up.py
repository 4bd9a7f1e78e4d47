"""The start-up benchmark finds the scripts and notices what is heavy."""

import pytest

from tools.benchmarks import start_up


def test_it_finds_the_scripts_and_not_what_runs_them():
    found = start_up.scripts()
    assert {"tools.score", "tools.evaluate"} <= set(found)
    assert "tools.command" not in found


def test_help_answers_without_tensorflow():
    _, heavy = start_up.help_of("tools.score", rounds=1)
    assert not heavy


def test_a_script_without_help_is_an_error():
    with pytest.raises(RuntimeError, match=r"tools.no_such"):
        start_up.help_of("tools.no_such", rounds=1)


def test_both_ways_are_timed_on_files_it_makes(tmp_path, monkeypatch):
    monkeypatch.setattr(start_up, "_STAGE_1_IMAGES", 5)
    submission, truth = start_up._make_files(tmp_path)
    found = start_up.score_against_pandas(submission, truth, rounds=1)
    assert set(found) == {start_up.OURS, start_up.THEIRS}
    assert min(*found.values())[0] > 0


def test_a_slow_or_heavy_help_is_out_of_bounds(capsys):
    assert start_up.report_helps({"tools.a": (0.2, False), "tools.b": (0.3, False)})
    assert "| the slowest, `tools.b` | 0.300 s | at most 1.000 s |" in (
        capsys.readouterr().out
    )
    assert not start_up.report_helps({"tools.a": (1.2, False)})
    assert not start_up.report_helps({"tools.a": (0.2, True)})
