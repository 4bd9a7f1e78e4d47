"""The schedule from none to soft to hard, and random numbers that nobody shares."""

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import augmentation, errors
from data_pipelines.augmentation import draws

COUNT = 300


def config(**amounts):
    return augmentation.AugmentationConfig(**amounts)


def keys_of(epoch):
    rows = np.arange(COUNT)
    return np.stack([np.full(COUNT, epoch), rows, np.zeros(COUNT, int)], axis=1)


def brightened(epoch, epochs, **amounts):
    """What is added to grey images in an epoch."""
    images = tf.fill([COUNT, 4, 4, 1], 0.5)
    varied = augmentation.augment(
        images, keys_of(epoch), 0, config(brightness=0.3, **amounts), epochs
    )
    return varied.numpy()[:, 0, 0, 0] - 0.5


def test_the_schedule_goes_from_none_to_soft_to_hard():
    for epoch in range(2):
        assert not brightened(epoch, 6, schedule="soft_to_hard").any()
    for epoch in (2, 3):
        soft = brightened(epoch, 6, schedule="soft_to_hard")
        np.testing.assert_array_equal(soft, brightened(epoch, 6))
        assert len(np.unique(soft)) > COUNT / 2
    for epoch in (4, 5):
        hard = brightened(epoch, 6, schedule="soft_to_hard")
        np.testing.assert_allclose(np.abs(hard), 0.3, atol=1e-6)
        # a value goes to the end of the interval that it is nearer to
        np.testing.assert_array_equal(hard > 0, brightened(epoch, 6) > 0)


@pytest.mark.parametrize(
    ("boundaries", "epochs", "expected"),
    [
        ((1 / 3, 2 / 3), 3, [0, 1, 2]),
        ((0.333, 0.667), 3, [0, 1, 2]),
        ((1 / 3, 2 / 3), 1, [1]),
        ((0.0, 1.0), 4, [1, 1, 1, 1]),
        ((0.5, 0.5), 4, [0, 0, 2, 2]),
        ((0.0, 0.0), 2, [2, 2]),
        ((0.1, 0.9), 10, [0, 1, 1, 1, 1, 1, 1, 1, 1, 2]),
    ],
)
def test_phases_begin_at_the_nearest_whole_epoch(boundaries, epochs, expected):
    schedule = config(schedule="soft_to_hard", boundaries=boundaries)
    found = draws.phases(tf.range(epochs, dtype=tf.int64), schedule, epochs)
    assert found.numpy().tolist() == expected


def test_before_it_begins_the_schedule_leaves_every_bit_of_everything():
    images = np.random.default_rng(0).random((30, 6, 8, 3), np.float32)
    everything = config(
        mirror=0.5, rotate=30, contrast=0.5, blur=0.5, noise=0.1, crop_scale=0.4,
        gamma=1, hue=0.5, grey=0.5, jpeg=1, rand_augment=2, schedule="soft_to_hard",
    )  # fmt: skip
    for epoch, same in ((0, True), (1, False), (2, False)):
        found = augmentation.augment(
            tf.constant(images), keys_of(epoch)[:30], 0, everything, 3
        ).numpy()
        assert (found == images).all() == same


def test_one_sided_amounts_have_nothing_at_their_other_end():
    images = tf.fill([COUNT, 8, 8, 1], 0.5)
    hard = config(noise=0.1, schedule="soft_to_hard")
    found = augmentation.augment(images, keys_of(2), 0, hard, 3).numpy()
    deviation = found.std(axis=(1, 2, 3))
    silent = deviation == 0
    assert 0.4 < silent.mean() < 0.6
    assert abs(deviation[~silent].mean() - 0.1) < 0.005


def test_a_schedule_that_does_not_know_its_end_is_refused():
    with pytest.raises(errors.SettingError, match=r"number of epochs\. Received: none"):
        brightened(0, None, schedule="soft_to_hard")


def test_streams_share_no_numbers():
    keys = tf.constant(keys_of(0))
    streams = (draws.NOISE_STREAM, draws.RAND_AUGMENT_STREAM, draws.BATCH_STREAM)
    columns = [draws.stream_uniforms(keys, 0, stream, 4).numpy() for stream in streams]
    columns.append(draws.draw(keys, 0, config()).uniforms.numpy())
    together = np.concatenate(columns, axis=1)
    correlated = np.corrcoef(together, rowvar=False)
    off = correlated[~np.eye(len(correlated), dtype=bool)]
    assert np.abs(off).max() < 5 / np.sqrt(COUNT)
