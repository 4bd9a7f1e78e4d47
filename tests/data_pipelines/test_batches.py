"""The stages in order: nothing is decoded that was not drawn, nothing is lost."""

import dataclasses
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data_pipelines import augmentation, batches, images, labels
from data_pipelines.resampling import mixing, plan

IMAGE = images.ImageConfig(height=8, width=8, channels=1)
PLAIN = augmentation.AugmentationConfig()
KEEPING = (0, 1 << 20)
VARIED = augmentation.AugmentationConfig(mirror=0.5, shift=0.2, brightness=0.2)


def write_png(path, level):
    buffer = io.BytesIO()
    pixels = np.full((8, 8), level, np.uint8)
    pixels[:3, :5] = 250
    Image.fromarray(pixels).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())


@pytest.fixture
def table(tmp_path):
    """20 images; the level of grey tells which one it is."""
    for number in range(20):
        write_png(tmp_path / f"{number}.png", 10 * number)
    rows = [[number % 3] if number % 5 else [0, 2] for number in range(20)]
    return labels.LabelTable(
        ids=np.array([f"i{number}" for number in range(20)]),
        locations=np.array([str(tmp_path / f"{number}.png") for number in range(20)]),
        labels=labels.SparseLabels.from_lists(rows, 3),
        vocabulary=labels.Vocabulary(["a", "b", "c"]),
        group=np.zeros(20, np.int32),
        group_names=("all",),
        split=np.zeros(20, np.int32),
        split_names=("train",),
    )


def pipeline(carrier="indexed", augment=PLAIN, batch_size=4, keep_bytes=0):
    return batches.PipelineConfig(
        IMAGE, augment, batch_size, carrier, 8, keep_bytes, seed=0
    )


def take(table, rates, config, count, **where):
    found = batches.training_batches(table, rates, config, epochs=100, **where)
    return list(found.take(count).as_numpy_iterator())


def count_decodes(monkeypatch):
    """Counts, inside the graph, how often an image is decoded."""
    decoded = []
    original = images.decode

    def counting(data, config):
        data = tf.numpy_function(
            lambda value: (decoded.append(1), value)[1], [data], tf.string
        )
        return original(tf.ensure_shape(data, []), config)

    monkeypatch.setattr(images, "decode", counting)
    return decoded


@pytest.mark.parametrize("carrier", batches.CARRIERS)
def test_rejected_images_are_never_decoded(table, carrier, monkeypatch):
    """Half of the images are not even images: decoding one would stop everything."""
    for location in table.locations[10:]:
        with open(location, "wb") as file:
            file.write(b"no image at all")
    rates = np.where(np.arange(20) < 10, 1.0, 0.0)[None]
    decoded = count_decodes(monkeypatch)
    whole = take(table, rates, pipeline(carrier), 10)
    assert {int(e) for batch in whole for e in batch["example"]} <= set(range(10))
    # what stands ready in buffers was decoded too, but never a multiple of the rest
    assert 40 <= len(decoded) <= 400


def test_one_epoch_decodes_as_many_images_as_it_draws(table, monkeypatch):
    decoded = count_decodes(monkeypatch)
    rates = np.where(np.arange(20) < 4, 4.0, 0.25)[None]
    whole = list(batches.training_batches(table, rates, pipeline(), epochs=1))
    assert len(decoded) == 4 * len(whole) == 20


@pytest.mark.parametrize("keep_bytes", [0, 1 << 20])
def test_rejected_files_are_never_read_with_an_index(table, keep_bytes):
    import os

    for location in table.locations[10:]:
        os.unlink(location)
    rates = np.where(np.arange(20) < 10, 1.0, 0.0)[None]
    assert len(take(table, rates, pipeline(keep_bytes=keep_bytes), 10)) == 10


def test_pixels_that_are_kept_are_decoded_once_and_give_the_same_batches(
    table, monkeypatch
):
    rates = np.repeat([[4.0, 0.5, 0.0]], [4, 8, 8], axis=1)
    where = {"first_epoch": 1, "first_draw": 4}
    expected = take(table, rates, pipeline(augment=VARIED), 10, **where)
    decoded = count_decodes(monkeypatch)
    config = pipeline(augment=VARIED, keep_bytes=12 * 8 * 8 * 4)
    for found, right in zip(take(table, rates, config, 10, **where), expected,
                            strict=True):  # fmt: skip
        for name, values in right.items():
            np.testing.assert_array_equal(found[name], values)
    assert len(decoded) == 12


