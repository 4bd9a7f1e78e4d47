"""What merging classes would do, in twos and in clusters."""

import dataclasses

import numpy as np
import pytest
from sklearn import metrics

from data_pipelines import errors, labels
from inclusive_tf.audit import confusions, merging
from inclusive_tf.evaluation import f2, figures


def pair(a, b, apart=False):
    return {"a": {"position": a}, "b": {"position": b}, "apart": apart}


def test_pairs_that_share_a_class_are_one_cluster_whose_commonest_class_stays():
    pairs = [pair(3, 1), pair(1, 2), pair(0, 4), pair(5, 2), pair(0, 6, apart=True)]
    found = merging.proposals(pairs, [9, 5, 5, 7, 1, 2, 8], most_pairs=2)
    assert found == [
        merging.Proposal((3, 1), 1),
        merging.Proposal((1, 2), 1),
        # through 1 and 2; 0 and 4 are but two
        merging.Proposal((3, 1, 2, 5), 3),
    ]
    assert [one.pairs for one in found] == [1, 1, 6]


def test_where_all_can_be_told_apart_nothing_is_proposed():
    assert merging.proposals([pair(0, 1, apart=True)], [3, 3], 8) == []


def test_a_cluster_is_found_from_confusions_and_merging_it_whole_is_best(triplets):
    pairs = confusions.pairs(triplets, 0.0)
    found = merging.proposals(pairs, triplets.training_counts, most_pairs=8)
    assert [sorted(one.classes) for one in found] == [[1, 2], [1, 3], [2, 3], [1, 2, 3]]
    assert (found[-1].not_apart, found[-1].pairs) == (3, 3)
    gains = [
        merging.effect(triplets, 0.0, one.classes, resamples=20)["macro_f2"]
        for one in found
    ]
    whole = gains.pop()
    assert all(one["difference"] < whole["difference"] for one in gains)
    after = figures.figures(merging.merged(triplets, 0.0, found[-1].classes), 0.0, 10)
    assert whole["after"] == pytest.approx(after["measures"]["macro_f2"]["value"])


def test_a_merged_class_is_shown_and_given_where_either_is(twins):
    threshold = np.array([0.5, -0.5, 0.0, 1.0])
    found = merging.merged(twins, threshold, [1, 2])
    assert found.vocabulary.ids == ("a", "b", "d")
    given, shown = np.asarray(twins.logits) >= threshold, twins.truth.multi_hot()
    np.testing.assert_array_equal(
        np.asarray(found.logits)[:, 1] >= 0, given[:, 1] | given[:, 2]
    )
    np.testing.assert_array_equal(
        found.truth.multi_hot()[:, 1], shown[:, 1] | shown[:, 2]
    )
    np.testing.assert_array_equal(
        np.asarray(found.logits)[:, [0, 2]] >= 0, given[:, [0, 3]]
    )
    assert found.training_counts.tolist() == [200, 400, 200]


def test_what_is_known_of_a_merged_class(make_predictions):
    # absent only where both are; unknown where one is and the other does not show
    stated = {0: (0.0, 0.0), 1: (0.0, None), 2: (1.0, None), 3: (None, 1.0)}
    rows = [
        [(label, value) for label, value in enumerate(row) if value is not None]
        for row in stated.values()
    ]
    truth = labels.SparseLabels(
        np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64),
        np.array([label for row in rows for label, _ in row], np.int32),
        np.array([value for row in rows for _, value in row], np.float32),
        2,
    )
    made = make_predictions(np.zeros((4, 2)), np.zeros((4, 2), bool))
    made = dataclasses.replace(made, truth=truth, unlisted_is_absent=False)
    found = merging.merged(made, 0.0, [0, 1]).truth.targets(False)[:, 0]
    assert found.tolist() == [0.0, labels.UNKNOWN, 1.0, 1.0]


def test_the_effect_is_the_difference_of_the_figures(twins):
    found = merging.effect(twins, 0.0, [1, 2], resamples=100)
    after = figures.figures(merging.merged(twins, 0.0, [1, 2]), 0.0, 10)
    before = figures.figures(twins, 0.0, 10)
    for name in merging.FIGURES:
        one = found[name]
        assert one["before"] == pytest.approx(before["measures"][name]["value"])
        assert one["after"] == pytest.approx(after["measures"][name]["value"])
        assert one["difference"] == pytest.approx(one["after"] - one["before"])
        assert 0 < one["low"] < one["difference"] < one["high"]
    given = f2.decisions(twins.logits, 0.0).multi_hot()
    shown = twins.truth.multi_hot()
    score = metrics.fbeta_score(shown, given, beta=2, average="samples")
    assert found["mean_f2"]["before"] == pytest.approx(score)


def test_a_label_is_not_merged_with_itself(twins):
    with pytest.raises(errors.DataError, match="merged with itself"):
        merging.merged(twins, 0.0, [1, 2, 1])
