"""Losses against plain NumPy statements of their formulas, and their gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import labels
from inclusive_tf import losses
from inclusive_tf.losses import binary_cross_entropy, multilabel_softmax

COUNTS = (900, 400, 120, 40, 9, 2, 1)
SHARES = tuple(count / 1000 for count in COUNTS)
ODDS = np.log(np.array(SHARES) / (1 - np.array(SHARES)))


def config(name, **settings):
    """A loss told of a data set of 7 labels and 2 groups."""
    return losses.LossConfig(
        name,
        label_counts=COUNTS,
        shares=SHARES,
        group_counts=(900, 100),
        **settings,
    )


def build(name, **settings):
    return losses.build(config(name, **settings))


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def mean_of_known(targets, terms):
    return terms[targets >= 0].mean()


def plain_binary(targets, logits, at=None):
    p = sigmoid(logits)
    return mean_of_known(
        targets, -(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    )


def plain_softmax(targets, logits, at=None):
    """The 4th place's double loop, with soft targets as weights."""
    total = 0.0
    for y, s in zip(targets, logits.astype(np.float64), strict=True):
        for k in np.flatnonzero(y > 0):
            others = [j for j in range(len(y)) if j != k and y[j] >= 0]
            rest = sum((1 - y[j]) * np.exp(s[j]) for j in others)
            total += y[k] * (np.log(np.exp(s[k]) + rest) - s[k])
    return total / targets[targets > 0].sum()


def plain_weighted(targets, logits, at=None):
    p, weight = sigmoid(logits), (1 - np.array(SHARES)) / np.array(SHARES)
    weight = np.clip(weight, 1 / 100, 100)
    return mean_of_known(
        targets, -(weight * targets * np.log(p) + (1 - targets) * np.log(1 - p))
    )


def plain_focal(targets, logits, at=None):
    p = sigmoid(logits)
    present = 0.25 * (1 - p) ** 2 * np.log(p)
    absent = 0.75 * p**2 * np.log(1 - p)
    return mean_of_known(targets, -(targets * present + (1 - targets) * absent))


