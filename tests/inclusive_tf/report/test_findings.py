import copy

import hypothesis
import pytest
from hypothesis import strategies

from data_pipelines import errors
from inclusive_tf.report import findings


def _overall(results, low, high):
    """Gives the plain → final step this interval for mean F2 on stage 2."""
    step = findings.overall_step(results)
    step["comparisons"]["stage_2"]["measures"]["mean_f2"] |= {"low": low, "high": high}


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


def test_the_headline_says_a_rise_whose_interval_is_above_zero(results):
    assert findings.headline(results) == (
        "With resampling, and the last layer and the threshold fitted on 1,000 "
        "labelled tuning images, mean F2 on stage 2 rises from 0.412 "
        "[0.401, 0.424] to 0.634 [0.623, 0.646]."
    )


def test_the_headline_says_a_fall(results):
    _overall(results, -0.2, -0.1)
    assert " falls from 0.412 " in findings.headline(results)


def test_the_headline_claims_nothing_when_the_interval_holds_zero(results):
    _overall(results, -0.001, 0.4)
    said = findings.headline(results)
    assert "no clear difference" in said
    assert "rises" not in said


def test_the_headline_claims_nothing_without_a_paired_comparison(results):
    del results["steps"]
    said = findings.headline(results)
    assert "no difference is claimed" in said
    assert "rises" not in said


def test_the_headline_of_constant_rows_only_states_the_figure(results):
    results["rows"] = results["rows"][:1]
    assert findings.headline(results) == (
        "“constant answer” has a mean F2 on stage 2 of 0.310 [0.299, 0.322]."
    )


def test_unknown_parts_of_a_row_are_quoted(results):
    results["rows"][-1]["name"] = "plain + larger <b>"
    assert "With “larger <b>”," in findings.headline(
        results | {"steps": [results["steps"][-1] | {"after": "plain + larger <b>"}]}
    )


def test_each_step_is_found_with_what_it_costs(results):
    found = findings.step_findings(results)
    assert [one.verdict for one in found] == [
        findings.HELPS, findings.HELPS, findings.HELPS, findings.UNCLEAR,
        findings.HELPS, findings.HELPS,
    ]  # fmt: skip
    assert found[3].aside == "helps the worst group and hurts tail recall"


def test_the_rows_of_the_story_are_found_by_place_and_name(results):
    found = {role: row["name"] for role, row in findings.roles(results).items()}
    assert found == {
        "constant": "constant answer",
        "plain": "plain",
        "resampled": "resampled",
        "final": "resampled + last layer + threshold",
    }


@pytest.mark.parametrize("broken", ["title", "rows", "twice", "never evaluated"])
def test_results_that_cannot_be_told_are_refused(results, broken):
    if broken == "twice":
        results["rows"].append(copy.deepcopy(results["rows"][0]))
    elif broken == "never evaluated":
        results["rows"] = [{"name": "plain", "evaluations": {}}]
    else:
        del results[broken]
    with pytest.raises(errors.DataError):
        findings.check(results)
