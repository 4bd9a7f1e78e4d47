"""Times label fusion at the challenge's size, beside Arrow reading the same files.

    python -m tools.benchmarks.label_fusion
    python -m tools.benchmarks.label_fusion --scale=0.05 --rounds=5 --output=fusion.json

Makes human, machine and box files with as many rows as the Inclusive Images Challenge's
(8,036,466, 15,259,186 and 14,610,229 rows of 1,743,042 images, labels by Zipf's law),
times --scale, and measures in turn (A B C A B C ...), each in a process of its own:

    arrow    pyarrow.csv.read_csv of the three files, all columns, default threads
    fusion   the 24th place's rule, the label table of all images and class-aware rates
    union    the same with the area of the union of boxes in place of the sum

Prints tables in Markdown: rows a second, the seconds of all cores, the highest resident
memory, and the ratio of seconds to `arrow`'s. Ends with exit code 3 when fusion takes
more than 3 times as long as `arrow`, union more than 10 times, or either needs more
than 8 GB. --output writes a JSON of each run.
"""

import dataclasses
import pathlib
import statistics
import tempfile

from absl import flags

from data_pipelines import atomic
from tools import command, parts
from tools.benchmarks import memory, tables, turns

FLAGS = flags.FLAGS

IMAGES = 1_743_042
ROWS = {
    "train_human_labels.csv": 8_036_466,
    "train_machine_labels.csv": 15_259_186,
    "train_bounding_boxes.csv": 14_610_229,
}
CODES = {
    "train_human_labels.csv": 18_155,
    "train_machine_labels.csv": 7_509,
    "train_bounding_boxes.csv": 599,
}
TRAINABLE = 7_178
MOST = {"fusion": 3.0, "union": 10.0}
MOST_GIGABYTES = 8.0
_CHUNK = 1_000_000
RULES = {
    "arrow": None,
    "fusion": "median_minus_deviation_per_image",
    "union": "box_union",
}
"""{way: its rule of `inclusive_images`; None only reads the files}."""


def working(way, folder, images):
    """Prepares what a way does; see `memory.apart`.

    Args:
        way: a name in `RULES`.
        folder: of the files.
        images: how many they are about.
    """
    # imports are no part of the work
    import numpy as np
    from pyarrow import csv

    from data_pipelines.resampling import policies
    from data_pipelines.sources import inclusive_images

    def arrow():
        tables_read = [csv.read_csv(f"{folder}/{name}") for name in ROWS]
        return sum(len(one) for one in tables_read)

    def fuse():
        config = inclusive_images.InclusiveImagesConfig(
            data_dir=folder, fusion=RULES[way]
        )
        table, _ = inclusive_images.read_with_notes(config)
        rates = policies.rates(table, "class_aware", len(table))
        assert rates.shape == (1, images), rates.shape
        return float(np.sum(rates))

    return fuse if RULES[way] else arrow


def code(number):
    """Returns the label code of a rank, such as /m/0004f2."""
    return f"/m/{number:06x}"


def trainable(generator):
    """Returns the ranks that are trainable: most of the common ones, then by chance."""
    import numpy as np

    ranks = np.arange(CODES["train_human_labels.csv"])
    preference = generator.random(len(ranks)) + ranks / len(ranks)
    return np.sort(np.argsort(preference)[:TRAINABLE])


def draw_by_zipf(generator, count, codes):
    """int64 [count] ranks by Zipf's law."""
    import numpy as np

    share = np.cumsum(1.0 / np.arange(1, codes + 1))
    return np.searchsorted(share, generator.random(count) * share[-1])


def _rows_of(generator, name, images, rows):
    """Returns (image, label), int64 [rows], by image, and few pairs twice."""
    import numpy as np

    weight = np.cumsum(generator.lognormal(0.0, 0.8, images))
    image = np.searchsorted(weight, generator.random(rows) * weight[-1])
    # every image is in the human file
    if name == "train_human_labels.csv":
        image[:images] = np.arange(images)
    label = draw_by_zipf(generator, rows, CODES[name])
    if name != "train_bounding_boxes.csv":
        for _ in range(3):
            key = image * CODES[name] + label
            order = np.argsort(key)
            again = order[1:][key[order[1:]] == key[order[:-1]]]
            label[again] = generator.integers(0, CODES[name], len(again))
    order = np.argsort(image, kind="stable")
    image, label = image[order], label[order]
    if name == "train_bounding_boxes.csv":
        # things come in numbers: half of the boxes are of the same label as the last
        same = (generator.random(rows) < 0.5) & (image == np.roll(image, 1))
        last = np.maximum.accumulate(np.where(same, 0, np.arange(rows)))
        label = label[last]
    return image, label


