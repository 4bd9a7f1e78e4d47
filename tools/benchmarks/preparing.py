"""Times preparing photographs beside decoding, shrinking and encoding them alone.

    python -m tools.benchmarks.preparing
    python -m tools.benchmarks.preparing --images=10000 --output=ratios.json
    python -m tools.benchmarks.preparing --photographs=folder/of/jpegs

Runs A B A B ... on the same files and cores: A is `preparing.job.prepare`, from a label
table to a finished data set with sums; B is one tf.data pipeline of read_file,
decode_jpeg, resize (antialiased) and encode_jpeg, as many at once, whose results are
dropped. Prints tables in Markdown: images a second, their ratio, and CPU milliseconds
an image, medians; ends with exit code 3 when the ratio is below 0.8. A takes about two
seconds whatever the number of images, so few images say little. Photographs are brought
to about 1024x768 and stored as JPEG of quality 87; without any, textures are made.
"""

import functools
import os
import pathlib
import statistics
import tempfile
import time

from absl import flags

from data_pipelines import atomic
from tools import command, parts
from tools.benchmarks import tables, turns

FLAGS = flags.FLAGS

LEAST_RATIO = 0.8
OURS, ALONE = "prepare", "ops alone"
_SIZE, _QUALITY = (1024, 768), 87
_DIFFERENT = 64
# of the amplitude with the frequency
_FALL = 1.4


def make_photographs(folder, count, source="", size=_SIZE):
    """Writes `count` JPEGs, links to at most 64 different ones.

    Args:
        folder: an empty folder.
        count: how many.
        source: folder of JPEGs to take; empty: textures, rough at every scale, whose
            files are as large as those of photographs.
        size: (longer, shorter) side in pixels.

    Returns:
        list of paths.
    """
    import numpy as np
    from PIL import Image

    found = sorted(pathlib.Path(source).rglob("*.jpg"))[:_DIFFERENT] if source else []
    different = min(count, len(found) or _DIFFERENT)
    generator = np.random.default_rng(0)
    paths = [pathlib.Path(folder) / f"{number:06d}.jpg" for number in range(count)]
    for number in range(different):
        if found:
            with Image.open(found[number]) as image:
                upright = image.width < image.height
                picture = image.convert("RGB").resize(
                    size[::-1] if upright else size, Image.Resampling.BICUBIC
                )
        else:
            picture = Image.fromarray(_texture(generator, *size))
        picture.save(paths[number], quality=_QUALITY)
    for number in range(different, count):
        os.link(paths[number % different], paths[number])
    return [str(path) for path in paths]


def _texture(generator, width, height):
    import numpy as np

    down = np.fft.fftfreq(height)[:, None]
    across = np.fft.rfftfreq(width)[None]
    falling = np.maximum(np.hypot(down, across), 1 / width) ** -_FALL
    channels = []
    for _ in range(3):
        white = np.fft.rfft2(generator.standard_normal((height, width)))
        pixels = np.fft.irfft2(white * falling)
        channels.append((pixels - pixels.mean()) / pixels.std())
    grey = channels[0][..., None]
    mixed = 0.9 * grey + 0.3 * np.stack(channels, axis=-1)
    return np.clip(128 + 50 * mixed, 0, 255).astype(np.uint8)


def alone(paths, config):
    """Decodes, shrinks and encodes with TensorFlow's ops; returns the bytes made."""
    import tensorflow as tf

    def one(path):
        image = tf.io.decode_jpeg(
            tf.io.read_file(path), 3, dct_method="INTEGER_ACCURATE"
        )
        sides = tf.shape(image)[:2]
        scale = config.short_side / tf.reduce_min(sides)
        size = tf.cast(tf.round(tf.cast(sides, tf.float64) * scale), tf.int32)
        image = tf.image.resize(image, size, antialias=True)
        pixels = tf.cast(tf.clip_by_value(tf.round(image), 0, 255), tf.uint8)
        encoded = tf.io.encode_jpeg(pixels, "rgb", config.quality)
        return tf.strings.length(encoded)

    lengths = tf.data.Dataset.from_tensor_slices(paths).map(
        one, num_parallel_calls=os.cpu_count(), deterministic=False
    )
    return int(lengths.reduce(0, lambda total, length: total + length))


def whole(table, config):
    """Prepares the table as a user would, into a folder that is removed again."""
    from data_pipelines.preparing import job

    with tempfile.TemporaryDirectory() as output:
        return job.prepare("table", table, config, output)


def table_of(paths):
    """Returns a label table of the files, with two labels."""
    import numpy as np

    from data_pipelines import labels

    count = len(paths)
    return labels.LabelTable(
        ids=np.array(paths),
        locations=np.array(paths),
        labels=labels.SparseLabels.from_lists([[row % 2] for row in range(count)], 2),
        vocabulary=labels.Vocabulary(("even", "odd")),
        group=np.zeros(count, np.int32),
        group_names=("all",),
        split=np.zeros(count, np.int32),
        split_names=("train",),
    )


def measure(paths, config, rounds):
    """Takes the ways in turn.

    Returns:
        ({way: [seconds]}, {way: [CPU seconds]}), one a round.
    """
    ways = {
        OURS: lambda paths: whole(table_of(paths), config),
        ALONE: lambda paths: alone(paths, config),
    }
    busy = {name: [] for name in ways}

    def taken(name):
        began, cpu = time.perf_counter(), time.process_time()
        ways[name](paths)
        seconds = time.perf_counter() - began
        busy[name].append(time.process_time() - cpu)
        return seconds

    for way in ways.values():
        # imports, and first traces
        way(paths[:20])
    timed = {name: functools.partial(taken, name) for name in ways}
    return turns.take(timed, rounds, warm_up=0), busy


def main(_):
    """Measures, prints, and says whether the ratio is within bounds."""
    from data_pipelines.preparing import encoding

    config = encoding.EncodingConfig(short_side=FLAGS.short_side)
    with tempfile.TemporaryDirectory() as folder:
        paths = make_photographs(folder, FLAGS.images, FLAGS.photographs)
        size = statistics.mean(os.path.getsize(path) for path in paths)
        seconds, busy = measure(paths, config, FLAGS.rounds)
    within = turns.report(
        f"Preparing {FLAGS.images:,} JPEGs of {size / 1e3:,.0f} kB",
        seconds, FLAGS.images, "images", [turns.Goal(OURS, ALONE, LEAST_RATIO)],
    )  # fmt: skip
    tables.report(
        "CPU time an image",
        [
            tables.Figure(
                name, 1e3 * statistics.median(one) / FLAGS.images, "{:.1f} ms"
            )
            for name, one in busy.items()
        ],
    )
    if FLAGS.output:
        figures = {"images": FLAGS.images, "mean_bytes": size, "seconds": seconds,
                   "cpu_seconds": busy}  # fmt: skip
        atomic.write_json(FLAGS.output, figures)
    return parts.exit_code(within)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_integer("images", 3000, "Photographs.", 1)
    flags.DEFINE_integer("rounds", 5, "Measurements of each way.", 1)
    flags.DEFINE_integer("short_side", 256, "Shorter side of prepared images.", 1)
    flags.DEFINE_string("photographs", "", "Folder of JPEGs; empty: textures are made.")
    flags.DEFINE_string("output", "", "JSON file for the figures; empty: none.")


if __name__ == "__main__":
    define()
    command.run(main)
