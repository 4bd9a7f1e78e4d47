"""Measures the carriers beside TensorFlow's own resampling, on JPEG files.

    python -m tools.benchmarks.carriers
    python -m tools.benchmarks.carriers --files=2000 --rounds=7

Makes photographs of 640x480 as JPEG files, of which a share is of the rare class, and
balances two classes at 224 pixels in each way, in turn (A B C … A B C …):

    indexed      our indexed carrier
    streaming    our streaming carrier, reading the same files in order
    after        Dataset.rejection_resample on decoded images
    before       Dataset.rejection_resample on undecoded bytes
    limit        reading, decoding and resizing alone, nothing rejected

Prints images a second that arrive (median over the rounds, with the lowest and the
highest) and the ratio of each to the limit and to `after`.
"""

import pathlib
import statistics
import tempfile
import time

from absl import flags

from tools import command

FLAGS = flags.FLAGS

BATCH = 32


def make_files(folder, count):
    """Writes photographs-like JPEG files of 640x480; returns their paths."""
    import io

    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(0)
    paths = []
    for number in range(count):
        small = generator.integers(0, 255, (24, 32, 3), dtype=np.uint8)
        image = Image.fromarray(small).resize((640, 480), Image.Resampling.BICUBIC)
        noisy = np.asarray(image, np.int16) + generator.integers(-12, 12, (480, 640, 1))
        buffer = io.BytesIO()
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(
            buffer, "JPEG", quality=87
        )
        path = pathlib.Path(folder) / f"{number:05d}.jpg"
        path.write_bytes(buffer.getvalue())
        paths.append(str(path))
    return paths


def make_table(paths, rare_share):
    """Returns a label table in which every k-th file is of the rare class."""
    import numpy as np

    from data_pipelines import labels

    count = len(paths)
    is_rare = np.arange(count) % round(1 / rare_share) == 0
    return labels.LabelTable(
        ids=np.array(paths),
        locations=np.array(paths),
        labels=labels.SparseLabels.from_lists([[int(rare)] for rare in is_rare], 2),
        vocabulary=labels.Vocabulary(["common", "rare"]),
        group=np.zeros(count, np.int32),
        group_names=("all",),
        split=np.zeros(count, np.int32),
        split_names=("train",),
    )


def ways(table):
    """Returns {name: () → dataset of batches}."""
    import numpy as np
    import tensorflow as tf

    from data_pipelines import augmentation, batches, images
    from data_pipelines.resampling import policies

    config = images.ImageConfig(height=224, width=224)
    rates = policies.rates(table, "rarest_label", len(table))
    rare = table.labels.multi_hot()[:, 1].astype(np.int32)
    shares = np.bincount(rare) / len(rare)

    def ours(carrier):
        pipeline = batches.PipelineConfig(
            config, augmentation.AugmentationConfig(), BATCH, carrier
        )
        return batches.training_batches(table, rates, pipeline, epochs=10**6)

    def records():
        files = tf.data.Dataset.from_tensor_slices((table.locations, rare)).repeat()
        return files.map(
            lambda path, label: (tf.io.read_file(path), label), tf.data.AUTOTUNE
        )

    def decode(data, label):
        return images.decode(data, config), label

    def rejected(dataset):
        resampled = dataset.rejection_resample(
            lambda _, label: label, [0.5, 0.5], shares, seed=0
        )
        return resampled.map(lambda _, element: element)

    def finish(dataset):
        return dataset.batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE)

    return {
        "indexed": lambda: ours("indexed"),
        "streaming": lambda: ours("streaming"),
        "after": lambda: finish(rejected(records().map(decode, tf.data.AUTOTUNE))),
        "before": lambda: finish(rejected(records()).map(decode, tf.data.AUTOTUNE)),
        "limit": lambda: finish(records().map(decode, tf.data.AUTOTUNE)),
    }


def rate_of(iterator, seconds):
    """Returns images a second that an iterator delivers once it runs."""
    next(iterator)
    taken, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds or not taken:
        next(iterator)
        taken += BATCH
    return taken / (time.perf_counter() - started)


def main(_):
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as folder:
        paths = make_files(folder, FLAGS.files)
        for share in map(float, FLAGS.shares):
            made = ways(make_table(paths, share))
            # one iterator a way for all rounds: start-up is not what is measured
            iterators = {name: iter(make()) for name, make in made.items()}
            found = {name: [] for name in made}
            for _ in range(FLAGS.rounds):
                for name, iterator in iterators.items():
                    found[name].append(rate_of(iterator, FLAGS.seconds))
            _show(share, found)


def _show(share, found):
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    print(f"rare share {share:g} → 0.5, images/s, median of {FLAGS.rounds} [range]")
    for name, rates in found.items():
        print(
            f"  {name:<10}{medians[name]:>8.1f} [{min(rates):.1f}, {max(rates):.1f}]"
            f"  {medians[name] / medians['limit']:.2f} of the limit"
            f"  {medians[name] / medians['after']:.1f} times after"
        )


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_integer("files", 1000, "JPEG files to make.", 100)
    flags.DEFINE_integer("rounds", 5, "Rounds.", 1)
    flags.DEFINE_list("shares", ["0.1", "0.01"], "Shares of the rare class.")
    flags.DEFINE_float("seconds", 3.0, "Least seconds a measurement.")


if __name__ == "__main__":
    define()
    command.run(main)