def test_kept_batches_are_made_once_and_not_before_they_are_asked_for(
    table, monkeypatch
):
    decoded = count_decodes(monkeypatch)
    found = batches.evaluation_batches(table, IMAGE, 8)
    expected = list(found.as_numpy_iterator())
    decoded.clear()
    kept = batches.Kept(found)
    assert not decoded
    for _ in range(3):
        for batch, right in zip(kept, expected, strict=True):
            for name, values in right.items():
                np.testing.assert_array_equal(batch[name], values)
    assert len(decoded) == 20


def test_pixels_that_do_not_fit_are_decoded_when_drawn(table, monkeypatch):
    decoded = count_decodes(monkeypatch)
    config = pipeline(keep_bytes=20 * 8 * 8 * 4 - 1)
    list(batches.training_batches(table, np.ones((1, 20)), config, epochs=3))
    assert len(decoded) == 60


@pytest.mark.parametrize("carrier", batches.CARRIERS)
def test_image_target_and_example_belong_together(table, carrier):
    rates = np.ones((1, 20))
    expected = table.labels.targets(True)
    for batch in take(table, rates, pipeline(carrier), 10):
        np.testing.assert_array_equal(batch["target"], expected[batch["example"]])
        np.testing.assert_allclose(
            batch["image"][:, 7, 7, 0] * 255, 10 * batch["example"], atol=1e-3
        )


def test_batches_follow_the_plan_and_resume_within_an_epoch(table):
    rates = np.ones((1, 20))
    whole = take(table, rates, pipeline(), 10)
    drawn = np.concatenate([batch["example"] for batch in whole])
    expected = [plan.make(rates, 0, epoch).example for epoch in range(2)]
    np.testing.assert_array_equal(drawn, np.concatenate(expected))
    rest = take(table, rates, pipeline(augment=VARIED), 3, first_epoch=1, first_draw=8)
    unbroken = take(table, rates, pipeline(augment=VARIED), 10)[7:]
    for first, second in zip(rest, unbroken, strict=True):
        np.testing.assert_array_equal(first["image"], second["image"])


