"""Offsets bring each label's expected count to what was counted."""

import numpy as np
import pytest
import scipy.special

from data_pipelines import errors, labels
from inclusive_tf.adaptation import label_offsets, temperature


def _world(seed=0, rows=3000, classes=12, slope=1.0, intercept=0.0):
    """Labels whose logits are off by a line, and by a number of their own."""
    generator = np.random.default_rng(seed)
    own = np.linspace(-1.5, 1.5, classes)
    right = generator.normal(-2.0, 2.0, (rows, classes))
    shown = generator.random(right.shape) < scipy.special.expit(right)
    truth = labels.SparseLabels.from_dense(shown)
    logits = (right - own - intercept) / slope
    return logits.astype(np.float32), truth, own


def test_the_line_is_that_of_the_temperature():
    logits, truth, _ = _world(slope=1.7, intercept=-0.8)
    expected = temperature.fit(logits, truth)
    found = label_offsets.line(logits, truth)
    np.testing.assert_allclose(found, (expected.slope, expected.offset), atol=0.01)


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_the_line_follows_the_scale_of_the_logits(scale):
    logits, truth, _ = _world()
    slope, intercept = label_offsets.line(logits, truth)
    found = label_offsets.line((scale * logits).astype(np.float32), truth)
    np.testing.assert_allclose(found, (slope / scale, intercept), rtol=0.02)


def test_what_a_label_is_off_by_is_found_but_for_what_all_have_in_common():
    logits, truth, own = _world(rows=20000)
    found = label_offsets.fit(logits, truth).offset
    difference = found - own
    np.testing.assert_allclose(difference, difference.mean(), atol=0.2)


def test_the_expected_count_is_the_count():
    logits, truth, _ = _world()
    slope, intercept = label_offsets.line(logits, truth)
    found = label_offsets.fit(logits, truth)
    moved = slope * (logits + found.offset) + intercept
    expected = scipy.special.expit(moved).sum(axis=0)
    np.testing.assert_allclose(expected, truth.counts(), atol=1.0)
    np.testing.assert_array_equal(found.positives, truth.counts())


def test_labels_without_an_image_stay_and_do_not_move_others():
    logits, truth, _ = _world(classes=4)
    wide = np.hstack([logits[:, :2], np.full((3000, 1), -9.0), logits[:, 2:]])
    dense = truth.multi_hot()
    dense = np.hstack([dense[:, :2], np.zeros((3000, 1), bool), dense[:, 2:]])
    found = label_offsets.fit(
        wide.astype(np.float32), labels.SparseLabels.from_dense(dense)
    )
    assert found.offset[2] == 0
    expected = label_offsets.fit(logits, truth).offset
    np.testing.assert_allclose(np.delete(found.offset, 2), expected, atol=0.02)


def test_only_stated_labels_count_where_the_others_are_unknown():
    logits, truth, _ = _world(classes=5)
    stated = np.random.default_rng(1).random(logits.shape) < 0.4
    dense = np.where(truth.multi_hot(), 1.0, 0.25)
    partial = labels.SparseLabels.from_dense(np.where(stated, dense, 0.0))
    found = label_offsets.fit(logits, partial, unlisted_is_absent=False)
    other = np.where(stated, logits, 17.0).astype(np.float32)
    again = label_offsets.fit(other, partial, unlisted_is_absent=False)
    np.testing.assert_allclose(found.offset, again.offset)
    whole = label_offsets.fit(logits, truth).offset
    np.testing.assert_allclose(found.offset, whole, atol=0.4)


def test_logits_that_separate_or_say_nothing_give_finite_offsets():
    truth = labels.SparseLabels.from_lists([[0], [0, 1], [0], []], 3)
    sure = np.where(truth.multi_hot(), 9.0, -9.0).astype(np.float32)
    endless = np.where(truth.multi_hot(), np.inf, -np.inf).astype(np.float32)
    for logits in (sure, -sure, 0 * sure, endless):
        for absent in (True, False):
            found = label_offsets.fit(logits, truth, absent)
            assert np.isfinite(found.offset).all()
            assert found.offset[2] == 0


def test_truth_without_labels_is_refused():
    nothing = labels.SparseLabels.from_lists([[], []], 2)
    with pytest.raises(errors.DataError, match="no image shows any label"):
        label_offsets.fit(np.zeros((2, 2), np.float32), nothing)
