"""Figures agree with scikit-learn, and what is not available is never 0."""

import dataclasses
import json

import numpy as np
import pytest
import sklearn.metrics

from data_pipelines import errors, labels
from inclusive_tf.evaluation import bootstrap, f2, figures, measures


def _scores(function, truth, given, **arguments):
    return function(truth, given, average=None, zero_division=np.nan, **arguments)


def test_every_figure_agrees_with_scikit_learn(make_predictions):
    one = make_predictions()
    truth, given = one.truth.multi_hot(), one.logits >= 0.25
    found = figures.figures(one, 0.25, resamples=20)

    recall = _scores(sklearn.metrics.recall_score, truth, given)
    precision = _scores(sklearn.metrics.precision_score, truth, given)
    f1 = _scores(sklearn.metrics.f1_score, truth, given)
    per_label_f2 = _scores(sklearn.metrics.fbeta_score, truth, given, beta=2)
    oracle = {"recall": recall, "precision": precision, "f1": f1, "f2": per_label_f2}
    for name, expected in oracle.items():
        ours = [row[name]["value"] for row in found["classes"]]
        np.testing.assert_allclose(ours, expected, atol=1e-12)
    values = {name: row["value"] for name, row in found["measures"].items()}
    samples = sklearn.metrics.fbeta_score(
        truth, given, beta=2, average="samples", zero_division=0
    )
    assert values["mean_f2"] == pytest.approx(samples, abs=1e-12)
    assert values["macro_f2"] == pytest.approx(per_label_f2.mean(), abs=1e-12)
    # seven labels, the last never seen in training: thirds of six
    assert values["head_recall"] == pytest.approx(recall[:2].mean(), abs=1e-12)
    assert values["tail_recall"] == pytest.approx(recall[4:6].mean(), abs=1e-12)
    assert found["bands"][3]["labels"] == ["/m/6"]


def test_groups_carry_their_size_and_the_worst_is_the_lowest(make_predictions):
    one = make_predictions()
    per_image = f2.per_image(one.logits, 0.0, one.truth)
    found = figures.figures(one, 0.0, resamples=50)
    for position, group in enumerate(found["groups"]):
        inside = one.group == position
        assert group["n"] == group["mean_f2"]["n"] == inside.sum()
        if inside.any():
            expected = pytest.approx(per_image[inside].mean())
            assert group["mean_f2"]["value"] == expected
    values = [group["mean_f2"]["value"] for group in found["groups"][:3]]
    assert found["measures"]["worst_group_f2"]["value"] == min(values)
    assert found["worst_group"] == one.group_names[int(np.argmin(values))]


def test_an_empty_group_is_not_available(make_predictions):
    found = figures.figures(make_predictions(), 0.0, resamples=10)
    nowhere = found["groups"][3]
    nothing = {"value": None, "low": None, "high": None, "n": 0}
    assert nowhere == {"name": "nowhere", "n": 0, "mean_f2": nothing}


def test_a_label_without_support_is_not_available(make_predictions):
    one = make_predictions()
    truth = one.truth.multi_hot()
    truth[:, 2] = False
    one = dataclasses.replace(one, truth=labels.SparseLabels.from_dense(truth))
    found = figures.figures(one, 0.0, resamples=10)
    for name in ("recall", "f1", "f2"):
        assert found["classes"][2][name]["value"] is None
    others = [row["f2"]["value"] for row in found["classes"] if row["n"]]
    macro = found["measures"]["macro_f2"]["value"]
    assert macro == pytest.approx(np.mean(others))


def test_a_label_never_given_has_no_precision_but_an_f2_of_zero(make_predictions):
    one = make_predictions()
    thresholds = np.where(np.arange(7) == 1, np.inf, 0.0)
    row = figures.figures(one, thresholds, resamples=10)["classes"][1]
    assert row["precision"] == {"value": None, "low": None, "high": None, "n": 0}
    assert row["f2"]["value"] == row["recall"]["value"] == 0.0


def test_intervals_hold_their_value_and_json_takes_them(make_predictions):
    found = figures.figures(make_predictions(), 0.0, resamples=200)
    json.dumps(found, allow_nan=False)
    for name in ("mean_f2", "macro_f2", "head_recall"):
        interval = found["measures"][name]
        assert interval["low"] < interval["value"] < interval["high"]


def test_resampled_figures_are_the_figures_of_the_resample(make_predictions):
    one = make_predictions()
    drawn = next(bootstrap.weights(len(one), 3, seed=5))
    found = measures.Measures(one, 0.0).statistics(drawn)
    for position, counts in enumerate(drawn.astype(int)):
        repeated = one.take(np.repeat(np.arange(len(one)), counts))
        expected = figures.figures(repeated, 0.0, resamples=0)["measures"]
        for name in measures.NAMES:
            assert found[name][position] == pytest.approx(expected[name]["value"])


