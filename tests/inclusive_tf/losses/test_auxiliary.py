"""Losses of second heads are their formulas in NumPy; unknown labels are left out."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from inclusive_tf.losses import auxiliary


def some_targets(seed, unknown=0.1, rows=9, classes=5):
    generator = np.random.default_rng(seed)
    targets = generator.random((rows, classes)).round(1)
    targets[generator.random(targets.shape) < 0.5] = 0
    targets[generator.random(targets.shape) < unknown] = -1
    return targets.astype(np.float32)


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.1, 1.0]))
@settings(max_examples=25, deadline=None)
def test_the_count_error_is_of_images_whose_labels_are_all_known(seed, unknown):
    targets = some_targets(seed, unknown)
    counts = np.random.default_rng(seed).normal(2, 1, 9).astype(np.float32)
    told = (targets >= 0).all(axis=1)
    expected = 0.0
    if told.any():
        expected = metrics.mean_squared_error(targets[told].sum(axis=1), counts[told])
    found = float(auxiliary.count_error(targets, counts))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.1, 1.0]))
@settings(max_examples=25, deadline=None)
def test_the_embedding_distance_is_the_mean_cosine_distance(seed, unknown):
    targets = some_targets(seed, unknown)
    targets[0] = 0
    generator = np.random.default_rng(seed)
    embeddings = generator.normal(size=(5, 4)).astype(np.float32)
    answers = generator.normal(size=(9, 4)).astype(np.float32)
    sums = np.maximum(targets, 0).astype(np.float64) @ embeddings
    told = np.flatnonzero(np.linalg.norm(sums, axis=1) > 1e-5)
    distances = [
        metrics.pairwise.cosine_distances(sums[[row]], answers[[row]])[0, 0]
        for row in told
    ]
    expected = np.mean(distances) if len(told) else 0.0
    found = float(auxiliary.embedding_distance(targets, embeddings, answers))
    assert found == pytest.approx(expected, abs=1e-5)


def test_gradients_are_finite_where_an_answer_or_a_sum_is_0():
    targets = np.array([[0, 0], [1, 0], [1, -1]], np.float32)
    embeddings = np.array([[1, 2], [0, 0]], np.float32)
    answers = tf.Variable(np.array([[0, 0], [0, 0], [1, 1]], np.float32))
    with tf.GradientTape() as tape:
        value = auxiliary.embedding_distance(targets, embeddings, answers)
        value += auxiliary.count_error(targets, answers[:, 0])
    assert np.isfinite(value)
    assert np.isfinite(tape.gradient(value, answers)).all()
