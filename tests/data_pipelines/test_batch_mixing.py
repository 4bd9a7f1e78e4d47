"""Mixup and CutMix within a batch, and batches that are augmented as configured."""

import dataclasses
import io

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from PIL import Image

from data_pipelines import augmentation, batch_mixing, batches, images, labels

GENERATOR = np.random.default_rng(0)
UNKNOWN = labels.UNKNOWN


def keys_of(count, epoch=0):
    return np.stack([np.full(count, epoch), np.arange(count) + 5, np.zeros(count)], 1)


def blended(pixels, targets, keys, epochs=None, seed=3, **amounts):
    """Blends, and returns NumPy arrays."""
    config = augmentation.AugmentationConfig(**amounts)
    found = batch_mixing.blend(
        tf.constant(pixels, tf.float32),
        tf.constant(targets, tf.float32),
        tf.constant(keys, tf.int64),
        seed,
        config,
        epochs,
    )
    return found[0].numpy(), found[1].numpy()


def numbered(count, height=10, width=14):
    """Images that are their own number, and targets that name it."""
    pixels = np.broadcast_to(
        np.arange(count, dtype=np.float32)[:, None, None, None],
        (count, height, width, 1),
    )
    return pixels, np.eye(count, dtype=np.float32)


@pytest.mark.parametrize("a", [0.1, 0.2, 1.0, 1.5, 8.0])
def test_shares_have_the_stated_beta_distribution(a):
    """Evenly spaced numbers leave no room for chance, only for the table's cells."""
    uniform = ((np.arange(100_000) + 0.5) / 100_000).astype(np.float32)
    drawn = np.sort(batch_mixing.beta(tf.constant(uniform), a).numpy())
    assert drawn[0] >= 0
    assert drawn[-1] <= 1
    # float32 holds nothing between 1 - 6e-8 and 1, where much mass lies if a is small
    at = np.concatenate([np.logspace(-9, -3, 50), np.linspace(0.001, 1 - 1e-6, 999)])
    empirical = np.searchsorted(drawn, at, side="right") / len(drawn)
    expected = scipy.stats.beta(a, a).cdf(at)
    np.testing.assert_allclose(empirical, expected, atol=1 / 4096)


@pytest.mark.parametrize("count", [2, 3, 64])
def test_partners_are_one_ring_through_the_whole_batch(count):
    partner = batch_mixing.partners(tf.constant(keys_of(count), tf.int64), 3).numpy()
    place, seen = 0, []
    for _ in range(count):
        seen.append(place)
        place = partner[place]
    assert sorted(seen) == list(range(count))
    assert place == 0


def test_partners_change_from_epoch_to_epoch():
    first, second = (
        batch_mixing.partners(tf.constant(keys_of(64, epoch), tf.int64), 3).numpy()
        for epoch in range(2)
    )
    assert (first == second).mean() < 0.2


def test_a_batch_of_one_is_left_alone():
    pixels, targets = GENERATOR.random((1, 4, 4, 3)), np.array([[0.0, 1.0]])
    found = blended(pixels, targets, keys_of(1), mixup=1, cutmix=1)
    np.testing.assert_allclose(found[0], pixels, rtol=1e-6)
    np.testing.assert_allclose(found[1], targets)


def test_mixup_blends_two_images_and_their_targets_by_one_share():
    count = 500
    pixels, targets = numbered(count)
    found, mixed = blended(pixels, targets, keys_of(count), mixup=0.4)
    partner = batch_mixing.partners(tf.constant(keys_of(count), tf.int64), 3).numpy()
    rows = np.arange(count)
    share = mixed[rows, partner]
    np.testing.assert_allclose(mixed[rows, rows], 1 - share, atol=1e-6)
    np.testing.assert_allclose(mixed.sum(axis=1), 1, atol=1e-6)
    expected = (1 - share) * rows + share * partner
    np.testing.assert_allclose(
        found, np.broadcast_to(expected[:, None, None, None], found.shape), atol=1e-3
    )
    folded = np.minimum(share, 1 - share).astype(float)
    assert (
        scipy.stats.kstest(
            folded, lambda value: 2 * scipy.stats.beta(0.4, 0.4).cdf(value)
        ).pvalue
        > 1e-3
    )
    # what is expected of each label stays: everyone is laid over somebody once
    assert mixed.sum(axis=0).mean() == pytest.approx(1)