def test_images_of_which_nothing_is_known_are_left_out(make_predictions):
    truth = labels.SparseLabels(
        np.array([0, 2, 2, 3]),
        np.array([0, 1, 2], np.int32),
        np.array([1.0, 0.0, 1.0], np.float32),
        7,
    )
    one = make_predictions(rows=3, unlisted_is_absent=False, truth=truth)
    one = dataclasses.replace(one, logits=np.ones((3, 7), np.float32))
    found = figures.figures(one, 0.0, resamples=10)
    assert found["n"] == 2
    # image 0: one hit, one known false label; image 2: one hit alone
    assert found["measures"]["mean_f2"]["value"] == pytest.approx((5 / 6 + 1) / 2)
    assert [row["precision"]["n"] for row in found["classes"]] == [1, 1, 1, 0, 0, 0, 0]
    listed = dataclasses.replace(one, unlisted_is_absent=True)
    assert figures.figures(listed, 0.0, resamples=10)["n"] == 3


def test_predictions_without_truth_are_refused(make_predictions):
    nothing = labels.SparseLabels.from_lists([[]] * 4, 7)
    one = make_predictions(rows=4, truth=nothing)
    with pytest.raises(errors.DataError, match="no image shows any label"):
        figures.figures(one, 0.0)
    with pytest.raises(errors.DataError, match="no labelled image"):
        figures.figures(one.take(np.zeros(4, bool)), 0.0)


def test_a_comparison_with_itself_is_exactly_zero(make_predictions):
    one = make_predictions()
    for interval in figures.compare(one, 0.0, one, 0.0, 50)["measures"].values():
        assert interval["difference"] == interval["low"] == interval["high"] == 0.0


def test_a_comparison_is_the_difference_of_the_figures(make_predictions):
    one = make_predictions()
    found = figures.compare(one, 0.0, one, -0.5, resamples=300)["measures"]
    before, after = (
        figures.figures(one, threshold, resamples=0)["measures"]
        for threshold in (0.0, -0.5)
    )
    for name in measures.NAMES:
        expected = after[name]["value"] - before[name]["value"]
        assert found[name]["difference"] == pytest.approx(expected)
    scores = [f2.per_image(one.logits, t, one.truth) for t in (0.0, -0.5)]
    paired = bootstrap.mean_interval(scores[1] - scores[0], 300)
    assert found["mean_f2"]["low"] == pytest.approx(paired["low"])
    assert found["mean_f2"]["high"] == pytest.approx(paired["high"])


def test_several_seeds_are_compared_pair_by_pair(make_predictions):
    one = make_predictions()
    moved = [dataclasses.replace(one, logits=one.logits + shift) for shift in (0, 0.1)]
    pairs = [(side, -0.5) for side in moved]
    found = figures.compare_seeds([(one, 0.0)] * 2, pairs, 100)["measures"]
    singles = [figures.compare(one, 0.0, *pair, 0)["measures"] for pair in pairs]
    expected = np.mean([single["mean_f2"]["difference"] for single in singles])
    assert found["mean_f2"]["difference"] == pytest.approx(expected)
    with pytest.raises(errors.DataError, match="one run before"):
        figures.compare_seeds([(one, 0.0)], pairs)


def test_other_images_are_refused_and_the_first_is_named(make_predictions):
    one = make_predictions()
    swapped = one.take(np.array([0, 2, 1, *range(3, 60)]))
    with pytest.raises(errors.DataError, match="image 1 at position 1"):
        figures.compare(one, 0.0, swapped, 0.0)
    with pytest.raises(errors.DataError, match="60 images"):
        figures.compare(one, 0.0, one.take(np.arange(59)), 0.0)
    truth = one.truth.multi_hot()
    truth[5, 0] ^= True
    other = dataclasses.replace(one, truth=labels.SparseLabels.from_dense(truth))
    with pytest.raises(errors.DataError, match=r"truth.*image 5"):
        figures.compare(one, 0.0, other, 0.0)
    other = dataclasses.replace(one, group=one.group[::-1])
    with pytest.raises(errors.DataError, match="groups"):
        figures.compare(one, 0.0, other, 0.0)


def test_the_constant_answer_says_where_it_was_chosen(make_predictions):
    one = make_predictions()
    tuning = dataclasses.replace(make_predictions(seed=3), source={"split": "tuning"})
    optimistic = figures.constant(one, resamples=0)
    honest = figures.constant(one, tuning, resamples=0)
    assert "optimistic" in optimistic["chosen_on"]
    assert honest["chosen_on"] == "tuning"
    assert honest["labels"] == [one.vocabulary.ids[k] for k in honest["positions"]]
