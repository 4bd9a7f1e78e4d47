"""Times our training loop beside bare compiled steps and beside Keras' `fit`.

    python -m tools.benchmarks.training_loop

Three copies of a model learn from the same batch in memory, --steps steps in turn,
--rounds times, in one process: by `loop.train` (looks at the loss, callbacks, counted
waiting), by a compiled step written out by hand, and by `fit`, whose start is not
counted. Turns are short and many, and the order of the last two changes, so that the
ways of a round meet the machine in the same state. Prints tables in Markdown: images a
second, the ratio of our rate to each with its 95 % interval (bootstrap of the median
over rounds), and what a checkpoint costs. Ends with exit code 3 when an interval begins
below 0.95, or a checkpoint a minute costs more than 2 % of the time.
"""

import statistics
import tempfile
import time

from absl import flags

from tools import command, parts
from tools.benchmarks import tables, turns

FLAGS = flags.FLAGS
LEAST_RATIO, MOST_SHARE = 0.95, 0.02
CHECKPOINT_SECONDS = 60.0
MODELS = {
    "densenet_small": {"height": 28, "width": 56, "batch_size": 64, "steps": 4},
    "densenet121": {"height": 64, "width": 64, "batch_size": 16, "steps": 2},
}
CLASSES = 15


def build(name, size):
    """Returns a new model of this name, always with the same weights."""
    from inclusive_tf import models

    return models.build(
        models.ModelConfig(name, CLASSES, size["height"], size["width"])
    )[0]


def bare_step(model):
    """Returns a compiled step of binary cross-entropy and Adam, written out by hand.

    Its Adam is the loop's, so that only what the loop adds is between the two.
    """
    import tensorflow as tf

    from inclusive_tf.training import optimizers

    optimizer = optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(images, targets):
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = tf.reduce_mean(
                tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
            )
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    return step


def fitting(model, batch, steps):
    """Returns a function that lets `fit` take steps; returns their seconds."""
    import keras
    import tensorflow as tf

    model.compile(
        keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True)
    )
    data = tf.data.Dataset.from_tensors((batch["image"], batch["target"])).cache()
    data = data.repeat().prefetch(2)

    class Clock(keras.callbacks.Callback):
        """Times the steps of a `fit` from its first to its last."""

        def on_train_batch_begin(self, index, logs=None):
            if index == 0:
                self.began = time.perf_counter()

        def on_train_batch_end(self, index, logs=None):
            if index == steps - 1:
                self.seconds = time.perf_counter() - self.began

    def fit():
        clock = Clock()
        model.fit(
            data, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[clock]
        )
        return clock.seconds

    return fit


def in_turn(name, size, rounds):
    """Returns {way: [seconds of each round]}."""
    import numpy as np
    import tensorflow as tf

    from inclusive_tf import losses, writers
    from inclusive_tf.training import config, loop

    generator = np.random.default_rng(0)
    shape = (size["batch_size"], size["height"], size["width"], 1)
    batch = {
        "image": tf.constant(generator.random(shape), tf.float32),
        "target": tf.constant(
            generator.random((size["batch_size"], CLASSES)) < 0.2, tf.float32
        ),
    }
    steps = FLAGS.steps or size["steps"]
    bare, fit = (
        bare_step(build(name, size)),
        fitting(build(name, size), batch, steps),
    )
    found = {"loop": [], "bare": [], "fit": []}

    def by_hand():
        began = time.perf_counter()
        for _ in range(steps):
            loss = bare(batch["image"], batch["target"])
        float(loss)
        return time.perf_counter() - began

    others = [("bare", by_hand), ("fit", fit)]

    def batches(*_):
        """Between the loop's rounds, the others take theirs."""
        for number in range(rounds + 1):
            began = time.perf_counter()
            for _ in range(steps):
                yield batch
            seconds = {"loop": time.perf_counter() - began}
            # each follows each of the others as often: what one leaves, another finds
            for way, take in others if number % 2 else reversed(others):
                seconds[way] = take()
            # the first round traces and warms up
            if number:
                for way, value in seconds.items():
                    found[way].append(value)
        yield batch

    settings = config.TrainingConfig(
        epochs=1, batch_size=size["batch_size"], checkpoint_minutes=0
    )
    with tempfile.TemporaryDirectory() as folder:
        loop.train(
            build(name, size),
            losses.build("binary_cross_entropy"),
            loop.Data(batches, None, steps * (rounds + 1) + 1),
            settings,
            loop.Surroundings(folder, writers.Several()),
        )
    return found


def checkpoint_seconds(name, size):
    """Returns the seconds that a checkpoint takes, the mean of ten after a first."""
    from inclusive_tf import losses
    from inclusive_tf.training import checkpoints, config, learner

    learns = learner.build(
        build(name, size),
        losses.build("binary_cross_entropy"),
        config.TrainingConfig(),
        1,
    )
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for step in range(11):
            began = time.perf_counter()
            checkpoints.save(folder, learns, checkpoints.State(step), keep=2)
            seconds.append(time.perf_counter() - began)
    return statistics.mean(seconds[1:])


def interval(ratios):
    """Returns the (0.025, 0.975) quantiles of the median, by bootstrap over rounds."""
    import numpy as np

    generator = np.random.default_rng(0)
    drawn = generator.choice(ratios, (10_000, len(ratios)))
    return np.quantile(np.median(drawn, axis=1), (0.025, 0.975))


def main(_):
    """Measures and prints."""
    met = True
    for name, size in MODELS.items():
        found = in_turn(name, size, FLAGS.rounds)
        images = size["batch_size"] * (FLAGS.steps or size["steps"])
        turns.report(f"Training steps, {name}", found, images, "images", [])
        rows = []
        for other in ("bare", "fit"):
            ratios = [
                theirs / ours
                for theirs, ours in zip(found[other], found["loop"], strict=True)
            ]
            low, high = interval(ratios)
            rows += [
                tables.Figure(
                    f"our rate over {other}", statistics.median(ratios), "{:.3f}"
                ),
                tables.Figure(
                    "lower end of its interval", low, "{:.3f}", least=LEAST_RATIO
                ),
                tables.Figure("upper end", high, "{:.3f}"),
            ]
        seconds = checkpoint_seconds(name, size)
        rows += [
            tables.Figure("a checkpoint, mean of ten", seconds, "{:.3f} s"),
            tables.Figure(
                f"its share where one is taken every {CHECKPOINT_SECONDS:.0f} s",
                seconds / CHECKPOINT_SECONDS,
                "{:.2%}",
                most=MOST_SHARE,
            ),
        ]
        met &= tables.report(f"The loop, {name}", rows)
    return parts.exit_code(met)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_integer("rounds", 150, "Rounds.", 1)
    flags.DEFINE_integer(
        "steps", 0, "Steps a round; 0: as many as take half a second.", 0
    )


if __name__ == "__main__":
    define()
    command.run(main)
