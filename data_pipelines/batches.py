"""The stages in order: draws → bytes → pixels → batch → targets, augmentation.

    training    rates → carrier → read → decode → batch → targets → augment → prefetch
    evaluation  table, each example once in order → read → decode → batch → targets

Nothing is decoded that cannot be drawn, and the indexed carrier reads nothing else
either. Where all that can be drawn fits into memory, it is decoded once and kept.
Augmentation and targets work on whole batches, which is where they are fast.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from data_pipelines import augmentation, errors, images, labels
from data_pipelines.resampling import carriers

CARRIERS = ("indexed", "streaming")


@dataclasses.dataclass(frozen=True)
class PipelineConfig:
    """How batches are made.

    Args:
        image: `images.ImageConfig`.
        augment: `augmentation.AugmentationConfig`.
        batch_size: images a batch.
        carrier: `indexed` or `streaming`.
        shuffle_buffer: records the streaming carrier shuffles among.
        keep_bytes: memory for decoded pixels; data that need more are decoded each time
            they are drawn, and so is all that a streaming carrier brings.
        seed: decides draws and augmentation.
    """

    image: images.ImageConfig
    augment: augmentation.AugmentationConfig
    batch_size: int = 64
    carrier: str = "indexed"
    shuffle_buffer: int = 2048
    keep_bytes: int = 0
    seed: int = 0


def target_lookup(sparse_labels, unlisted_is_absent):
    """Returns a function from int64 [B] examples to float32 [B, C] targets, in graph.

    Args:
        sparse_labels: `labels.SparseLabels` of the whole table.
        unlisted_is_absent: whether a label that is not stated is absent; else its
            target is `labels.UNKNOWN`.
    """
    classes = tf.RaggedTensor.from_row_splits(
        tf.constant(sparse_labels.index, tf.int64), sparse_labels.offsets
    )
    confidence = tf.RaggedTensor.from_row_splits(
        tf.constant(sparse_labels.confidence, tf.float32), sparse_labels.offsets
    )
    fill = 0.0 if unlisted_is_absent else labels.UNKNOWN

    def lookup(examples):
        batch_classes = tf.gather(classes, examples)
        places = tf.stack([batch_classes.value_rowids(), batch_classes.flat_values], 1)
        shape = [tf.size(examples, tf.int64), sparse_labels.num_classes]
        return tf.tensor_scatter_nd_update(
            tf.fill(shape, fill), places, tf.gather(confidence, examples).flat_values
        )

    return lookup


def _in_order(table):
    """Elements {"example", "data"}, each example once."""
    examples = tf.data.Dataset.range(len(table)).map(lambda row: {"example": row})
    return table.storage.read(examples, table.locations)


def _draws(table, rates, config, epochs, first_epoch, first_draw):
    """Elements {"epoch", "example", "copy", "data"}, nothing decoded."""
    if config.carrier == "indexed":
        draws = carriers.indexed(rates, config.seed, epochs, first_epoch, first_draw)
        return table.storage.read(draws, table.locations)
    if config.carrier == "streaming":
        records = _in_order(table).map(lambda example: example["data"])
        return carriers.streaming(records, rates, config.seed, config.shuffle_buffer)
    raise errors.SettingError(
        f"Unknown carrier. Expected: one of {', '.join(CARRIERS)}. "
        f"Received: {config.carrier}."
    )


def fits(examples, image_config, keep_bytes):
    """Returns whether the decoded pixels of so many examples fit into `keep_bytes`."""
    config = image_config
    return 4 * examples * config.height * config.width * config.channels <= keep_bytes


def _decoded_in_batches(table, rates, config, epochs, first_epoch, first_draw):
    """Batches of {"epoch", "example", "copy", "image"}, each decoded when drawn."""

    def decode(draw):
        draw = dict(draw)
        return draw | {"image": images.decode(draw.pop("data"), config.image)}

    return (
        _draws(table, rates, config, epochs, first_epoch, first_draw)
        .map(decode, num_parallel_calls=tf.data.AUTOTUNE)
        # a smaller last batch would retrace the step
        .batch(config.batch_size, drop_remainder=True)
    )


def _kept_in_batches(table, rates, config, epochs, first_epoch, first_draw):
    """The same elements from pixels that are decoded once, here, and kept."""
    drawable = np.flatnonzero(rates > 0)
    kept = evaluation_batches(table.take(drawable), config.image, 256)
    pixels = tf.concat([batch["image"] for batch in kept], axis=0)
    places = np.full(len(table), -1)
    places[drawable] = np.arange(len(drawable))
    places = tf.constant(places)
    draws = carriers.indexed(rates, config.seed, epochs, first_epoch, first_draw)
    return draws.batch(config.batch_size, drop_remainder=True).map(
        lambda batch: (
            batch | {"image": tf.gather(pixels, tf.gather(places, batch["example"]))}
        ),
        num_parallel_calls=tf.data.AUTOTUNE,
    )


def training_batches(table, rates, config, epochs, first_epoch=0, first_draw=0):
    """Batches of full size for training.

    Args:
        table: `labels.LabelTable` of the training split.
        rates: float64 [N] of `resampling.policies.rates`.
        config: `PipelineConfig`.
        epochs: epochs to end at (indexed carrier; a stream has no end).
        first_epoch: epoch to go on in (indexed carrier; a stream is restored).
        first_draw: draws of that epoch already seen (indexed carrier).

    Returns:
        `tf.data.Dataset` of {"image": float32 [B, H, W, C], "target": float32 [B,
        classes], "example": int64 [B]}.

    Raises:
        tf.errors.InvalidArgumentError, tf.errors.NotFoundError: on reading, when an
            image is unreadable; `quality.scan` finds those beforehand.
    """
    lookup = target_lookup(table.labels, table.unlisted_is_absent)

    def finish(batch):
        keys = tf.stack([batch["epoch"], batch["example"], batch["copy"]], axis=1)
        return {
            "image": augmentation.augment(
                batch["image"], keys, config.seed, config.augment
            ),
            "target": lookup(batch["example"]),
            "example": batch["example"],
        }

    keep = config.carrier == "indexed" and fits(
        np.count_nonzero(rates > 0), config.image, config.keep_bytes
    )
    in_batches = _kept_in_batches if keep else _decoded_in_batches
    return (
        in_batches(table, rates, config, epochs, first_epoch, first_draw)
        .map(finish, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def evaluation_batches(table, image_config, batch_size):
    """Every example once, in the table's order; the last batch may be smaller.

    Args:
        table: `labels.LabelTable`.
        image_config: `images.ImageConfig`.
        batch_size: images a batch.

    Returns:
        `tf.data.Dataset` of the elements of `training_batches`.
    """
    lookup = target_lookup(table.labels, table.unlisted_is_absent)

    def decode(example):
        return {
            "image": images.decode(example["data"], image_config),
            "example": example["example"],
        }

    return (
        _in_order(table)
        .map(decode, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(batch_size)
        .map(lambda batch: batch | {"target": lookup(batch["example"])})
        .prefetch(tf.data.AUTOTUNE)
    )


def measure_pixels(table, image_config, seed, sample=2000):
    """Mean and deviation of the pixels of a random sample of images.

    Args:
        table: `labels.LabelTable` of the training split.
        image_config: `images.ImageConfig`.
        seed: decides the sample.
        sample: images at most.

    Returns:
        (mean, deviation): tuples of floats, one a channel, of values in 0..1; the
        deviation is at least 1/255, so that blank data can be divided by it.
    """
    generator = np.random.default_rng([seed, len(table)])
    chosen = generator.permutation(len(table))[:sample]
    total = square = count = 0
    for batch in evaluation_batches(table.take(np.sort(chosen)), image_config, 256):
        pixels = batch["image"].numpy().astype(np.float64)
        total = total + pixels.sum(axis=(0, 1, 2))
        square = square + np.square(pixels).sum(axis=(0, 1, 2))
        count += pixels.size // pixels.shape[-1]
    mean = total / count
    deviation = np.sqrt(np.maximum(square / count - mean**2, 255.0**-2))
    return tuple(mean.tolist()), tuple(deviation.tolist())
