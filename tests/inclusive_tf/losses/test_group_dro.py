"""Group weights follow the worst group, exactly, on one replica or several."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import labels
from inclusive_tf import losses
from inclusive_tf.losses import group_dro

COUNTS = (900, 80, 20)


def build(**settings):
    return losses.build(losses.LossConfig("group_dro", group_counts=COUNTS, **settings))


@pytest.fixture
def batch():
    generator = np.random.default_rng(0)
    targets = (generator.random((16, 5)) < 0.4).astype(np.float32)
    targets[generator.random(targets.shape) < 0.2] = labels.UNKNOWN
    logits = generator.normal(0, 2, (16, 5)).astype(np.float32)
    groups = np.repeat([0, 1, 2], [10, 4, 2])
    logits[groups == 2] -= 6 * (targets[groups == 2] - 0.5)  # group 2 is got wrong
    return targets, logits, groups


def plain(targets, logits, groups, weights, step_size=0.01, adjustment=0.0):
    """Algorithm 1 of the paper, a group at a time: (loss, next weights)."""
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    entropy = -(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    means, moved = np.zeros(len(weights)), np.array(weights, np.float64)
    for group in range(len(weights)):
        pairs = entropy[groups == group][targets[groups == group] >= 0]
        if len(pairs):
            means[group] = pairs.mean()
            added = adjustment / np.sqrt(COUNTS[group])
            moved[group] *= np.exp(step_size * 5 * (means[group] + added))
    moved /= moved.sum()
    return (moved * means).sum(), moved


def test_a_step_is_the_papers(batch):
    loss, weights = build(step_size=0.2, adjustment=3.0), np.full(3, 1 / 3)
    for _ in range(4):
        expected, weights = plain(*batch, weights, 0.2, 3.0)
        assert float(loss.of_batch(*batch)) == pytest.approx(expected, rel=1e-5)
        np.testing.assert_allclose(loss.group_weights, weights, rtol=1e-5)


def test_the_gradient_is_that_of_the_weighted_loss(batch):
    targets, logits, groups = batch
    _, weights = plain(*batch, np.full(3, 1 / 3), 0.5)
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = build(step_size=0.5).of_batch(targets, variable, groups)
    gradient = tape.gradient(value, variable).numpy()
    assert not gradient[targets < 0].any()
    for row, column in ((0, 0), (11, 2), (15, 4), (14, 1)):
        moved = [logits.astype(np.float64).copy() for _ in range(2)]
        moved[0][row, column] += 1e-4
        moved[1][row, column] -= 1e-4
        # a step of 0 keeps the weights that the batch already moved
        high, low = (plain(targets, one, groups, weights, 0)[0] for one in moved)
        assert gradient[row, column] == pytest.approx(
            (high - low) / 2e-4, rel=1e-3, abs=1e-6
        )


def test_the_worst_group_comes_to_weigh_most(batch):
    loss = build(step_size=0.1)
    for _ in range(30):
        loss.of_batch(*batch)
    assert np.argmax(loss.group_weights) == 2
    assert float(np.sum(loss.group_weights)) == pytest.approx(1, rel=1e-6)


def test_groups_that_are_not_in_the_batch_keep_their_proportions(batch):
    targets, logits, groups = batch
    loss = build(step_size=0.3, adjustment=2.0)
    loss.of_batch(targets, logits, np.zeros_like(groups))
    weights = np.asarray(loss.group_weights)
    assert weights[1] == pytest.approx(weights[2])
    assert weights[0] > weights[1]


def test_a_small_group_gains_by_the_adjustment(batch):
    targets, logits, _ = batch
    groups = np.tile([0, 2], 8)
    plain_loss, adjusted = build(step_size=0.1), build(step_size=0.1, adjustment=5.0)
    for loss in (plain_loss, adjusted):
        loss.of_batch(targets, logits, groups)
    ratios = [
        float(loss.group_weights[2] / loss.group_weights[0])
        for loss in (plain_loss, adjusted)
    ]
    assert ratios[1] > ratios[0]


def test_a_group_without_training_images_never_weighs():
    loss = losses.build(losses.LossConfig("group_dro", group_counts=(10, 0, 10)))
    np.testing.assert_allclose(loss.group_weights, [0.5, 0, 0.5])
    loss.of_batch(np.ones((2, 3)), np.zeros((2, 3)), np.array([0, 2]))
    assert float(loss.group_weights[1]) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_no_number_leaves_the_weights_alone(batch, bad):
    targets, logits, groups = batch
    loss = build()
    broken = logits.copy()
    broken[3] = bad
    targets = np.zeros_like(targets)
    assert not np.isfinite(float(loss.of_batch(targets, broken, groups)))
    np.testing.assert_allclose(loss.group_weights, 1 / 3, rtol=1e-6)


def test_large_steps_stay_finite():
    weights = group_dro.next_weights(
        np.array([0.5, 0.5], np.float32), np.array([1e6, 1e6 - 1], np.float32),
        np.array([True, True]), 1.0,
    )  # fmt: skip
    np.testing.assert_allclose(weights, [0.7310586, 0.2689414], rtol=1e-5)


def test_replicas_move_alike_and_their_losses_add_up(batch):
    """What all_reduce must bring, played by hand: sums over two halves."""
    whole, parts = build(step_size=0.4), [build(step_size=0.4) for _ in range(2)]
    expected = float(whole.of_batch(*batch))
    halves = [tuple(part[rows] for part in batch) for rows in
              (slice(0, 16, 2), slice(1, 16, 2))]  # fmt: skip
    seen = [[], []]
    for loss, half, tensors in zip(parts, halves, seen, strict=True):
        loss.of_batch(*half, all_reduce=lambda t, kept=tensors: kept.append(t) or t)
    totals = [one + other for one, other in zip(*seen, strict=True)]
    found = 0.0
    for half in halves:
        loss, reduced = build(step_size=0.4), iter(totals)
        found += float(loss.of_batch(*half, all_reduce=lambda _, it=reduced: next(it)))
        np.testing.assert_allclose(loss.group_weights, whole.group_weights, rtol=1e-6)
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_batch_without_groups_is_refused(batch):
    with pytest.raises(ValueError, match='Expected: one with the key "group"'):
        build().of_batch(*batch[:2])


def test_it_compiles_and_keeps_its_state_outside_the_graph(batch):
    loss, eager = build(step_size=0.2), build(step_size=0.2)
    step = tf.function(loss.of_batch)
    for _ in range(3):
        arguments = [tf.constant(part) for part in batch]
        assert float(step(*arguments)) == pytest.approx(float(eager.of_batch(*batch)))
    np.testing.assert_allclose(loss.group_weights, eager.group_weights, rtol=1e-6)


def test_serialisation_starts_with_fresh_weights(batch):
    loss = build(step_size=0.2)
    loss.of_batch(*batch)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.group_counts == COUNTS
    np.testing.assert_allclose(again.group_weights, 1 / 3, rtol=1e-6)
