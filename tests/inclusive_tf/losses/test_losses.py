"""Losses against plain NumPy statements of their formulas, and their gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import labels
from inclusive_tf import losses
from inclusive_tf.losses import binary_cross_entropy, multilabel_softmax


def softplus(x):
    return np.logaddexp(0, x)


def plain_binary(targets, logits):
    known = targets >= 0
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    terms = -(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    return terms[known].mean()


def plain_softmax(targets, logits):
    """The 4th place's double loop, with soft targets as weights."""
    total = 0.0
    for y, s in zip(targets, logits.astype(np.float64), strict=True):
        for k in np.flatnonzero(y > 0):
            others = [j for j in range(len(y)) if j != k and y[j] >= 0]
            rest = sum((1 - y[j]) * np.exp(s[j]) for j in others)
            total += y[k] * (np.log(np.exp(s[k]) + rest) - s[k])
    return total / targets[targets > 0].sum()


PLAIN = {"binary_cross_entropy": plain_binary, "multilabel_softmax": plain_softmax}


@pytest.fixture(params=["hard", "soft", "masked"])
def targets(request):
    generator = np.random.default_rng(1)
    hard = (generator.random((12, 7)) < 0.3).astype(np.float32)
    if request.param == "soft":
        return hard * generator.choice([0.5, 0.7, 1.0], hard.shape).astype(np.float32)
    if request.param == "masked":
        hard[generator.random(hard.shape) < 0.3] = labels.UNKNOWN
    return hard


@pytest.fixture
def logits():
    return np.random.default_rng(2).normal(0, 3, (12, 7)).astype(np.float32)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_a_loss_is_its_formula(name, targets, logits):
    found = float(losses.build(name)(targets, logits))
    assert found == pytest.approx(PLAIN[name](targets, logits), rel=1e-5)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_gradients_are_those_of_the_formula(name, targets, logits):
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = losses.build(name)(targets, variable)
    gradient = tape.gradient(value, variable).numpy()
    step = 1e-4
    for row, column in ((0, 0), (3, 5), (11, 6), (7, 2)):
        moved = [logits.astype(np.float64).copy() for _ in range(2)]
        moved[0][row, column] += step
        moved[1][row, column] -= step
        high, low = (PLAIN[name](targets, one) for one in moved)
        assert gradient[row, column] == pytest.approx(
            (high - low) / (2 * step), rel=1e-3, abs=1e-6
        )


@pytest.mark.parametrize("name", losses.LOSSES)
def test_extreme_logits_give_finite_losses_and_gradients(name, targets):
    for size in (1e3, 1e8):
        variable = tf.Variable(np.sign(np.random.default_rng(0).normal(size=(12, 7)))
                               .astype(np.float32) * size)  # fmt: skip
        with tf.GradientTape() as tape:
            value = losses.build(name)(targets, variable)
        assert np.isfinite(value)
        assert np.isfinite(tape.gradient(value, variable)).all()


@pytest.mark.parametrize("name", losses.LOSSES)
def test_nothing_known_costs_nothing(name):
    unknown = np.full((3, 4), labels.UNKNOWN, np.float32)
    assert float(losses.build(name)(unknown, np.ones((3, 4), np.float32))) == 0


@pytest.mark.parametrize("name", losses.LOSSES)
def test_an_unknown_label_has_no_gradient(name, logits):
    targets = np.zeros((12, 7), np.float32)
    targets[:, 0], targets[:, 3] = 1, labels.UNKNOWN
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = losses.build(name)(targets, variable)
    assert not tape.gradient(value, variable).numpy()[:, 3].any()


@pytest.mark.parametrize("name", losses.LOSSES)
def test_sums_over_parts_make_the_loss_of_the_whole(name, targets, logits):
    """What lets many devices have the loss of one."""
    loss = losses.build(name)
    parts = [(targets[:5], logits[:5]), (targets[5:], logits[5:])]
    total = sum(float(tf.reduce_sum(loss.per_image(*part))) for part in parts)
    size = sum(float(tf.reduce_sum(loss.normaliser(part[0]))) for part in parts)
    assert total / size == pytest.approx(float(loss(targets, logits)), rel=1e-5)


def test_an_image_without_any_label_adds_nothing_to_the_softmax(logits):
    loss = multilabel_softmax.MultilabelSoftmaxCrossentropy()
    targets = np.zeros((12, 7), np.float32)
    targets[0, 2] = 1
    alone = float(loss(targets[:1], logits[:1]))
    assert float(loss(targets, logits)) == pytest.approx(alone, rel=1e-6)


def test_an_image_with_every_label_is_already_right_for_the_softmax(logits):
    loss = multilabel_softmax.MultilabelSoftmaxCrossentropy()
    assert float(loss(np.ones((12, 7), np.float32), logits)) == pytest.approx(0)


def test_binary_cross_entropy_agrees_with_keras_where_all_is_known(logits):
    targets = (np.random.default_rng(3).random((12, 7)) < 0.5).astype(np.float32)
    ours = binary_cross_entropy.MultilabelBinaryCrossentropy()(targets, logits)
    theirs = keras.losses.BinaryCrossentropy(from_logits=True)(targets, logits)
    assert float(ours) == pytest.approx(float(theirs), rel=1e-5)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_half_precision_logits_are_lifted_first(name, logits):
    targets = np.zeros((12, 7), np.float32)
    targets[:, 0] = 1
    value = losses.build(name)(targets, tf.cast(logits * 1000, tf.float16))
    assert np.isfinite(value)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_a_loss_survives_serialisation(name, targets, logits):
    loss = losses.build(name)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is type(loss)
    assert float(again(targets, logits)) == float(loss(targets, logits))


def test_an_unknown_loss_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"binary_cross_entropy, multilabel_softmax"):
        losses.build("hinge")
