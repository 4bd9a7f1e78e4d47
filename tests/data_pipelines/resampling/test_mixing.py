"""Rare images are mixed with their like, by random numbers of their own."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipelines import errors, hashing, labels, neighbours
from data_pipelines.resampling import mixing


def partners_by_definition(features, dense, below, count):
    counts = dense.sum(axis=0)
    found = np.full((len(dense), count), -1)
    for row, shown in enumerate(dense):
        if not shown.any():
            continue
        label = min(np.flatnonzero(shown), key=lambda label: (counts[label], label))
        if counts[label] >= below:
            continue
        others = [o for o in np.flatnonzero(dense[:, label]) if o != row]
        distance = np.square(features[others] - features[row]).sum(axis=1)
        nearest = [others[place] for place in np.argsort(distance, kind="stable")]
        found[row, : len(nearest)] = nearest[:count]
    return found


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 15), st.integers(1, 4),
       st.integers(0, 10_000))  # fmt: skip
def test_partners_are_the_nearest_of_the_rarest_label(
    count, classes, below, most, seed
):
    generator = np.random.default_rng(seed)
    dense = generator.random((count, classes)) < generator.uniform(0, 0.6, classes)
    features = generator.integers(0, 5, (count, 2)).astype(np.float32)
    rows = labels.SparseLabels.from_dense(dense)
    found = mixing.partners(lambda wanted: features[wanted], rows, below, most)
    expected = partners_by_definition(features, dense, below, most)
    np.testing.assert_array_equal(found, expected)


def partners_by_a_plain_loop(features, rows, below, count):
    """Looks for each label's images among all entries."""
    present = rows.present()
    owner, counts = present.rows(), present.counts()
    rarest = mixing._rarest(owner, present.index, counts, len(rows))
    found = np.full((len(rows), count), -1, np.int64)
    for label in np.flatnonzero((counts > 1) & (counts < below)):
        members = owner[present.index == label]
        index, _ = neighbours.nearest(
            features[members], features[members], count, exclude_self=True
        )
        index = np.where(index < 0, -1, members[index])
        mine = rarest[members] == label
        found[members[mine]] = index[mine]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_partners_are_those_of_a_plain_loop_over_the_labels(seed):
    """Labels of a row in any order, some of them verified to be absent."""
    generator = np.random.default_rng(seed)
    length = generator.integers(0, 7, 1500)
    shown = [generator.choice(300, size, replace=False) for size in length]
    rows = labels.SparseLabels.from_lists(shown, 310)
    confidence = generator.choice([0, 0.3, 0.7, 1], len(rows.index)).astype(np.float32)
    rows = dataclasses.replace(rows, confidence=confidence)
    # many at the same distance, of which the first comes first
    features = generator.integers(0, 3, (1500, 2)).astype(np.float32)
    found = mixing.partners(lambda wanted: features[wanted], rows, 11, 5)
    expected = partners_by_a_plain_loop(features, rows, 11, 5)
    assert (found >= 0).any()
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_verified_absence_makes_no_partner():
    rows = labels.SparseLabels(
        np.arange(5), np.zeros(4, np.int32), np.array([1, 1, 0, 0.3], "f4"), 1
    )
    found = mixing.partners(lambda wanted: np.eye(4)[wanted], rows, below=9, count=1)
    assert found[:, 0].tolist() == [1, 0, -1, -1]


def test_only_images_with_a_rare_label_are_measured():
    rows = labels.SparseLabels.from_lists([[0], [0, 1], [0], [1, 2], [0], []], 3)
    asked = []

    def measure(wanted):
        asked.append(wanted.tolist())
        return np.eye(6)[wanted]

    found = mixing.partners(measure, rows, below=3, count=2)
    assert asked == [[1, 3]]
    # the rarest label of image 3 is its own alone
    assert found.tolist() == [[-1, -1], [3, -1]] + 4 * [[-1, -1]]
    mixing.partners(measure, rows, below=0)
    assert len(asked) == 1