@pytest.mark.parametrize("keep_bytes", KEEPING)
def test_each_epoch_follows_its_alternative_and_all_that_can_come_is_there(
    table, keep_bytes
):
    """Images of one alternative alone, so that none may be missing from memory."""
    rates = np.repeat([[2.0, 0.0], [0.0, 2.0]], 10, axis=1)
    whole = take(table, rates, pipeline(keep_bytes=keep_bytes), 40)
    drawn = np.concatenate([batch["example"] for batch in whole]).reshape(8, 20)
    chosen = [plan.alternative(2, 0, epoch) for epoch in range(8)]
    assert set(chosen) == {0, 1}
    assert (drawn // 10 == np.array(chosen)[:, None]).all()
    level = np.concatenate([levels(batch) for batch in whole])
    np.testing.assert_allclose(level, drawn.ravel(), atol=1e-3)


@pytest.mark.parametrize("carrier", batches.CARRIERS)
def test_a_draw_may_show_one_of_its_labels_and_evaluation_shows_all(table, carrier):
    config = dataclasses.replace(pipeline(carrier), one_label="absent")
    shown = table.labels.targets(True)
    found = np.zeros((20, 3))
    for batch in take(table, np.full((1, 20), 2.0), config, 30):
        assert (batch["target"].sum(axis=1) == 1).all()
        assert (batch["target"] <= shown[batch["example"]]).all()
        np.add.at(found, batch["example"], batch["target"])
    # images with two labels show either in turn
    np.testing.assert_array_equal(found > 0, shown > 0)
    for batch in batches.evaluation_batches(table, IMAGE, 20):
        np.testing.assert_array_equal(batch["target"], shown)


def test_of_a_mix_each_image_shows_one_of_its_labels(table):
    partners = np.full((20, 1), -1)
    partners[0] = 6
    config = dataclasses.replace(mixed_pipeline(partners), one_label="absent")
    table = dataclasses.replace(
        table,
        labels=labels.SparseLabels.from_lists(
            [[0, 1] if row == 0 else [2, 3] for row in range(20)], 4
        ),
    )
    mixed = 0
    for batch in take(table, np.where(np.arange(20) == 0, 8.0, 0.0)[None], config, 20):
        own, other = batch["target"][:, :2], batch["target"][:, 2:]
        assert ((own > 0).sum(axis=1) == 1).all()
        np.testing.assert_allclose(own.sum(axis=1) + other.sum(axis=1), 1, atol=1e-6)
        assert ((other > 0).sum(axis=1) <= 1).all()
        mixed += np.count_nonzero(other)
    assert mixed > 0


def test_an_unknown_way_to_show_one_label_lists_the_known_ones(table):
    config = dataclasses.replace(pipeline(), one_label="two")
    with pytest.raises(ValueError, match=r"none, absent, unknown. Received: two"):
        batches.training_batches(table, np.ones((1, 20)), config, epochs=1)


def test_a_repeated_image_is_augmented_differently_each_time(table):
    rates = np.zeros((1, 20))
    rates[0, 3] = 8.0
    first, second, third = take(table, rates, pipeline(augment=VARIED, batch_size=8), 3)
    seen = np.concatenate([first["image"], second["image"], third["image"]])
    assert len(np.unique(seen.reshape(24, -1), axis=0)) == 24


def test_batches_have_a_static_shape(table):
    found = batches.training_batches(table, np.ones((1, 20)), pipeline(), epochs=1)
    assert found.element_spec["image"].shape == (4, 8, 8, 1)


def test_evaluation_gives_every_example_once_in_order(table):
    found = list(batches.evaluation_batches(table, IMAGE, 8).as_numpy_iterator())
    assert [len(batch["example"]) for batch in found] == [8, 8, 4]
    drawn = np.concatenate([batch["example"] for batch in found])
    np.testing.assert_array_equal(drawn, np.arange(20))


def test_labels_not_stated_are_absent_or_unknown():
    sparse = labels.SparseLabels(
        np.array([0, 2, 2]), np.array([0, 2], np.int32), np.array([0.7, 0.0], "f4"), 3
    )
    for absent in (True, False):
        lookup = batches.target_lookup(sparse, absent)
        found = lookup(tf.constant([1, 0, 0], tf.int64)).numpy()
        np.testing.assert_array_equal(found, sparse.targets(absent)[[1, 0, 0]])
        dataset = tf.data.Dataset.from_tensors(np.array([1, 0, 0])).map(lookup)
        np.testing.assert_array_equal(next(iter(dataset)), found)


def test_pixels_are_measured_as_numpy_would(table):
    mean, deviation = batches.measure_pixels(table, IMAGE, seed=0)
    pixels = np.stack(
        [np.asarray(Image.open(path), np.float64) / 255 for path in table.locations]
    )
    assert mean == pytest.approx((pixels.mean(),), rel=1e-5)
    assert deviation == pytest.approx((pixels.std(),), rel=1e-4)


def test_blank_images_have_a_deviation_that_can_be_divided_by(table, tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "0.png")
    mean, deviation = batches.measure_pixels(table.take([0]), IMAGE, seed=0)
    assert mean == (0.0,)
    assert deviation == pytest.approx((1 / 255,))


def test_an_unknown_carrier_lists_the_known_ones(table):
    with pytest.raises(ValueError, match=r"indexed, streaming. Received: bus"):
        batches.training_batches(table, np.ones((1, 20)), pipeline("bus"), epochs=1)


def mixed_pipeline(partners, max_share=0.5, **settings):
    return dataclasses.replace(
        pipeline(**settings), mix=mixing.Mixing(partners, max_share)
    )


@pytest.fixture
def partners():
    """Of 20 images the first four can be mixed: with one another or with number 19."""
    found = np.full((20, 2), -1)
    found[:4] = [[1, 19], [0, 2], [3, -1], [2, 19]]
    return found


def levels(batch):
    """What the grey of each image says its number is."""
    return batch["image"][:, 7, 7, 0] * 25.5


@pytest.mark.parametrize("keep_bytes", KEEPING)
def test_only_repeated_draws_with_a_partner_are_mixed(table, partners, keep_bytes):
    """Originals stay as they are; image and target are blended by the same share."""
    table = dataclasses.replace(
        table, labels=labels.SparseLabels.from_dense(np.eye(20))
    )
    rates = np.where(np.arange(20) < 8, 5.0, 0.0)[None]
    config = mixed_pipeline(partners, keep_bytes=keep_bytes, batch_size=8)
    drawn = plan.make(rates, 0, 0)
    whole = take(table, rates, config, 5)
    position, shares, chosen = 0, [], set()
    for batch in whole:
        for level, target, row in zip(
            levels(batch), batch["target"], batch["example"], strict=True
        ):
            assert row == drawn.example[position]
            share = 1 - target[row]
            assert 0 <= share <= 0.5
            if drawn.copy[position] == 0 or row >= 4:
                assert share == 0
                np.testing.assert_allclose(level, row, atol=1e-3)
            else:
                other = int(
                    np.flatnonzero(np.where(np.arange(20) == row, 0, target))[0]
                )
                assert other in partners[row]
                chosen.add((int(row), other))
                shares.append(share)
                np.testing.assert_allclose(
                    level, (1 - share) * row + share * other, atol=1e-3
                )
            position += 1
    assert len(np.unique(shares)) == len(shares) == 16
    assert {row for row, _ in chosen} == {0, 1, 2, 3}
    assert len(chosen) > 4


def test_mixing_is_the_same_from_kept_pixels_and_from_files(table, partners):
    rates = np.where(np.arange(20) < 10, 3.0, 0.0)[None]
    from_files, kept = (
        take(table, rates, mixed_pipeline(partners, keep_bytes=k, augment=VARIED), 15)
        for k in KEEPING
    )
    for first, second in zip(from_files, kept, strict=True):
        for name, values in first.items():
            np.testing.assert_array_equal(values, second[name], err_msg=name)


@pytest.mark.parametrize("keep_bytes", KEEPING)
def test_mixing_goes_on_as_if_never_broken_off(table, partners, keep_bytes):
    rates = np.where(np.arange(20) < 10, 3.0, 0.0)[None]
    config = mixed_pipeline(partners, keep_bytes=keep_bytes, augment=VARIED)
    whole = take(table, rates, config, 12)
    rest = take(table, rates, config, 2, first_epoch=1, first_draw=10)
    # 30 draws of the first epoch and 10 of the second make ten batches
    for first, second in zip(rest, whole[10:], strict=True):
        for name, values in first.items():
            np.testing.assert_array_equal(values, second[name], err_msg=name)


def test_only_mixed_draws_decode_two_images(table, partners, monkeypatch):
    rates = np.where(np.arange(20) < 10, 3.0, 0.0)[None]
    decoded = count_decodes(monkeypatch)
    config = mixed_pipeline(partners, batch_size=6)
    whole = list(batches.training_batches(table, rates, config, epochs=1))
    assert len(whole) == 5
    # of the three draws each of four images have, the first is not mixed
    assert len(decoded) == 30 + 4 * 2


def test_a_partner_that_is_never_drawn_is_decoded_all_the_same(table):
    partners = np.full((20, 1), -1)
    partners[0] = 19
    rates = np.where(np.arange(20) < 1, 8.0, 0.0)[None]
    for keep_bytes in KEEPING:
        config = mixed_pipeline(partners, 1.0, keep_bytes=keep_bytes)
        found = np.concatenate(
            [levels(batch) for batch in take(table, rates, config, 2)]
        )
        assert found.min() < 0.1
        assert found.max() > 5


def test_what_is_unknown_of_either_image_is_unknown_of_the_mix(table, partners):
    table = dataclasses.replace(table, unlisted_is_absent=False)
    rates = np.where(np.arange(20) == 0, 8.0, 0.0)[None]
    known = table.labels.targets(False)
    partners[0] = [1, 1]
    for batch in take(table, rates, mixed_pipeline(partners), 2):
        for level, target in zip(levels(batch), batch["target"], strict=True):
            unknown = known[0] < 0
            if level > 1e-3:
                unknown |= known[1] < 0
            np.testing.assert_array_equal(target < 0, unknown)


def test_a_stream_cannot_be_mixed(table, partners):
    with pytest.raises(ValueError, match=r"random access.* Received: streaming"):
        batches.training_batches(
            table,
            np.ones((1, 20)),
            mixed_pipeline(partners, carrier="streaming"),
            epochs=1,
        )


def test_what_is_kept_counts_pixels_and_the_labels_beside_them():
    config = images.ImageConfig(28, 28, 1)
    assert batches.fits(10, config, 4 * 10 * 784)
    assert not batches.fits(10, config, 4 * 10 * 784, labels_beside=1)
    assert batches.fits(10, None, 4 * 10 * 7178, labels_beside=7178)
    assert not batches.fits(10, None, 4 * 10 * 7178 - 1, labels_beside=7178)
