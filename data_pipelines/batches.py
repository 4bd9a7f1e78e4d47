"""The stages in order: draws → bytes → pixels → batch → targets, augmentation.

    training    rates → carrier → read → decode → batch → targets → augment → mixup
    evaluation  table, each example once in order → read → decode → batch → targets

Nothing is decoded that cannot be drawn, and the indexed carrier reads nothing else
either. Where all that can be drawn fits into memory, it is decoded once and kept.
A draw that is mixed with another image (`resampling.mixing`) decodes two, others one.
Augmentation and targets work on whole batches, which is where they are fast.
Graphs are traced as they are written: their branches are `tf.cond`, so that AutoGraph,
a fifth of a short training's processor time, has nothing to do.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from data_pipelines import (
    augmentation,
    batch_mixing,
    errors,
    images,
    labels,
    target_transforms,
)
from data_pipelines.augmentation import rarity
from data_pipelines.resampling import carriers, mixing, plan

CARRIERS = ("indexed", "streaming")


@dataclasses.dataclass(frozen=True)
class PipelineConfig:
    """How batches are made.

    Args:
        image: `images.ImageConfig`; None reads no image, for models of text alone.
        augment: `augmentation.AugmentationConfig`.
        batch_size: images a batch.
        carrier: `indexed` or `streaming`.
        shuffle_buffer: records the streaming carrier shuffles among.
        keep_bytes: memory for decoded pixels (while they are gathered, twice as much);
            data that need more are decoded each time they are drawn, and so is all that
            a streaming carrier brings.
        seed: decides draws, augmentation and mixing.
        mix: `mixing.Mixing` of the training split, or None to mix nothing; needs the
            indexed carrier.
        one_label: one of `target_transforms.ONE_LABEL`; of a mix, each image shows one.
        text: int32 [N, L], tokens of the training split's texts, or None.
        worker: index of the worker that makes its share of each batch, from 0.
        workers: workers among whom a batch is divided; more than one need the indexed
            carrier. By mixup and CutMix, images of one share are blended.

    Raises:
        errors.SettingError: mixing, with a model that reads text, or a stream divided
            among workers.
    """

    image: images.ImageConfig | None
    augment: augmentation.AugmentationConfig
    batch_size: int = 64
    carrier: str = "indexed"
    shuffle_buffer: int = 2048
    keep_bytes: int = 0
    seed: int = 0
    mix: mixing.Mixing | None = None
    one_label: str = "none"
    text: np.ndarray | None = None
    worker: int = 0
    workers: int = 1

    @property
    def share(self):
        """`plan.Share` of the worker, which is all of it where there is one."""
        return plan.Share(self.batch_size, self.worker, self.workers)

    def __post_init__(self):
        if self.workers > 1 and self.carrier != "indexed":
            raise errors.SettingError(
                "A stream cannot be divided among workers. Expected: "
                "--carrier=indexed, which `tools.prepare` makes possible for any data "
                f"set. Received: {self.carrier}."
            )
        mixes = self.mix is not None or self.augment.mixup or self.augment.cutmix
        if mixes and (self.image is None or self.text is not None):
            raise errors.SettingError(
                "Texts cannot be mixed as pixels are. Expected: no mixing with models "
                "that read text. Received: both."
            )


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


def _draws(table, rates, config, epochs, first_epoch, first_draw):
    """Elements {"epoch", "example", "copy", "data"}, nothing decoded."""
    if config.carrier == "indexed":
        draws = _indexed(rates, config, epochs, first_epoch, first_draw)
        if config.mix is not None:
            draws = mixing.with_partners(draws, config.mix, config.seed)
        if config.image is None:
            return draws
        return table.storage.read(draws, table.locations)
    records = table.storage.records(table.locations)
    return carriers.streaming(
        records, rates, config.seed, config.shuffle_buffer, first_epoch
    )


def _indexed(rates, config, epochs, first_epoch, first_draw):
    # for one worker, draws need be no whole number of batches
    share = config.share if config.workers > 1 else None
    return carriers.indexed(rates, config.seed, epochs, first_epoch, first_draw, share)


def fits(examples, image_config, keep_bytes, labels_beside=0):
    """Returns whether what is kept of so many examples fits into `keep_bytes`.

    Args:
        examples: how many.
        image_config: `images.ImageConfig` of their pixels; None keeps none.
        keep_bytes: the limit.
        labels_beside: targets that are kept with each.
    """
    numbers = labels_beside
    if image_config is not None:
        config = image_config
        numbers += config.height * config.width * config.channels
    return 4 * examples * numbers <= keep_bytes


def _decoded_in_batches(table, rates, config, epochs, first_epoch, first_draw):
    """Batches of {"epoch", "example", "copy", "image"}, each decoded when drawn.

    Without an image config there is no image, and indexed draws read nothing.
    """

    def decode(draw):
        draw = dict(draw)
        data = draw.pop("data", None)
        if config.image is None:
            return draw
        return draw | {"image": images.decode(data, config.image)}

    draws = _draws(table, rates, config, epochs, first_epoch, first_draw)
    decoded = draws.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    if config.mix is not None:
        decoded = mixing.after_partners(decoded)
    # a smaller last batch would retrace the step
    return decoded.batch(config.share.size, drop_remainder=True)


def _needed(rates, config):
    """Returns int64: the rows that can be drawn, and what these can be mixed with."""
    drawable = np.flatnonzero((rates > 0).any(axis=0))
    if config.mix is None:
        return drawable
    mixed_with = config.mix.partners[drawable]
    return np.union1d(drawable, mixed_with[mixed_with >= 0])


def _kept_in_batches(table, rates, config, epochs, first_epoch, first_draw):
    """The same elements from pixels that are decoded once, here, and kept."""
    needed = _needed(rates, config)
    kept = evaluation_batches(table.take(needed), config.image, 256)
    pixels = tf.concat([batch["image"] for batch in kept], axis=0)
    places = np.full(len(table), -1)
    places[needed] = np.arange(len(needed))
    places = tf.constant(places)
    choose = None if config.mix is None else config.mix.chooser(config.seed)

    def look_up(batch):
        found = batch | {
            "image": tf.gather(pixels, tf.gather(places, batch["example"]))
        }
        if choose is None:
            return found
        partner, share = choose(batch["epoch"], batch["example"], batch["copy"])
        row = tf.where(partner < 0, batch["example"], partner)
        other = tf.gather(pixels, tf.gather(places, row))
        return found | {"partner": partner, "share": share, "other": other}

    draws = _indexed(rates, config, epochs, first_epoch, first_draw)
    return draws.batch(config.share.size, drop_remainder=True).map(
        look_up, num_parallel_calls=tf.data.AUTOTUNE
    )


def _require_carrier(config):
    if config.carrier not in CARRIERS:
        raise errors.SettingError(
            f"Unknown carrier. Expected: one of {', '.join(CARRIERS)}. "
            f"Received: {config.carrier}."
        )
    if config.mix is not None and config.carrier != "indexed":
        raise errors.SettingError(
            "Images can only be mixed by random access, which a stream does not give. "
            f"Expected: the carrier indexed. Received: {config.carrier}."
        )


def _varied(batch, image, target, strengths, config, epochs):
    """Augments a batch and lays its images over one another."""
    keys = tf.stack([batch["epoch"], batch["example"], batch["copy"]], axis=1)
    strength = None if strengths is None else tf.gather(strengths, batch["example"])
    how = config.augment
    image = augmentation.augment(image, keys, config.seed, how, epochs, strength)
    return batch_mixing.blend(image, target, keys, config.seed, how, epochs)


@tf.autograph.experimental.do_not_convert
def training_batches(table, rates, config, epochs, first_epoch=0, first_draw=0):
    """Batches of full size for training, or a worker's share of them.

    Args:
        table: `labels.LabelTable` of the training split.
        rates: float64 [K, N] of `resampling.policies.rates`.
        config: `PipelineConfig`.
        epochs: epochs to end at (indexed carrier; a stream has no end).
        first_epoch: epoch to go on in; a stream that is restored has its own.
        first_draw: draws of that epoch already seen (indexed carrier).

    Returns:
        `tf.data.Dataset` of {"image": float32 [B, H, W, C], "target": float32 [B,
        classes], "group": int32 [B], "example": int64 [B]}, and "text": int32 [B, L]
        with tokens; without an image config there is no "image". Where the target shows
        one label of several, "every" float32 [B, classes] shows all. Of a mixed draw,
        by `mix` or by mixup and CutMix of `augment`, image and target are blended;
        group, example, text and "every" are those of the one that was drawn.

    Raises:
        errors.SettingError: an unknown carrier or way to show one label, or mixing
            without random access.
        tf.errors.InvalidArgumentError, tf.errors.NotFoundError: on reading, when an
            image is unreadable; `quality.scan` finds those beforehand.
    """
    _require_carrier(config)
    target_transforms.require_one_label(config.one_label)
    lookup = target_lookup(table.labels, table.unlisted_is_absent)
    groups = tf.constant(table.group)
    strengths = rarity.strengths(
        table.labels, config.augment.rare_below, config.augment.rare_strength
    )

    def target_of(batch, example):
        keys = tf.stack([batch["epoch"], example, batch["copy"]], axis=1)
        return target_transforms.one_label(
            lookup(example), keys, config.seed, config.one_label
        )

    def finish(batch):
        target = target_of(batch, batch["example"])
        found = {
            "group": tf.gather(groups, batch["example"]),
            "example": batch["example"],
        }
        if config.image is None:
            return found | {"target": target}
        image = batch["image"]
        if config.mix is not None:
            share = batch["share"]
            image += share[:, None, None, None] * (batch["other"] - image)
            row = tf.where(batch["partner"] < 0, batch["example"], batch["partner"])
            target = mixing.blend_targets(target, target_of(batch, row), share)
        image, target = _varied(batch, image, target, strengths, config, epochs)
        return found | {"image": image, "target": target}

    keep = (
        config.image is not None
        and config.carrier == "indexed"
        and fits(len(_needed(rates, config)), config.image, config.keep_bytes)
    )
    in_batches = _kept_in_batches if keep else _decoded_in_batches
    found = in_batches(table, rates, config, epochs, first_epoch, first_draw).map(
        finish, num_parallel_calls=tf.data.AUTOTUNE
    )
    if config.one_label != "none":
        found = found.map(lambda batch: batch | {"every": lookup(batch["example"])})
    return _ready(_with_text(found, config.text))


@tf.autograph.experimental.do_not_convert
def evaluation_batches(table, image_config, batch_size, text=None):
    """Every example once, in the table's order; the last batch may be smaller.

    Args:
        table: `labels.LabelTable`.
        image_config: `images.ImageConfig`; None reads no image.
        batch_size: images a batch.
        text: int32 [N, L], tokens of the table's texts, or None.

    Returns:
        `tf.data.Dataset` of the elements of `training_batches`.
    """
    lookup = target_lookup(table.labels, table.unlisted_is_absent)
    groups = tf.constant(table.group)

    def look_up(batch):
        example = batch["example"]
        return batch | {"target": lookup(example), "group": tf.gather(groups, example)}

    def decode(example, data):
        return {"image": images.decode(data, image_config), "example": example}

    if image_config is None:
        examples = tf.data.Dataset.range(len(table)).map(lambda row: {"example": row})
    else:
        records = table.storage.records(table.locations).enumerate()
        examples = records.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    return _ready(_with_text(examples.batch(batch_size).map(look_up), text))


class Kept:
    """Batches that are made when first asked for, and kept as they are.

    `tf.data.Dataset.cache` keeps them as well, but has TensorFlow optimise the graphs
    that made them anew for each iterator.

    Args:
        found: `tf.data.Dataset`.
    """

    def __init__(self, found):
        self._found, self._kept = found, None

    def __iter__(self):
        if self._kept is None:
            self._kept = list(self._found)
        return iter(self._kept)


def _with_text(found, text):
    """Adds int32 [B, L] "text" to batches, looked up by example."""
    if text is None:
        return found
    tokens = tf.constant(text, tf.int32)

    def look_up(batch):
        return batch | {"text": tf.gather(tokens, batch["example"])}

    return found.map(look_up, num_parallel_calls=tf.data.AUTOTUNE)


def _ready(found):
    """Keeps batches ready, into which images go as soon as they are decoded."""
    options = tf.data.Options()
    # copied while they are in the processor's cache
    options.experimental_optimization.map_and_batch_fusion = True
    return found.prefetch(tf.data.AUTOTUNE).with_options(options)


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