def test_cutmix_pastes_a_box_whose_pixels_are_the_share():
    count, height, width = 300, 20, 30
    pixels, targets = numbered(count, height, width)
    found, mixed = blended(pixels, targets, keys_of(count), cutmix=1)
    partner = batch_mixing.partners(tf.constant(keys_of(count), tf.int64), 3).numpy()
    whole = 0
    for row in range(count):
        pasted = found[row, :, :, 0] == partner[row]
        assert (pasted | (found[row, :, :, 0] == row)).all()
        across, down = pasted.any(axis=0), pasted.any(axis=1)
        np.testing.assert_array_equal(pasted, down[:, None] & across[None])
        for line in (across, down):
            assert np.count_nonzero(np.diff(line.astype(int))) <= 2
        assert mixed[row, partner[row]] == pytest.approx(pasted.mean(), abs=1e-5)
        assert mixed[row, row] == pytest.approx(1 - pasted.mean(), abs=1e-5)
        if not (across[[0, -1]].any() or down[[0, -1]].any()):
            # a box that is not cut off has the image's proportions
            assert abs(across.sum() / width - down.sum() / height) <= 1 / height + 1e-6
            whole += 1
    assert whole > 20


def test_boxes_hold_the_pixels_whose_centres_they_hold():
    area = np.array([0.25, 0.04, 1.0, 0.0], np.float32)
    x = np.array([0.5, 0.0, 0.5, 0.5], np.float32)
    y = np.array([0.5, 0.999, 0.0, 0.5], np.float32)
    found = batch_mixing.boxes(*map(tf.constant, (area, x, y)), 8, 10).numpy()[..., 0]
    at_x, at_y = (np.arange(10) + 0.5) / 10, (np.arange(8) + 0.5) / 8
    for row in range(4):
        half = np.sqrt(area[row]) / 2
        expected = (np.abs(at_y - y[row]) < half)[:, None] & (
            np.abs(at_x - x[row]) < half
        )[None]
        np.testing.assert_array_equal(found[row], expected)
    assert found[3].sum() == 0


@pytest.mark.parametrize("amounts", [{"mixup": 0.5}, {"cutmix": 1, "mixup": 1}])
def test_the_order_within_a_batch_does_not_matter(amounts):
    pixels, targets = GENERATOR.random((32, 6, 6, 3)), GENERATOR.random((32, 4))
    keys, order = keys_of(32), GENERATOR.permutation(32)
    first = blended(pixels, targets, keys, **amounts)
    second = blended(pixels[order], targets[order], keys[order], **amounts)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one[order], other, atol=1e-6)


def test_what_is_unknown_of_either_is_unknown_of_both():
    pixels = GENERATOR.random((64, 4, 4, 1))
    targets = np.where(GENERATOR.random((64, 5)) < 0.3, UNKNOWN, 1.0)
    partner = batch_mixing.partners(tf.constant(keys_of(64), tf.int64), 3).numpy()
    _, mixed = blended(pixels, targets, keys_of(64), mixup=2)
    expected = (targets < 0) | (targets[partner] < 0)
    np.testing.assert_array_equal(mixed < 0, expected)
    np.testing.assert_allclose(mixed[expected], UNKNOWN)


def test_each_of_two_ways_gets_half_and_the_rest_is_left():
    count = 2000
    pixels, targets = numbered(count, 6, 6)
    found, _ = blended(
        pixels, targets[:, :1], keys_of(count),
        mixup=1, cutmix=1, batch_mix_probability=0.6,
    )  # fmt: skip
    own = np.arange(count)[:, None]
    flat = found.reshape(count, -1)
    partner = batch_mixing.partners(tf.constant(keys_of(count), tf.int64), 3).numpy()
    blended_all = (np.ptp(flat, axis=1) == 0) & (flat[:, 0] != own[:, 0])
    blended_all &= flat[:, 0] != partner
    pasted = (flat == partner[:, None]).any(axis=1)
    sigma = np.sqrt(0.3 * 0.7 / count)
    assert abs(blended_all.mean() - 0.3) < 5 * sigma
    # of boxes cut off at an edge few hold no pixel
    assert 0.25 - 5 * sigma < pasted.mean() < 0.3 + 5 * sigma


