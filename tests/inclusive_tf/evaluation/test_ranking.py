"""Top-k figures agree with scikit-learn, and say what they rest on."""

import tracemalloc

import numpy as np
import pytest
import sklearn.metrics

from data_pipelines import errors, labels
from inclusive_tf.evaluation import ranking

GENERATOR = np.random.default_rng(3)
LOGITS = GENERATOR.normal(size=(400, 8))
LABEL = GENERATOR.choice(8, 400, p=[0.4, 0.2, 0.2, 0.1, 0.06, 0.03, 0.01, 0.0])
TRUTH = labels.SparseLabels.from_lists([[label] for label in LABEL], 8)


def test_top_k_of_single_labels_is_scikit_learns_accuracy():
    found = ranking.figures([ranking.of_logits(LOGITS)], TRUTH, resamples=50)
    for k in ranking.KS:
        expected = sklearn.metrics.top_k_accuracy_score(
            LABEL, LOGITS, k=k, labels=range(8)
        )
        assert found["measures"][f"top_{k}"]["value"] == pytest.approx(expected)
    recall = sklearn.metrics.recall_score(
        LABEL, LOGITS.argmax(1), average=None, labels=range(8), zero_division=np.nan
    )
    for row, support, share in zip(
        found["classes"], np.bincount(LABEL, minlength=8), recall, strict=True
    ):
        assert row["n"] == support
        assert row["top_1"] == (pytest.approx(share) if support else None)


def test_macro_figures_are_of_classes_that_enough_images_show():
    found = ranking.figures([ranking.of_logits(LOGITS)], TRUTH, resamples=50)
    counted = [row for row in found["classes"] if row["n"] >= ranking.MIN]
    assert found["macro_classes"] == len(counted) < 7
    assert found["measures"]["macro_top_1"]["value"] == pytest.approx(
        np.mean([row["top_1"] for row in counted])
    )


def test_with_several_labels_it_is_their_recall():
    truth = labels.SparseLabels.from_lists([[0, 1], [2], []], 3)
    order = np.array([[0, 2, 1], [2, 1, 0], [0, 1, 2]])
    found = ranking.figures([order], truth, resamples=10)
    assert found["measures"]["top_1"]["value"] == pytest.approx(2 / 3)
    assert found["measures"]["top_5"]["value"] == 1.0
    assert found["measures"]["macro_top_1"]["value"] is None


def test_differences_are_paired_and_their_mean_is_over_seeds():
    better = LOGITS + 2 * np.eye(8)[LABEL]
    before = [ranking.of_logits(LOGITS), ranking.of_logits(-LOGITS)]
    after = [ranking.of_logits(better)] * 2
    found = ranking.differences(before, after, TRUTH, resamples=100)
    alone = [
        ranking.figures([one], TRUTH, resamples=1)["measures"]["top_1"]["value"]
        for one in (*before, after[0])
    ]
    expected = alone[2] - np.mean(alone[:2])
    assert found["top_1"]["difference"] == pytest.approx(expected)
    assert found["top_1"]["low"] > 0


@pytest.mark.parametrize("rows_of_chunk", [1, 7, 1000])
@pytest.mark.parametrize("most", [1, 5, 29, 40])
def test_a_ranking_is_that_of_a_stable_sort(rows_of_chunk, most, monkeypatch):
    monkeypatch.setattr(ranking, "_CHUNK_CELLS", rows_of_chunk * 30)
    logits = np.random.default_rng(4).normal(0, 2, (60, 30)).astype(np.float32)
    for values in (logits, np.round(logits), np.zeros_like(logits), _with_holes()):
        expected = np.argsort(-values, axis=1, kind="stable")[:, :most]
        np.testing.assert_array_equal(ranking.of_logits(values, most), expected)


def _with_holes():
    generator = np.random.default_rng(5)
    return generator.choice([np.nan, -np.inf, np.inf, 0.0, -0.0, 1.0], (60, 30))


def test_a_ranking_takes_the_memory_of_one_chunk():
    logits = np.random.default_rng(0).normal(size=(4000, 2000)).astype(np.float32)
    tracemalloc.start()
    ranking.of_logits(logits)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10e6 < logits.nbytes / 3


def test_other_images_and_no_labels_are_refused():
    with pytest.raises(errors.DataError, match="400 rows"):
        ranking.Ranked(np.zeros((3, 5)), TRUTH)
    with pytest.raises(errors.DataError, match="no image shows"):
        ranking.Ranked(np.zeros((1, 5)), labels.SparseLabels.from_lists([[]], 8))
