"""F-beta agrees with scikit-learn, whichever way the label sets are given."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import sklearn.metrics

from data_pipelines import errors, labels
from inclusive_tf.evaluation import f2


def _oracle(truth, given, beta=2.0):
    return [
        sklearn.metrics.fbeta_score(one, other, beta=beta, zero_division=0)
        for one, other in zip(truth, given, strict=True)
    ]


def _random(seed, rows=40, classes=9, rate=0.3):
    generator = np.random.default_rng(seed)
    truth = generator.random((rows, classes)) < rate
    logits = generator.normal(size=(rows, classes)).astype(np.float32)
    return truth, logits


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_each_image_agrees_with_scikit_learn(beta, rate):
    truth, logits = _random(0, rate=rate)
    truth[:2] = False
    logits[1:3] = -9.0
    ours = f2.per_image(logits, 0.5, labels.SparseLabels.from_dense(truth), beta=beta)
    np.testing.assert_allclose(ours, _oracle(truth, logits >= 0.5, beta), atol=1e-12)


@hypothesis.given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 12))
@hypothesis.settings(deadline=None, max_examples=30)
def test_the_mean_agrees_with_scikit_learn(seed, rows, classes):
    truth, logits = _random(seed, rows, max(2, classes))
    theirs = sklearn.metrics.fbeta_score(
        truth, logits >= 0, beta=2, average="samples", zero_division=0
    )
    ours = f2.mean_f2(logits, 0.0, labels.SparseLabels.from_dense(truth))
    assert abs(ours - theirs) < 1e-12


def test_chunks_change_nothing(monkeypatch):
    truth, logits = _random(1)
    sparse = labels.SparseLabels.from_dense(truth)
    whole = f2.per_image(logits, 0.3, sparse)
    given = f2.decisions(logits, 0.3)
    monkeypatch.setattr(f2, "CHUNK_CELLS", 25)
    np.testing.assert_array_equal(f2.per_image(logits, 0.3, sparse), whole)
    np.testing.assert_array_equal(f2.decisions(logits, 0.3).index, given.index)
    np.testing.assert_array_equal(given.multi_hot(), logits >= 0.3)


def test_each_label_can_have_its_threshold():
    truth, logits = _random(2)
    thresholds = np.linspace(-1, 1, logits.shape[1])
    sparse = labels.SparseLabels.from_dense(truth)
    expected = _oracle(truth, logits >= thresholds)
    np.testing.assert_allclose(f2.per_image(logits, thresholds, sparse), expected)


@pytest.mark.parametrize("image", [0, 1, 2])
def test_labels_of_which_nothing_is_known_count_nowhere(image):
    stated = [[(0, 1.0), (1, 0.0)], [(2, 1.0)], []]
    sparse = labels.SparseLabels(
        np.array([0, 2, 3, 3]),
        np.array([0, 1, 2], np.int32),
        np.array([1.0, 0.0, 1.0], np.float32),
        4,
    )
    logits = np.ones((3, 4), np.float32)
    ours = f2.counts(logits, 0.0, sparse, unlisted_is_absent=False)
    assert ours.given[image] == len(stated[image])
    assert ours.present[image] == sum(y for _, y in stated[image])
    known = sparse.targets(False) != labels.UNKNOWN
    theirs = _oracle(sparse.multi_hot(), (logits >= 0) & known)
    np.testing.assert_allclose(ours.f_beta(), theirs, atol=1e-12)
    assert f2.counts(logits, 0.0, sparse).given[image] == 4


def test_a_threshold_between_two_float32_logits_separates_them():
    low = np.float32(0.1)
    high = np.nextafter(low, np.float32(1))
    logits = np.array([[low, high]])
    for share in (0.01, 0.3, 0.7, 0.99):
        between = float(low) + share * (float(high) - float(low))
        assert f2.decisions(logits, between).index.tolist() == [1]
    assert f2.decisions(logits, float(low)).index.tolist() == [0, 1]


@pytest.mark.parametrize("unlisted_is_absent", [True, False])
def test_nan_is_refused_and_its_image_named(unlisted_is_absent):
    truth, logits = _random(3)
    truth[7, 2], logits[7, 2] = True, np.nan
    sparse = labels.SparseLabels.from_dense(truth)
    with pytest.raises(errors.DataError, match="image 7"):
        f2.per_image(logits, 0.0, sparse, unlisted_is_absent)
    with pytest.raises(errors.DataError, match="threshold"):
        f2.per_image(np.zeros_like(logits), np.nan, sparse)


def test_no_image_and_wrong_shapes_are_refused():
    with pytest.raises(errors.DataError, match="no image"):
        f2.mean_f2(np.zeros((0, 2)), 0.0, labels.SparseLabels.from_lists([], 2))
    with pytest.raises(errors.DataError, match="shape"):
        f2.mean_f2(np.zeros((1, 3)), 0.0, labels.SparseLabels.from_lists([[0]], 2))
