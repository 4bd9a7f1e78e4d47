import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from data_pipelines import errors, labels
from inclusive_tf import predictions
from inclusive_tf.explain import errors_to_explain


def _predictions(logits, truth, training_counts=None, unlisted_is_absent=True):
    logits = np.asarray(logits, np.float32)
    count, classes = logits.shape
    if not isinstance(truth, labels.SparseLabels):
        truth = labels.SparseLabels.from_dense(truth)
    if training_counts is None:
        training_counts = np.arange(classes)
    return predictions.Predictions(
        ids=np.array([f"image {row}" for row in range(count)], dtype=str),
        logits=logits,
        features=np.zeros((count, 2), np.float32),
        truth=truth,
        unlisted_is_absent=unlisted_is_absent,
        group=np.zeros(count, np.int32),
        group_names=("all",),
        training_counts=np.asarray(training_counts, np.int64),
        vocabulary=labels.Vocabulary([f"/m/{label}" for label in range(classes)]),
    )


def _random(seed, count=60, classes=5):
    random = np.random.default_rng(seed)
    truth = random.random((count, classes)) < 0.4
    truth[np.arange(count), random.integers(classes, size=count)] = True
    return random.normal(0, 2, (count, classes)), truth


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**32 - 1), st.floats(-2, 2))
def test_the_worst_are_the_errors_of_highest_log_loss(seed, threshold):
    logits, truth = _random(seed)
    data = _predictions(logits, truth)
    found = errors_to_explain.worst(data, threshold, len(data))
    decided = data.logits >= threshold
    assert {case.row for case in found} == set(
        np.flatnonzero((decided != truth).any(axis=1))
    )
    scores = 1 / (1 + np.exp(-data.logits.astype(np.float64)))
    losses = [
        metrics.log_loss(truth[case.row], scores[case.row], labels=[False, True])
        for case in found
    ]
    np.testing.assert_allclose([case.loss for case in found], losses, rtol=1e-9)
    assert losses == sorted(losses, reverse=True)
    for case in found:
        logit = data.logits[case.row]
        assert case.id == f"image {case.row}"
        assert case.truth == tuple(np.flatnonzero(truth[case.row]))
        assert case.decided == tuple(np.flatnonzero(decided[case.row]))
        wrong = set(case.decided) - set(case.truth)
        missed = set(case.truth) - set(case.decided)
        assert case.wrong == max(wrong, key=lambda label: logit[label], default=None)
        assert case.missed == min(missed, key=lambda label: logit[label], default=None)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_missed_rare_labels_come_by_training_count_and_then_by_logit(seed):
    logits, truth = _random(seed)
    counts = np.array([50, 7, 300, 7, 90])
    tail = [0, 1, 3]
    data = _predictions(logits, truth, counts)
    found = errors_to_explain.missed_rare(data, 0.0, len(data), tail)
    missed = truth & (data.logits < 0)
    assert {case.row for case in found} == set(
        np.flatnonzero(missed[:, tail].any(axis=1))
    )
    keys = [(counts[case.missed], data.logits[case.row, case.missed]) for case in found]
    assert keys == sorted(keys)
    for case in found:
        choices = [label for label in tail if missed[case.row, label]]
        assert case.missed == min(
            choices, key=lambda label: (counts[label], data.logits[case.row, label])
        )


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_confident_wrong_labels_come_by_logit(seed):
    logits, truth = _random(seed)
    data = _predictions(logits, truth)
    found = errors_to_explain.confident_wrong(data, 0.5, 7)
    wrong = np.where((data.logits >= 0.5) & ~truth, data.logits, -np.inf).max(axis=1)
    expected = np.sort(wrong)[::-1][:7]
    received = [data.logits[case.row, case.wrong] for case in found]
    np.testing.assert_array_equal(received, expected[np.isfinite(expected)])


def test_chunks_of_rows_do_not_change_the_choice(monkeypatch):
    data = _predictions(*_random(3))
    whole = errors_to_explain.worst(data, 0.0, 20)
    monkeypatch.setattr(errors_to_explain, "_CHUNK", 7)
    assert errors_to_explain.worst(data, 0.0, 20) == whole


def test_a_threshold_for_each_label_is_used():
    data = _predictions([[1.0, 1.0]], [[1, 0]])
    assert errors_to_explain.worst(data, [0.0, 2.0], 5) == []
    assert errors_to_explain.worst(data, [0.0, 1.0], 5)[0].wrong == 1


def test_unknown_labels_are_neither_wrong_nor_missed_nor_part_of_the_loss():
    truth = labels.SparseLabels.from_lists([[0]], 3)
    data = _predictions([[-1.0, 9.0, -9.0]], truth, unlisted_is_absent=False)
    (case,) = errors_to_explain.worst(data, 0.0, 5)
    assert (case.wrong, case.missed) == (None, 0)
    assert case.loss == pytest.approx(np.log1p(np.exp(1.0)))


def test_an_unlabelled_image_is_no_error():
    data = _predictions([[9.0, 9.0]], [[0, 0]])
    assert errors_to_explain.worst(data, 0.0, 5) == []


def test_no_errors_and_no_images_give_no_cases():
    right = _predictions([[9.0, -9.0]], [[1, 0]])
    for data in (right, right.take(np.zeros(0, np.int64))):
        for choose in (
            errors_to_explain.worst,
            errors_to_explain.confident_wrong,
            errors_to_explain.missed_rare,
        ):
            assert choose(data, 0.0, 5) == []


@pytest.mark.parametrize("threshold", [[0.0], np.nan, [0.0, np.nan]])
def test_a_threshold_that_does_not_fit_is_refused(threshold):
    data = _predictions([[1.0, 1.0]], [[1, 0]])
    with pytest.raises(errors.DataError, match="a threshold does not fit"):
        errors_to_explain.worst(data, threshold, 5)


def test_logits_that_are_not_finite_are_refused():
    data = _predictions([[np.nan, 1.0]], [[1, 0]])
    with pytest.raises(errors.DataError, match="NaN"):
        errors_to_explain.worst(data, 0.0, 5)


def test_what_needs_no_model_imports_without_tensorflow():
    code = (
        "import sys; "
        "from inclusive_tf.explain import choosing, maps, methods, pointing; "
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