def plain_class_balanced(targets, logits, at=None):
    weights = np.array([(1 - 0.999) / (1 - 0.999**n) for n in COUNTS])
    weights *= len(COUNTS) / weights.sum()
    p = sigmoid(logits)
    terms = -(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    for row, y in enumerate(np.where(targets > 0, targets, 0)):
        if y.any():
            terms[row] *= (y * weights).sum() / y.sum()
    return mean_of_known(targets, terms)


def plain_asymmetric(targets, logits, at=None):
    """`at`: the logits of the powers, through which no gradient flows."""
    p, fixed = sigmoid(logits), sigmoid(logits if at is None else at)
    q, fixed_q = np.maximum(p - 0.05, 0), np.maximum(fixed - 0.05, 0)
    present = (1 - fixed) * np.log(p)
    absent = fixed_q**4 * np.log(1 - q)
    return mean_of_known(targets, -(targets * present + (1 - targets) * absent))


def plain_distribution_balanced(targets, logits, at=None):
    total = 0.0
    for y, s in zip(targets, logits.astype(np.float64), strict=True):
        drawn = sum(y[c] / COUNTS[c] for c in range(len(y)) if y[c] > 0)
        for c in np.flatnonzero(y >= 0):
            share = 1 / COUNTS[c] / drawn if drawn else np.inf
            weight = 0.1 + 1 / (1 + np.exp(-10 * (share - 0.2)))
            z = s[c] + 0.05 * ODDS[c]
            present, absent = np.log1p(np.exp(-z)), np.log1p(np.exp(2 * z)) / 2
            total += weight * (y[c] * present + (1 - y[c]) * absent)
    return total / (targets >= 0).sum()


def plain_entropy(targets, logits, at=None):
    p = sigmoid(logits)
    return np.mean(-p * np.log(p) - (1 - p) * np.log(1 - p))


def plain_logit_adjusted(targets, logits, at=None):
    return plain_binary(targets, logits + ODDS)


def plain_soft_f2(targets, logits, at=None):
    found = []
    for y, p in zip(targets, sigmoid(logits), strict=True):
        y, p, e = y[y >= 0], p[y >= 0], 0.001
        hits, false, missed = (y * p).sum(), ((1 - y) * p).sum(), (y * (1 - p)).sum()
        precision, recall = hits / (hits + false + e), hits / (hits + missed + e)
        found.append(1 - 5 * precision * recall / (4 * precision + recall + e))
    return np.mean(found)


PLAIN = {
    "asymmetric": plain_asymmetric,
    "binary_cross_entropy": plain_binary,
    "class_balanced": plain_class_balanced,
    "distribution_balanced": plain_distribution_balanced,
    "entropy": plain_entropy,
    "focal": plain_focal,
    "group_dro": plain_binary,
    "logit_adjusted": plain_logit_adjusted,
    "multilabel_softmax": plain_softmax,
    "soft_f2": plain_soft_f2,
    "weighted_binary_cross_entropy": plain_weighted,
}

SUPERVISED = [name for name in losses.LOSSES if name != "entropy"]
"""Losses that look at targets, and so leave unknown labels out."""


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
    found = float(build(name)(targets, logits))
    assert found == pytest.approx(PLAIN[name](targets, logits), rel=1e-5)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_gradients_are_those_of_the_formula(name, targets, logits):
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = build(name)(targets, variable)
    gradient = tape.gradient(value, variable).numpy()
    step = 1e-4
    for row, column in ((0, 0), (3, 5), (11, 6), (7, 2)):
        moved = [logits.astype(np.float64).copy() for _ in range(2)]
        moved[0][row, column] += step
        moved[1][row, column] -= step
        high, low = (PLAIN[name](targets, one, at=logits) for one in moved)
        assert gradient[row, column] == pytest.approx(
            (high - low) / (2 * step), rel=1e-3, abs=1e-6
        )


@pytest.mark.parametrize("name", losses.LOSSES)
def test_extreme_logits_give_finite_losses_and_gradients(name, targets):
    for size in (100, 1e3, 1e8):
        variable = tf.Variable(np.sign(np.random.default_rng(0).normal(size=(12, 7)))
                               .astype(np.float32) * size)  # fmt: skip
        with tf.GradientTape() as tape:
            value = build(name)(targets, variable)
        assert np.isfinite(value)
        assert np.isfinite(tape.gradient(value, variable)).all()


@pytest.mark.parametrize("name", SUPERVISED)
def test_nothing_known_costs_nothing(name):
    unknown = np.full((3, 7), labels.UNKNOWN, np.float32)
    assert float(build(name)(unknown, np.ones((3, 7), np.float32))) == 0


@pytest.mark.parametrize("name", SUPERVISED)
def test_an_unknown_label_has_no_gradient(name, logits):
    targets = np.zeros((12, 7), np.float32)
    targets[:, 0], targets[:, 3] = 1, labels.UNKNOWN
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = build(name)(targets, variable)
    assert not tape.gradient(value, variable).numpy()[:, 3].any()


@pytest.mark.parametrize("name", losses.LOSSES)
def test_sums_over_parts_make_the_loss_of_the_whole(name, targets, logits):
    """What lets many devices have the loss of one."""
    loss = build(name)
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


def test_entropy_does_not_look_at_targets(targets, logits):
    loss, unknown = build("entropy"), np.full((12, 7), labels.UNKNOWN, np.float32)
    assert float(loss(targets, logits)) == float(loss(unknown, logits))
    assert float(loss(unknown, np.zeros((12, 7)))) == pytest.approx(np.log(2))


def test_binary_cross_entropy_agrees_with_keras_where_all_is_known(logits):
    targets = (np.random.default_rng(3).random((12, 7)) < 0.5).astype(np.float32)
    ours = binary_cross_entropy.MultilabelBinaryCrossentropy()(targets, logits)
    theirs = keras.losses.BinaryCrossentropy(from_logits=True)(targets, logits)
    assert float(ours) == pytest.approx(float(theirs), rel=1e-5)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_half_precision_logits_are_lifted_first(name, logits):
    targets = np.zeros((12, 7), np.float32)
    targets[:, 0] = 1
    value = build(name)(targets, tf.cast(logits * 1000, tf.float16))
    assert np.isfinite(value)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_a_loss_survives_serialisation(name, targets, logits):
    loss = build(name)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is type(loss)
    assert float(again(targets, logits)) == float(loss(targets, logits))


@pytest.mark.parametrize("name", losses.LOSSES)
def test_a_step_against_the_gradient_costs_less(name, targets, logits):
    loss, variable = build(name), tf.Variable(logits)
    with tf.GradientTape() as tape:
        before = loss(targets, variable)
    variable.assign_sub(0.5 * tape.gradient(before, variable))
    assert float(loss(targets, variable)) < float(before)


def test_an_unknown_loss_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"asymmetric, binary_cross_entropy, class_b"):
        losses.build("hinge")


def test_a_name_is_enough_for_a_loss_that_needs_no_data_set():
    assert losses.build("focal").gamma == 2