def draws(count, copies=3):
    example = np.repeat(np.arange(count), copies)
    copy = np.tile(np.arange(copies), count)
    return [tf.constant(part) for part in (np.full(len(copy), 4), example, copy)]


def test_every_partner_is_chosen_alike_and_shares_are_uniform():
    partners = np.tile([5, 6, 7, -1], (2000, 1))
    choose = mixing.Mixing(partners, 0.4).chooser(seed=3)
    keys = draws(2000, copies=2)
    partner, share = (part.numpy() for part in choose(*keys))
    again = keys[2].numpy() > 0
    assert (partner[~again] == -1).all()
    assert (share[~again] == 0).all()
    counts = np.bincount(partner[again])[5:]
    # 5 standard deviations of a binomial
    np.testing.assert_allclose(counts, 2000 / 3, atol=5 * (2000 * 2 / 9) ** 0.5)
    uniform = np.sort(share[again]) / 0.4
    assert np.abs(uniform - np.linspace(0, 1, 2000)).max() < 0.05
    assert abs(np.corrcoef(partner[again], share[again])[0, 1]) < 0.1


def test_random_numbers_are_shared_with_neither_augmentation_nor_selection():
    """A share that moved with brightness would be a pattern to learn."""
    keys = draws(3000, copies=2)
    partners = np.tile([1, 2, 3, 4], (3000, 1))
    partner, share = mixing.Mixing(partners, 1.0).chooser(seed=0)(*keys)
    again = keys[2].numpy() > 0
    augmented = hashing.uniforms(tf.stack(keys, axis=1), 0, 9)
    noise = hashing.uniforms(tf.stack([*keys, tf.ones_like(keys[0])], axis=1), 0, 9)
    selection = hashing.uniforms(
        tf.stack([*keys[:2], -tf.ones_like(keys[0])], axis=1), 0, 1
    )
    for other in (augmented, noise, selection):
        for mine in (partner, share):
            both = np.concatenate([mine.numpy()[:, None], other.numpy()], axis=1)[again]
            assert np.abs(np.corrcoef(both.T)[0, 1:]).max() < 0.08
            assert not np.isin(share.numpy()[again], other.numpy()).mean() > 0.01


def test_a_choice_does_not_depend_on_its_batch():
    partners = np.random.default_rng(0).integers(0, 50, (50, 3))
    choose = tf.function(mixing.Mixing(partners).chooser(seed=1))
    keys = draws(50)
    whole = choose(*keys)
    for start in range(0, 150, 7):
        part = choose(*(key[start : start + 7] for key in keys))
        for found, expected in zip(part, whole, strict=True):
            np.testing.assert_array_equal(found, expected[start : start + 7])


def test_targets_are_blended_and_unknown_stays_unknown():
    first = tf.constant([[1.0, 0.0, -1.0, 0.5], [1.0, 0.0, 0.0, 1.0]])
    second = tf.constant([[0.0, -1.0, 1.0, 1.0], [-1.0, 1.0, 0.0, 1.0]])
    blended = mixing.blend_targets(first, second, tf.constant([0.25, 0.0]))
    np.testing.assert_allclose(blended, [[0.75, -1, -1, 0.625], [1, 0, 0, 1]])


def test_settings_that_cannot_be_used_are_refused():
    rows = labels.SparseLabels.from_lists([[0], [0]], 1)
    for share in (0, 1.1, float("nan")):
        with pytest.raises(errors.SettingError, match="up to 1"):
            mixing.Mixing(np.zeros((2, 1), int), share)
    with pytest.raises(errors.SettingError, match="Received: 0"):
        mixing.partners(lambda wanted: np.eye(2)[wanted], rows, 5, 0)
    with pytest.raises(errors.DataError, match="Received: 3"):
        mixing.partners(lambda wanted: np.eye(3), rows, 5)
