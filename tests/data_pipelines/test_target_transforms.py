"""One label of an image, drawn anew each time, and nothing else of it changed."""

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import labels, target_transforms

MANY = 40_000


def keys_of(count, epoch=0, copy=0):
    """Int64 [count, 3]: that many examples of an epoch."""
    columns = np.full(count, epoch), np.arange(count), np.full(count, copy)
    return tf.constant(np.stack(columns, axis=1), tf.int64)


def pick(targets, keys=None, seed=0, others="absent"):
    targets = tf.constant(targets, tf.float32)
    keys = keys_of(len(targets)) if keys is None else keys
    return target_transforms.one_label(targets, keys, seed, others).numpy()


def test_each_present_label_is_left_equally_often():
    row = np.array([0, 1, 1, 0, 0.8, labels.UNKNOWN, 0.3], np.float32)
    found = pick(np.tile(row, (MANY, 1)))
    kept, left = found[:, [0, 3, 5, 6]], found[:, [1, 2, 4]]
    assert (kept == row[[0, 3, 5, 6]]).all()
    assert ((left > 0).sum(axis=1) == 1).all()
    # a soft target stays as soft as it was
    assert set(np.unique(left[:, 2])) == {np.float32(0), np.float32(0.8)}
    sigma = np.sqrt(1 / 3 * 2 / 3 / MANY)
    assert (np.abs((left > 0).mean(axis=0) - 1 / 3) < 5 * sigma).all()


def test_the_other_labels_become_what_was_asked_for():
    row = np.array([1, 0, 1, labels.UNKNOWN], np.float32)
    for others, rest in (("absent", 0.0), ("unknown", labels.UNKNOWN)):
        found = pick(np.tile(row, (64, 1)), others=others)
        assert {tuple(one) for one in found.tolist()} == {
            (1.0, 0.0, rest, labels.UNKNOWN), (rest, 0.0, 1.0, labels.UNKNOWN)
        }  # fmt: skip


def test_images_with_one_label_or_none_stay_as_they_are():
    rows = np.array([[0, 1, 0.4], [0, 0, 0], [labels.UNKNOWN, 0.2, 0]], np.float32)
    for others in target_transforms.ONE_LABEL:
        np.testing.assert_array_equal(pick(rows, others=others), rows)


def test_without_a_way_all_labels_are_shown():
    rows = np.ones((5, 3), np.float32)
    np.testing.assert_array_equal(pick(rows, others="none"), rows)


def test_the_label_is_a_function_of_seed_epoch_example_and_copy():
    rows = np.ones((200, 4), np.float32)
    first = pick(rows)
    np.testing.assert_array_equal(pick(rows), first)
    for other in (
        pick(rows, seed=1),
        pick(rows, keys_of(200, epoch=1)),
        pick(rows, keys_of(200, copy=1)),
        np.roll(first, 1, axis=0),
    ):
        same = (other == first).all(axis=1).mean()
        assert abs(same - 1 / 4) < 5 * np.sqrt(3 / 16 / 200)


def test_the_place_in_the_batch_and_the_graph_make_no_difference():
    rows, keys = np.ones((64, 5), np.float32), keys_of(64)
    order = np.random.default_rng(0).permutation(64)
    first = pick(rows)
    np.testing.assert_array_equal(pick(rows, tf.gather(keys, order)), first[order])
    mapped = tf.data.Dataset.from_tensors((tf.constant(rows), keys)).map(
        lambda targets, key: target_transforms.one_label(targets, key, 0, "absent")
    )
    np.testing.assert_array_equal(next(iter(mapped)), first)


def test_another_way_lists_those_there_are():
    with pytest.raises(ValueError, match=r"none, absent, unknown. Received: both"):
        pick(np.ones((1, 2)), others="both")
