import copy

import hypothesis
import pytest
from hypothesis import strategies

from data_pipelines import errors
from inclusive_tf.report import findings


@hypothesis.given(
    strategies.floats(-1, 1), strategies.floats(-1, 1), strategies.floats(-1, 1)
)
def test_a_verdict_is_the_side_of_zero_on_which_the_interval_lies(a, b, difference):
    low, high = sorted((a, b))
    said = findings.verdict({"difference": difference, "low": low, "high": high})
    assert (said == findings.HELPS) == (low > 0)
    assert (said == findings.HURTS) == (high < 0)
    assert (said == findings.UNCLEAR) == (low <= 0 <= high)


@pytest.mark.parametrize(
    "comparison", [None, {}, {"difference": 0.3, "low": None, "high": 0.4}]
)
def test_without_an_interval_nothing_is_compared(comparison):
    assert findings.verdict(comparison) == findings.UNKNOWN


def test_each_step_is_found_with_what_it_costs(results):
    found = findings.step_findings(results)
    assert [one.verdict for one in found] == [
        findings.HELPS, findings.HELPS, findings.HELPS, findings.UNCLEAR,
        findings.HELPS, findings.HELPS, findings.HELPS,
    ]  # fmt: skip
    assert found[3].aside == "helps the worst group and hurts tail recall"


def test_the_rows_of_the_story_are_found_by_kind_and_run(results):
    found = {role: row["name"] for role, row in findings.roles(results).items()}
    assert found == {
        "constant": "constant answer",
        "plain": "plain",
        "resampled": "resampled",
        "final": "resampled + last layer + threshold",
    }


def test_names_say_nothing_about_what_a_row_is(results):
    for number, row in enumerate(results["rows"]):
        row["name"] = f"resampled constant {number}"
    found = findings.roles(results)
    assert [results["rows"].index(row) for row in found.values()] == [0, 1, 4, 6]


@pytest.mark.parametrize(("kept", "expected"), [
    ([1], ["final"]), ([1, 2], ["plain", "final"]), ([1, 2, 6], ["plain", "final"]),
    ([1, 4, 6], ["plain", "resampled", "final"]), ([0], ["constant"]),
])  # fmt: skip
def test_a_row_has_one_role(results, kept, expected):
    results["rows"] = [results["rows"][number] for number in kept]
    assert list(findings.roles(results)) == expected


def test_a_verdict_that_another_split_does_not_share_is_said(results):
    found = findings.step_findings(results)
    assert found[3].elsewhere == "stage 1: helps"
    assert not found[0].elsewhere
    del results["steps"][0]["comparisons"]["stage_1"]
    assert findings.step_findings(results)[0].elsewhere == "stage 1: not compared"


def test_groups_without_images_stand_apart(results):
    assert findings.groups(results, "stage_2") == (
        ["target/studio", "target/street"], ["source/street"],
    )  # fmt: skip


def test_of_many_groups_the_largest_and_the_worst_are_shown(results):
    interval = {"low": 0.0, "high": 1.0}
    for row in results["rows"]:
        row["evaluations"]["stage_2"]["groups"] = [
            {"name": f"group {number}", "n": 100 - number,
             "mean_f2": {"value": number / 100, **interval}}
            for number in range(100)
        ]  # fmt: skip
    shown, said = findings.shown_groups(results, "stage_2", 6)
    # the first three are the largest, and the worst of the others follow them
    assert shown == [f"group {number}" for number in range(6)]
    assert said == "the 3 largest of 100 groups, and the 3 worst others"
    for one in results["rows"][-1]["evaluations"]["stage_2"]["groups"]:
        one["mean_f2"]["value"] = 1 - one["mean_f2"]["value"]
    shown, _ = findings.shown_groups(results, "stage_2", 6)
    assert shown == [f"group {number}" for number in (0, 1, 2, 97, 98, 99)]
    assert findings.shown_groups(results, "stage_2", 100)[1] == ""


def test_of_many_groups_those_are_shown_that_any_row_has(results):
    """Though the last row lacks the split, and a score is no number."""
    groups = [
        {"name": f"group {number:02}", "n": number + 1,
         "mean_f2": {"value": None if number == 5 else number / 100}}
        for number in range(50)
    ]  # fmt: skip
    for row in results["rows"]:
        row["evaluations"]["stage_2"]["groups"] = groups
    del results["rows"][-1]["evaluations"]["stage_2"]
    shown, _ = findings.shown_groups(results, "stage_2", 6)
    assert shown == [f"group {number:02}" for number in (0, 1, 2, 47, 48, 49)]


def test_runs_are_one_training_unless_they_carry_several_seeds(results):
    assert findings.is_one_training(results)
    results["runs"]["plain"]["seeds"] = [1]
    assert findings.is_one_training(results)
    results["runs"]["plain"]["seeds"] = [1, 2]
    assert not findings.is_one_training(results)


@pytest.mark.parametrize(
    "broken", ["title", "rows", "twice", "never evaluated", "kind", "run"]
)
def test_results_that_cannot_be_told_are_refused(results, broken):
    if broken == "twice":
        results["rows"].append(copy.deepcopy(results["rows"][0]))
    elif broken == "never evaluated":
        results["rows"] = [{"name": "plain", "evaluations": {}}]
    elif broken in ("kind", "run"):
        del results["rows"][1][broken]
    else:
        del results[broken]
    with pytest.raises(errors.DataError):
        findings.check(results)
