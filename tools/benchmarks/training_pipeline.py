"""Measures the default training beside one that waits for no data.

    python -m tools.benchmarks.training_pipeline

Steps of the default model at the default size, in turn: with batches from the pipeline
(files read, decoded, augmented) and with one batch kept in memory. Prints steps a
second (median over the rounds) and their ratio: 1 means that the pipeline costs
nothing.
"""

import statistics
import time

from absl import flags

from flags import experiment_flags
from tools import command

FLAGS = flags.FLAGS
experiment_flags.define()


def main(_):
    """Measures and prints."""
    from data_pipelines import batches, datasets
    from data_pipelines.resampling import policies
    from inclusive_tf import losses, models
    from inclusive_tf.training import distribution, learner, step

    settings = experiment_flags.config_from_flags()
    table, _ = datasets.read_labels(settings.data)
    table = table.select_split("train")
    model, _ = models.build(
        models.ModelConfig(num_classes=len(table.vocabulary), **settings.model)
    )
    loss = losses.build(settings.training.loss)
    take_step = step.make(
        learner.build(model, loss, settings.training, 10**6), distribution.one_device()
    )
    rates = policies.rates(table, settings.resampling, len(table))
    pipeline = batches.PipelineConfig(
        settings.image, settings.augment, settings.training.batch_size, seed=0
    )
    running = iter(batches.training_batches(table, rates, pipeline, epochs=10**6))
    kept = next(running)

    def rate_of(next_batch):
        started = time.perf_counter()
        for _ in range(FLAGS.steps):
            batch = next_batch()
            value = take_step(batch["image"], batch["target"])
        float(value)
        return FLAGS.steps / (time.perf_counter() - started)

    ways = {"pipeline": lambda: next(running), "in memory": lambda: kept}
    found = {name: [] for name in ways}
    for turn in range(FLAGS.rounds + 1):
        for name, next_batch in ways.items():
            rate = rate_of(next_batch)
            # the first round traces and warms up
            if turn:
                found[name].append(rate)
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    for name, rates in found.items():
        print(
            f"{name:<10}{medians[name]:>7.2f} steps/s [{min(rates):.2f}, "
            f"{max(rates):.2f}], {medians[name] * pipeline.batch_size:,.0f} images/s"
        )
    print(f"ratio     {medians['pipeline'] / medians['in memory']:>7.2f}")


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_integer("rounds", 9, "Rounds.", 1)
    flags.DEFINE_integer("steps", 20, "Steps a measurement.", 1)


if __name__ == "__main__":
    define()
    command.run(main)