def test_nothing_asked_for_returns_what_was_given():
    pixels, targets = tf.zeros([2, 4, 4, 1]), tf.zeros([2, 3])
    config = augmentation.AugmentationConfig(mirror=0.5)
    found = batch_mixing.blend(pixels, targets, keys_of(2), 0, config)
    assert found[0] is pixels
    assert found[1] is targets


def test_the_schedule_begins_without_mixing():
    pixels, targets = GENERATOR.random((16, 4, 4, 1)), np.eye(16)
    for epoch, mixes in ((0, False), (1, True), (2, True)):
        found, mixed = blended(
            pixels, targets, keys_of(16, epoch), 3, mixup=1, schedule="soft_to_hard"
        )
        assert (found == pixels.astype(np.float32)).all() != mixes
        assert (mixed == targets).all() != mixes


@pytest.fixture
def table(tmp_path):
    """24 images of one grey each; label 1 is on two of them, label 0 on all others."""
    for number in range(24):
        buffer = io.BytesIO()
        Image.fromarray(np.full((8, 8), 100 + number, np.uint8)).save(buffer, "PNG")
        (tmp_path / f"{number}.png").write_bytes(buffer.getvalue())
    return labels.LabelTable(
        ids=np.array([f"i{number}" for number in range(24)]),
        locations=np.array([str(tmp_path / f"{number}.png") for number in range(24)]),
        labels=labels.SparseLabels.from_lists(
            [[int(number in (4, 9))] for number in range(24)], 2
        ),
        vocabulary=labels.Vocabulary(["a", "b"]),
        group=np.zeros(24, np.int32),
        group_names=("all",),
        split=np.zeros(24, np.int32),
        split_names=("train",),
    )


def stream(table, epochs, first_epoch=0, first_draw=0, **amounts):
    config = batches.PipelineConfig(
        images.ImageConfig(height=8, width=8, channels=1),
        augmentation.AugmentationConfig(**amounts),
        batch_size=8,
        keep_bytes=1 << 20,
    )
    rates = np.ones((1, len(table)))
    return list(
        batches.training_batches(
            table, rates, config, epochs, first_epoch, first_draw
        ).as_numpy_iterator()
    )


def test_training_goes_on_with_the_same_mixed_batches(table):
    how = {"mixup": 0.5, "cutmix": 1, "brightness": 0.1}
    whole = stream(table, 3, **how)
    rest = stream(table, 3, 1, 8, **how)
    assert len(whole) == 9
    assert any(((batch["target"] % 1) > 0).any() for batch in whole)
    for found, expected in zip(rest, whole[4:], strict=True):
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_batches_follow_the_schedule_to_its_end(table):
    whole = stream(table, 3, brightness=0.1, schedule="soft_to_hard")
    for number, batch in enumerate(whole):
        added = np.abs(batch["image"][:, 0, 0, 0] - (100 + batch["example"]) / 255)
        phase = number // 3
        assert (added < 1e-6).all() == (phase == 0)
        assert np.allclose(added, 0.1, atol=1e-6) == (phase == 2)


def test_only_images_of_rare_labels_are_varied_more_strongly(table):
    amounts = {"brightness": 0.1}
    plain = stream(table, 2, **amounts)
    stronger = stream(table, 2, rare_below=3, rare_strength=2.5, **amounts)
    for first, second in zip(plain, stronger, strict=True):
        own = (100 + first["example"])[:, None, None, None] / 255
        factor = np.where(np.isin(first["example"], (4, 9)), 2.5, 1.0)
        np.testing.assert_allclose(
            second["image"] - own,
            factor[:, None, None, None] * (first["image"] - own),
            atol=1e-6,
        )


def test_texts_cannot_be_mixed(table):
    how = augmentation.AugmentationConfig(cutmix=1)
    config = batches.PipelineConfig(
        images.ImageConfig(height=8, width=8, channels=1), how
    )
    with pytest.raises(ValueError, match=r"Texts cannot be mixed"):
        dataclasses.replace(config, text=np.zeros((24, 3), np.int32))
