"""Times the default data's batches alone, and steps that wait for them.

    python -m tools.benchmarks.training_pipeline
    python -m tools.benchmarks.training_pipeline --keep_gib=0

First batches alone, in turn: those of the training pipeline (drawn, kept pixels looked
up, varied, with targets), the same with each file decoded when it is drawn, those of a
plain tf.data map and batch over shuffled files, and slices of one array that holds all
pixels, which is the limit. Then steps of the default model on batches of the pipeline,
and on one batch kept in memory. Takes every flag of a training. Prints Markdown; ends
with exit code 3 where the pipeline delivers fewer images than plain tf.data, or a step
with it takes more than 5 % longer than one that waits for nothing.
"""

import dataclasses
import itertools

from absl import flags

from flags import experiment_flags
from tools import command, parts
from tools.benchmarks import streams, turns

FLAGS = flags.FLAGS

OURS, DECODING = "our pipeline", "our pipeline, decoding each time"
PLAIN, SLICES = "tf.data map and batch", "slices of one array"
WITH_PIPELINE, WITHOUT = "a step with the pipeline", "a step on one batch in memory"
LEAST_OVER_PLAIN, MOST_OVER_MEMORY = 1.0, 1.05


def ours(table, rates, config):
    """Returns endless batches of the training pipeline."""
    from data_pipelines import batches

    return batches.training_batches(table, rates, config, epochs=10**6)


def plain(table, config):
    """Returns endless batches of shuffled files, as tf.data's guides make them."""
    import tensorflow as tf

    size = [config.image.height, config.image.width]

    def decode(path, target):
        image = tf.io.decode_image(
            tf.io.read_file(path), config.image.channels, expand_animations=False
        )
        return tf.image.resize(image, size) / 255.0, target

    targets = table.labels.targets(table.unlisted_is_absent)
    files = tf.data.Dataset.from_tensor_slices((table.locations, targets))
    shuffled = files.shuffle(len(table), seed=0).repeat()
    decoded = shuffled.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    return decoded.batch(config.batch_size, drop_remainder=True).prefetch(
        tf.data.AUTOTUNE
    )


def slices(table, config):
    """Yields rows of arrays that hold all pixels and targets, without end."""
    import numpy as np

    from data_pipelines import batches

    decoded = batches.evaluation_batches(table, config.image, 256)
    pixels = np.concatenate([batch["image"].numpy() for batch in decoded])
    targets = table.labels.targets(table.unlisted_is_absent)
    generator = np.random.default_rng(0)
    while True:
        order = generator.permutation(len(table))
        for first in range(0, len(order) - config.batch_size + 1, config.batch_size):
            rows = order[first : first + config.batch_size]
            yield pixels[rows], targets[rows]


def alone(table, rates, config, batches):
    """Returns {name: `streams.Stream`} of batches that nothing is done with."""
    sliced = slices(table, config)
    made = {
        OURS: ours(table, rates, config).take,
        DECODING: ours(table, rates, dataclasses.replace(config, keep_bytes=0)).take,
        PLAIN: plain(table, config).take,
        SLICES: lambda count: itertools.islice(sliced, count),
    }
    return {name: streams.Stream(start, batches) for name, start in made.items()}


def stepping(table, rates, config, take_step, steps):
    """Returns {name: `streams.Stream`} of losses, each of which is a step.

    Args:
        table: `labels.LabelTable` of the training split.
        rates: of `policies.rates`.
        config: `batches.PipelineConfig`.
        take_step: function of images and targets.
        steps: how many to time.
    """
    pipeline = ours(table, rates, config)
    kept = next(iter(pipeline))

    def stepped(batches):
        for batch in batches:
            yield float(take_step(batch["image"], batch["target"]))

    made = {
        WITH_PIPELINE: lambda count: stepped(pipeline.take(count)),
        WITHOUT: lambda count: stepped(itertools.repeat(kept, count)),
    }
    # the first of all traces
    return {name: streams.Stream(start, steps, 2) for name, start in made.items()}


def default_step(settings, classes):
    """Returns the compiled step of a training with these settings."""
    from inclusive_tf import losses, models
    from inclusive_tf.training import distribution, learner, step

    training = settings.training
    model, _ = models.build(models.ModelConfig(num_classes=classes, **settings.model))
    learns = learner.build(model, losses.build(training.loss), training, 10**6)
    return step.make(
        learns, distribution.one_device(), training.clip_norm, training.accumulate,
        training.jit_compile,
    )  # fmt: skip


def main(_):
    """Measures, prints, and says whether the goals are met."""
    from data_pipelines import batches, datasets
    from data_pipelines.resampling import policies

    settings = experiment_flags.config_from_flags()
    table = datasets.read_labels(settings.data)[0].select_split("train")
    rates = policies.rates(
        table, settings.resampling, len(table), **settings.resampling_settings
    )
    config = batches.PipelineConfig(
        settings.image, settings.augment, settings.training.batch_size,
        settings.carrier, settings.shuffle_buffer, settings.keep_bytes,
    )  # fmt: skip
    print(f"### Batches of {config.batch_size} of {len(table):,} training images\n")
    found = alone(table, rates, config, FLAGS.batches)
    within = turns.report(
        "Batches alone",
        turns.take(streams.ways(found, FLAGS.batches), FLAGS.rounds),
        FLAGS.batches * config.batch_size,
        "images",
        [turns.Goal(OURS, PLAIN, LEAST_OVER_PLAIN)],
    )
    take_step = default_step(settings, len(table.vocabulary))
    found = stepping(table, rates, config, take_step, FLAGS.steps)
    print()
    within &= turns.report(
        "Steps of the model",
        turns.take(streams.ways(found, FLAGS.steps), FLAGS.rounds),
        FLAGS.steps * config.batch_size,
        "images",
        [turns.Goal(WITH_PIPELINE, WITHOUT, MOST_OVER_MEMORY, "time")],
    )
    return parts.exit_code(within)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    experiment_flags.define()
    flags.DEFINE_integer("rounds", 9, "Turns of each way.", 1)
    flags.DEFINE_integer("batches", 100, "Batches to time in a turn.", 1)
    flags.DEFINE_integer("steps", 20, "Steps to time in a turn.", 1)


if __name__ == "__main__":
    define()
    command.run(main)