def _columns(generator, name, ids, image, label):
    """An Arrow table of the file's columns, for some of its rows."""
    import numpy as np
    import pyarrow as pa

    codes = pa.array([code(number) for number in range(CODES[name])])
    count = len(image)
    human, boxes = name == "train_human_labels.csv", name == "train_bounding_boxes.csv"
    source = "verification" if human else "xclick" if boxes else "machine"
    confidence = np.ones(count)
    if not human and not boxes:
        confidence = generator.integers(5, 11, count) / 10
    columns = {
        "ImageID": ids.take(pa.array(image)),
        "Source": pa.array(np.full(count, source)),
        "LabelName": codes.take(pa.array(label)),
        "Confidence": pa.array(confidence),
    }
    if boxes:
        side = generator.beta(1.0, 2.0, (2, count)).round(6)
        low = (generator.random((2, count)) * (1 - side)).round(6)
        corners = [low[0], low[0] + side[0], low[1], low[1] + side[1]]
        for column, values in zip(
            ("XMin", "XMax", "YMin", "YMax"), corners, strict=True
        ):
            columns[column] = pa.array(values.clip(0, 1).round(6))
        for column in ("Occluded", "Truncated", "GroupOf", "Depiction", "Inside"):
            columns[f"Is{column}"] = pa.array(generator.integers(0, 2, count))
    return pa.table(columns)


def make_files(folder, scale=1.0, seed=0):
    """Writes the challenge's training files in small; returns the number of images.

    Args:
        folder: where to.
        scale: share of the challenge's images and rows.
        seed: of all that is drawn.
    """
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    from data_pipelines.open_images import image_ids

    generator = np.random.default_rng(seed)
    images = max(1, round(IMAGES * scale))
    ids = np.unique(generator.integers(0, 2**63, images, np.uint64) * np.uint64(2))
    ids = pa.array(image_ids.text(ids))
    images = len(ids)
    for name, full in ROWS.items():
        rows = max(images, round(full * scale))
        image, label = _rows_of(generator, name, images, rows)
        with csv.CSVWriter(
            folder / name,
            _columns(generator, name, ids, image[:0], label[:0]).schema,
            write_options=csv.WriteOptions(quoting_style="none"),
        ) as writer:
            for first in range(0, rows, _CHUNK):
                part = slice(first, first + _CHUNK)
                writer.write(_columns(generator, name, ids, image[part], label[part]))
    atomic.write_csv(
        folder / "classes-trainable.csv",
        ["label_code"],
        [[code(number)] for number in trainable(generator)],
    )
    return images


def measure(folder, images, rounds):
    """Takes the ways in turn, each in a process of its own.

    Returns:
        {way: list of `memory.Used`, one a round}.

    Raises:
        RuntimeError: one of the processes failed.
    """
    ways = {
        way: ("tools.benchmarks.label_fusion:working", way, str(folder), images)
        for way in RULES
    }
    # fills the disk's cache
    memory.apart(*ways["arrow"])
    return memory.apart_in_turn(ways, rounds)


def report(found, rows, scale):
    """Prints what was found; returns whether all is within bounds.

    Args:
        found: of `measure`.
        rows: of all files.
        scale: share of the challenge's.
    """
    seconds = {way: [one.seconds for one in used] for way, used in found.items()}
    goals = [turns.Goal(way, "arrow", most, "time") for way, most in MOST.items()]
    within = turns.report(
        f"Label fusion, {scale:.4g} of the challenge", seconds, rows, "rows", goals
    )
    figures = []
    for way, used in found.items():
        busy = statistics.median(one.cpu_seconds for one in used)
        figures += [
            tables.Figure(f"{way}: seconds of all cores", busy, "{:.1f} s"),
            tables.Figure(f"{way}: peak resident", max(one.peak for one in used) / 1e9,
                          "{:.2f} GB", most=MOST_GIGABYTES if way in MOST else None),
        ]  # fmt: skip
    return within & tables.report("Processor time and memory", figures)


def _measure_in(folder):
    made = folder / "images.txt"
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        atomic.write_text(made, str(make_files(folder, FLAGS.scale)))
    return measure(folder, int(made.read_text()), FLAGS.rounds)


def main(_):
    """Measures, prints, and says whether all is within bounds."""
    if FLAGS.folder:
        found = _measure_in(pathlib.Path(FLAGS.folder))
    else:
        with tempfile.TemporaryDirectory() as folder:
            found = _measure_in(pathlib.Path(folder))
    if FLAGS.output:
        runs = {way: [dataclasses.asdict(one) for one in found[way]] for way in found}
        atomic.write_json(FLAGS.output, {"scale": FLAGS.scale, "ways": runs})
    rows = round(sum(ROWS.values()) * FLAGS.scale)
    return parts.exit_code(report(found, rows, FLAGS.scale))


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_float(
        "scale", 1.0, "Share of the challenge's images and rows.", 1e-4, 1.0
    )
    flags.DEFINE_integer("rounds", 3, "Runs of each.", 1)
    flags.DEFINE_string(
        "folder", "", "Keep the files here, and use them if they are there."
    )
    flags.DEFINE_string("output", "", "JSON file of the figures.")


if __name__ == "__main__":
    define()
    command.run(main)
