import pytest

from inclusive_tf.report import findings, headline


def _give(step, measure, low, high, split="stage_2"):
    """Gives a step this interval of a measure."""
    step["comparisons"][split]["measures"][measure] |= {
        "difference": (low + high) / 2, "low": low, "high": high,
    }  # fmt: skip


def _overall(results, low, high):
    _give(headline.overall_step(results), "mean_f2", low, high)


def test_the_headline_says_a_rise_whose_interval_is_above_zero(results):
    assert headline.sentence(results) == (
        "With resampling, and the last layer and the threshold fitted on 1,000 "
        "labelled tuning images, mean F2 on stage 2 rises from 0.412 "
        "[0.401, 0.424] to 0.634 [0.623, 0.646]."
    )


def test_the_headline_says_a_fall_and_that_stage_1_does_not(results):
    _overall(results, -0.2, -0.1)
    said = headline.sentence(results)
    assert " falls from 0.412 " in said
    assert said.endswith("(stage 1: helps).")


def test_the_headline_claims_nothing_when_the_interval_holds_zero(results):
    _overall(results, -0.001, 0.4)
    said = headline.sentence(results)
    assert "no clear difference" in said
    assert "rises" not in said


def test_the_headline_claims_nothing_without_a_paired_comparison(results):
    del results["steps"]
    said = headline.sentence(results)
    assert "no difference is claimed" in said
    assert "rises" not in said
    assert headline.resampling_sentence(results) == ""


def test_the_headline_of_constant_rows_only_states_the_figure(results):
    results["rows"] = results["rows"][:1]
    assert headline.sentence(results) == (
        "“constant answer” has a mean F2 on stage 2 of 0.310 [0.299, 0.322]."
    )
    assert headline.resampling_sentence(results) == ""


def test_unknown_runs_and_parts_are_quoted(results):
    results["rows"][-1] |= {"run": "<i>", "parts": ["larger <b>"]}
    assert headline.sentence(results).startswith("With “<i>”, and “larger <b>”,")


def test_resampling_itself_is_the_step_between_runs_adapted_alike(results):
    step = headline.resampling_step(results)
    assert step["before"] == "plain + last layer + threshold"
    assert step["after"] == "resampled + last layer + threshold"


def test_one_run_has_no_resampling_sentence(results):
    for row in results["rows"][1:]:
        row["run"] = "plain"
    assert headline.resampling_sentence(results) == ""


@pytest.mark.parametrize(
    ("mean", "tail", "expected"),
    [
        ((0.002, 0.012), (0.1, 0.13),
         "Of this, resampling adds +0.007 [+0.002, +0.012] to mean F2 and +0.115 "
         "[+0.100, +0.130] to tail recall."),
        ((-0.002, 0.012), (0.1, 0.13),
         "Resampling itself makes no clear difference to mean F2 (+0.005 [−0.002, "
         "+0.012]; stage 1: helps) and adds +0.115 [+0.100, +0.130] to tail recall."),
        ((-0.012, -0.002), (-0.13, -0.1),
         "Resampling itself lowers mean F2 (−0.007 [−0.012, −0.002]; stage 1: helps) "
         "and tail recall (−0.115 [−0.130, −0.100])."),
        ((-0.01, 0.01), (-0.2, 0.2),
         "Resampling itself makes no clear difference to mean F2 (0.000 [−0.010, "
         "+0.010]; stage 1: helps) and tail recall (0.000 [−0.200, +0.200])."),
    ],
)  # fmt: skip
def test_the_second_sentence_follows_the_intervals(results, mean, tail, expected):
    step = headline.resampling_step(results)
    _give(step, "mean_f2", *mean)
    _give(step, "tail_recall", *tail)
    assert headline.resampling_sentence(results) == expected


def test_a_gain_is_part_of_a_rise_only_when_there_is_one(results):
    _overall(results, -0.1, 0.1)
    assert headline.resampling_sentence(results).startswith("Resampling itself adds ")


def test_a_measure_that_was_not_compared_is_left_out(results):
    measures = headline.resampling_step(results)["comparisons"]["stage_2"]["measures"]
    measures["mean_f2"]["low"] = None
    said = headline.resampling_sentence(results)
    assert said.startswith("Resampling itself adds ")
    assert "mean F2" not in said
    assert findings.MEASURES["tail_recall"] in said
