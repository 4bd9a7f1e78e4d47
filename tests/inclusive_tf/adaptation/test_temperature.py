"""A temperature makes scores probabilities."""

import numpy as np
import pytest
import scipy.special
import sklearn.linear_model

from data_pipelines import errors, labels
from inclusive_tf.adaptation import temperature


def _world(slope=0.4, offset=-1.0, rows=400, classes=12):
    generator = np.random.default_rng(0)
    logits = generator.normal(-1, 4, (rows, classes)).astype(np.float32)
    chances = scipy.special.expit(slope * logits + offset)
    return logits, labels.SparseLabels.from_dense(
        generator.random(logits.shape) < chances
    )


def test_it_is_the_logistic_regression_of_scikit_learn():
    logits, truth = _world()
    found = temperature.fit(logits, truth)
    oracle = sklearn.linear_model.LogisticRegression(C=np.inf, tol=1e-10).fit(
        logits.reshape(-1, 1), truth.multi_hot().ravel()
    )
    assert found.slope == pytest.approx(oracle.coef_[0, 0], rel=1e-4)
    assert found.offset == pytest.approx(oracle.intercept_[0], rel=1e-4)
    assert found.temperature == 1 / found.slope
    before, after = found.log_loss
    assert after < before
    expected = sklearn.metrics.log_loss(
        truth.multi_hot().ravel(),
        scipy.special.expit(found.slope * logits.astype(float) + found.offset).ravel(),
    )
    assert after == pytest.approx(expected)


@pytest.mark.parametrize("seed", [0, 174, 210, 301, 320])
def test_it_converges_where_rounding_ends_the_search(seed):
    """Of the later seeds, L-BFGS-B says that its search ended abnormally."""
    generator = np.random.default_rng(seed)
    slope, offset = generator.uniform(0.3, 1.5), generator.uniform(-2, 1)
    logits = generator.normal(-2, 3, (100, 6)).astype(np.float32)
    chances = scipy.special.expit(slope * logits + offset)
    truth = labels.SparseLabels.from_dense(generator.random(logits.shape) < chances)
    found = temperature.fit(logits, truth)
    moved = scipy.special.expit(found.slope * logits.astype(float) + found.offset)
    residual = moved - truth.multi_hot()
    assert np.mean(residual) == pytest.approx(0, abs=1e-7)
    assert np.mean(residual * logits) == pytest.approx(0, abs=1e-7)


def test_calibrated_scores_have_a_small_calibration_error():
    logits, truth = _world()
    before, after = temperature.fit(logits, truth).calibration_error
    assert before > 0.1
    assert after < 0.02
    sure = np.where(truth.multi_hot(), 30.0, -30.0)
    assert temperature.calibration_error(sure, truth) == pytest.approx(0, abs=1e-9)
    assert temperature.calibration_error(-sure, truth) == pytest.approx(1)


def test_without_an_offset_the_sign_of_each_logit_stays():
    logits, truth = _world(offset=0.0)
    found = temperature.fit(logits, truth, offset=False)
    assert found.offset == 0
    assert found.slope == pytest.approx(0.4, abs=0.05)


def test_unknown_labels_do_not_count():
    logits, truth = _world()
    stated = labels.SparseLabels.from_dense(
        np.where(truth.multi_hot(), 1.0, 0.25)[:, :4].astype(np.float32)
    )
    # confidences are soft targets: 0.25 is a quarter present
    found = temperature.fit(logits[:, :4], stated, unlisted_is_absent=False)
    assert found.log_loss[1] > 0.2
    wide = labels.SparseLabels(
        stated.offsets, stated.index, stated.confidence, num_classes=12
    )
    assert temperature.fit(logits, wide, False).slope == pytest.approx(found.slope)


def test_chunks_do_not_change_it(monkeypatch):
    logits, truth = _world()
    whole = temperature.fit(logits, truth)
    monkeypatch.setattr(temperature, "_CHUNK_CELLS", 100)
    assert temperature.fit(logits, truth).slope == pytest.approx(whole.slope, rel=1e-6)


def test_labels_that_are_all_present_and_scores_turned_round_are_refused():
    logits, truth = _world()
    with pytest.raises(errors.DataError, match="a temperature cannot be fitted"):
        temperature.fit(logits[:1, :1], labels.SparseLabels.from_lists([[0]], 1))
    with pytest.raises(errors.DataError, match="no temperature helps"):
        temperature.fit(-logits, truth)
    with pytest.raises(errors.DataError, match="disagree"):
        temperature.fit(logits[:3], truth)
