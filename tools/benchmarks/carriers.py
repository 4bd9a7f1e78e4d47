"""Times the carriers beside what else balances a training set, on photographs.

    python -m tools.benchmarks.carriers
    python -m tools.benchmarks.carriers --files=2000 --rounds=7 --carriers=indexed

JPEG files of 640x480, of which one in ten or one in a hundred is of the rare class,
become batches of 224 pixels in which both classes are as frequent. Each way is started
anew in its turn and timed once it runs, on all cores:

    indexed     from the files; beside `Dataset.rejection_resample` of decoded images
                and of undecoded bytes, `sample_from_datasets` of a list of files a
                class, and PyTorch's DataLoader with a WeightedRandomSampler on as many
                workers as cores. Limit: decoding and shrinking bytes that are in
                memory, the pixels dropped
    prepared    the same from shards of `preparing` (a shorter side of 256); the others
                read the same encoded images as files of their own
    streaming   from TFRecords, each at most once a pass, as `rejection_resample` before
                decoding does; and with as many draws a pass as there are records, as
                training does by default. Limit, by arithmetic on what was measured in
                the same run: reading everything and decoding what is kept, all cores
                busy with nothing else

What rejects after decoding delivers so little that it is timed on fewer batches. Prints
Markdown; ends with exit code 3 where a goal is missed.
"""

import contextlib
import dataclasses
import io
import os
import pathlib
import statistics
import tempfile
import warnings

from absl import flags

from tools import command, parts
from tools.benchmarks import preparing, stock_resampling, streams, turns

FLAGS = flags.FLAGS

SIZE, SIDE, BATCH, PREPARED_SIDE = (640, 480), 224, 32, 256
INDEXED, STREAMING = "our indexed carrier", "our streaming carrier"
REPEATING = "our streaming carrier, repeating"
AFTER, BEFORE = "rejection_resample, decoded", "rejection_resample, undecoded"
SAMPLED, TORCH = "sample_from_datasets", "PyTorch DataLoader"
LIMIT, READING = "decoding and shrinking alone", "reading records alone"
LEAST_OF_LIMIT = {"indexed": 0.92, "prepared": 0.9}
LEAST_OVER_TORCH, LEAST_OVER_BEFORE = 1.5, 1.0
LEAST_OVER_AFTER = {10: 4.5, 100: 20.0}
"""{one in how many is rare: times as fast as rejecting decoded images}."""
CARRIERS = ("indexed", "prepared", "streaming")


def cores():
    """Returns how many this process may use."""
    return len(os.sched_getaffinity(0))


def balanced(table, one_in):
    """Returns the table with every `one_in`-th row of the rare class, and int [N]."""
    import numpy as np

    from data_pipelines import labels

    classes = (np.arange(len(table)) % one_in == 0).astype(np.int64)
    shown = labels.SparseLabels.from_lists([[label] for label in classes.tolist()], 2)
    vocabulary = labels.Vocabulary(("common", "rare"))
    return dataclasses.replace(table, labels=shown, vocabulary=vocabulary), classes


def prepared_table(table, folder):
    """Prepares the images of a table; returns the table of the shards."""
    from data_pipelines.preparing import encoding, job
    from data_pipelines.sources import prepared

    job.prepare(
        "table", table, encoding.EncodingConfig(short_side=PREPARED_SIDE), folder
    )
    return prepared.read_with_notes(prepared.PreparedConfig(str(folder)))[0]


def tfrecord_table(paths, classes, folder):
    """Stores files as a TFDS set of TFRecords; returns its table."""
    import tensorflow_datasets as tfds

    from data_pipelines.sources import tfds as source

    examples = (
        (row, {"image": path, "label": int(label)})
        for row, (path, label) in enumerate(zip(paths, classes, strict=True))
    )
    # TFDS prints where it writes, and calls what protobuf deprecates
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        tfds.dataset_builders.store_as_tfds_dataset(
            name="photographs",
            version="1.0.0",
            features=tfds.features.FeaturesDict({
                "image": tfds.features.Image(shape=(None, None, 3)),
                "label": tfds.features.ClassLabel(names=["common", "rare"]),
            }),
            split_datasets={"train": examples},
            data_dir=folder,
            file_format="tfrecord",
            disable_shuffling=True,
        )  # fmt: skip
        config = source.TfdsConfig(name="photographs", data_dir=str(folder))
        return source.read_with_notes(config)[0]


def files_of(table, folder):
    """Writes the bytes of a table's images as files; returns their paths."""
    paths = []
    for row, data in enumerate(
        table.storage.records(table.locations).as_numpy_iterator()
    ):
        path = pathlib.Path(folder) / f"{row:06d}.jpg"
        path.write_bytes(data)
        paths.append(str(path))
    return paths


def ours(table, carrier, draws=None, epochs=10**6):
    """Returns the batches of one of our carriers, of which none shuffles a buffer."""
    from data_pipelines import augmentation, batches, images
    from data_pipelines.resampling import policies

    config = batches.PipelineConfig(
        images.ImageConfig(SIDE, SIDE),
        augmentation.AugmentationConfig(),
        BATCH,
        carrier,
        shuffle_buffer=0,
    )
    rates = policies.rates(table, "rarest_label", draws or len(table))
    return batches.training_batches(table, rates, config, epochs)


def decoding(data, images):
    """Returns batches of one value an image: all that is done is decode and shrink."""
    import tensorflow as tf

    held = tf.data.Dataset.from_tensor_slices(data).repeat()
    pixels = held.map(
        lambda one: images.pixels(one)[0, 0, 0], num_parallel_calls=tf.data.AUTOTUNE
    )
    return pixels.batch(BATCH)


def reading(paths):
    """Returns batches of the lengths of records, which each core reads."""
    import tensorflow as tf

    one_a_core = tf.data.Dataset.range(cores()).interleave(
        lambda _: tf.data.TFRecordDataset(paths).map(tf.strings.length).batch(BATCH),
        cycle_length=cores(),
        num_parallel_calls=cores(),
    )
    return one_a_core.repeat()


def torch_stream(paths, classes, images, batches):
    """Returns the `streams.Stream` of PyTorch, or None where it is not installed."""
    try:
        from tools.benchmarks import torch_images
    except ImportError:
        return None
    before = cores()
    loader = torch_images.loader(
        paths, classes, images, before + batches, workers=before
    )
    return streams.Stream(lambda _: loader, batches, before)


def indexed_streams(table, classes, paths, batches):
    """Returns {name: `streams.Stream`} of random access, its peers and its limit.

    Args:
        table: `labels.LabelTable` that our carrier reads.
        classes: int [N], 1 where it is rare.
        paths: the same images as files, for the others.
        batches: how many to time.
    """
    images = stock_resampling.Images(SIDE, BATCH)
    shares = [1 - classes.mean(), classes.mean()]
    held = [pathlib.Path(path).read_bytes() for path in paths[: 4 * BATCH]]
    records = stock_resampling.files(paths, classes)
    made = {
        INDEXED: ours(table, "indexed"),
        LIMIT: decoding(held, images),
        SAMPLED: stock_resampling.sampled(paths, classes, images),
        BEFORE: stock_resampling.rejected_before(records, shares, images),
        AFTER: stock_resampling.rejected_after(records, shares, images),
    }
    found = _from_start(made, batches)
    # half of what is kept is rare, all of which is kept
    kept = 2 * classes.mean()
    found[AFTER] = streams.Stream(made[AFTER].take, max(1, round(batches * kept)))
    by_torch = torch_stream(paths, classes, images, batches)
    if by_torch is not None:
        found[TORCH] = by_torch
    return found


def _from_start(made, batches):
    return {name: streams.Stream(one.take, batches) for name, one in made.items()}


def record_streams(table, classes, batches):
    """Returns {name: `streams.Stream`} of TFRecords, and of what their limit is made.

    Args:
        table: `labels.LabelTable` of a TFDS set of TFRecords.
        classes: int [N], 1 where it is rare.
        batches: how many to time.
    """
    import itertools

    images = stock_resampling.Images(SIDE, BATCH)
    shares = [1 - classes.mean(), classes.mean()]
    paths = [str(path) for path in sorted(
        pathlib.Path(table.storage.data_dir).rglob("*.tfrecord*"))]  # fmt: skip
    held = list(itertools.islice(
        table.storage.records(table.locations).as_numpy_iterator(), 4 * BATCH
    ))  # fmt: skip
    # as many draws a pass as rejection keeps: every rare record once
    once = 2 * int(classes.sum())
    made = {
        STREAMING: ours(table, "streaming", once),
        REPEATING: ours(table, "streaming"),
        BEFORE: stock_resampling.rejected_before(
            stock_resampling.tfrecords(paths), shares, images
        ),
        READING: reading(paths),
        LIMIT: decoding(held, images),
    }
    return _from_start(made, batches)


def goals_of(carrier, one_in, names):
    """Returns the goals of a carrier beside those that were measured."""
    if carrier == "streaming":
        return [turns.Goal(way, BEFORE, LEAST_OVER_BEFORE)
                for way in (STREAMING, REPEATING)]  # fmt: skip
    goals = [turns.Goal(INDEXED, LIMIT, LEAST_OF_LIMIT[carrier])]
    if one_in in LEAST_OVER_AFTER:
        goals.append(turns.Goal(INDEXED, AFTER, LEAST_OVER_AFTER[one_in]))
    if TORCH in names:
        goals.append(turns.Goal(INDEXED, TORCH, LEAST_OVER_TORCH))
    return goals


@dataclasses.dataclass(frozen=True)
class Ceiling:
    """What no stream can surpass that reads everything and decodes what it keeps.

    Args:
        reading: seconds that a record takes to be read, all cores reading.
        decoding: seconds that an image takes to be decoded and shrunk, likewise.
        kept: share of the records that are kept.
    """

    reading: float
    decoding: float
    kept: float

    @property
    def rate(self):
        """Images a second."""
        return 1 / (self.reading / self.kept + self.decoding)

    @property
    def rejected_share(self):
        """Share of the time that goes into reading what is rejected."""
        return self.reading * (1 / self.kept - 1) * self.rate


def ceiling_of(seconds, images, kept):
    """Returns the `Ceiling` of what was measured with `record_streams`."""
    read, decoded = (
        statistics.median(seconds[name]) / images for name in (READING, LIMIT)
    )
    return Ceiling(read, decoded, kept)


def describe_ceiling(seconds, images, kept):
    """Returns a paragraph on what streams can reach at most."""
    rate = images / statistics.median(seconds[STREAMING])
    ceiling = ceiling_of(seconds, images, kept)
    random_access = ceiling_of(seconds, images, 1.0)
    share = ceiling.rate / random_access.rate
    return (
        f"A stream reads {1 / kept:,.3g} records an image that it keeps. Even if only "
        f"that and decoding took time, {ceiling.rejected_share:.2%} of it would go "
        f"into reading what is rejected, and {ceiling.rate:,.4g} images/s come out, "
        f"{share:.3f} of what comes where all that is read is kept. Our streaming "
        f"carrier reaches {rate / ceiling.rate:.3f} of this ceiling.\n"
    )


def lay_out(carrier, files, folder):
    """Writes photographs as a carrier reads them, for `one_epoch`.

    Args:
        carrier: one of `CARRIERS`.
        files: how many photographs.
        folder: an empty folder.
    """
    folder = pathlib.Path(folder)
    raw, other = folder / "files", folder / carrier
    raw.mkdir()
    paths = preparing.make_photographs(raw, files, size=SIZE)
    table, classes = balanced(preparing.table_of(paths), 10)
    if carrier == "prepared":
        prepared_table(table, other)
    if carrier == "streaming":
        tfrecord_table(paths, classes, other)


def one_epoch(carrier, files, folder):
    """Lets a carrier bring as many images as there are photographs, balanced.

    Args:
        carrier: one of `CARRIERS`.
        files: how many of the photographs to take, the first of them.
        folder: of `lay_out`.

    Returns:
        int: images that came, in whole batches.
    """
    table = _laid_out(carrier, pathlib.Path(folder)).take(range(files))
    batches = ours(
        balanced(table, 10)[0],
        "streaming" if carrier == "streaming" else "indexed",
        epochs=1,
    )
    return sum(len(batch["target"]) for batch in batches.take(files // BATCH))


def bringing(carrier, files, folder):
    """Prepares `one_epoch` of what is laid out in a folder; see `memory.apart`."""
    # imports are no part of the work
    one_epoch(carrier, BATCH, folder)
    return lambda: one_epoch(carrier, files, folder)


def _laid_out(carrier, folder):
    from data_pipelines.sources import prepared
    from data_pipelines.sources import tfds as source

    if carrier == "prepared":
        config = prepared.PreparedConfig(str(folder / carrier))
        return prepared.read_with_notes(config)[0]
    if carrier == "streaming":
        config = source.TfdsConfig(name="photographs", data_dir=str(folder / carrier))
        return source.read_with_notes(config)[0]
    paths = sorted(str(path) for path in (folder / "files").glob("*.jpg"))
    return preparing.table_of(paths)


def _tasks(folder, paths, one_in):
    """Yields (carrier, streams) of the carriers that are asked for."""
    folder = pathlib.Path(folder)
    raw, classes = balanced(preparing.table_of(paths), one_in)
    if "indexed" in FLAGS.carriers:
        yield "indexed", indexed_streams(raw, classes, paths, FLAGS.batches)
    if "prepared" in FLAGS.carriers:
        # prepared once, whatever is rare
        table = prepared_table(preparing.table_of(paths), folder / "prepared")
        encoded = folder / "encoded"
        encoded.mkdir(exist_ok=True)
        table = balanced(table, one_in)[0]
        shrunk = files_of(table, encoded)
        yield "prepared", indexed_streams(table, classes, shrunk, FLAGS.batches)
    if "streaming" in FLAGS.carriers:
        table = tfrecord_table(paths, classes, folder / f"records-{one_in}")
        yield "streaming", record_streams(table, classes, FLAGS.batches)


TITLES = {
    "indexed": "files of 640x480 JPEG",
    "prepared": f"prepared shards (a shorter side of {PREPARED_SIDE})",
    "streaming": "TFRecords of 640x480 JPEG",
}


def main(_):
    """Measures, prints, and says whether the goals are met."""
    within = True
    images = FLAGS.batches * BATCH
    with tempfile.TemporaryDirectory() as folder:
        raw = pathlib.Path(folder) / "files"
        raw.mkdir()
        paths = preparing.make_photographs(raw, FLAGS.files, size=SIZE)
        for one_in in map(int, FLAGS.one_in):
            for carrier, measured in _tasks(folder, paths, one_in):
                title = f"{TITLES[carrier]}, 1 in {one_in} rare, on {cores()} cores"
                seconds = turns.take(
                    streams.ways(measured, FLAGS.batches), FLAGS.rounds
                )
                goals = goals_of(carrier, one_in, measured)
                print(f"### From {title}\n")
                within &= turns.report(
                    f"Batches of {BATCH} images of {SIDE} pixels, balanced",
                    seconds, images, "images", goals,
                )  # fmt: skip
                if carrier == "streaming":
                    print(describe_ceiling(seconds, images, 2 / one_in))
                elif TORCH not in measured:
                    print("PyTorch is not installed, and was left out.\n")
    return parts.exit_code(within)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_integer("files", 1000, "JPEG files to make.", 100)
    flags.DEFINE_integer("rounds", 9, "Turns of each way.", 1)
    flags.DEFINE_integer("batches", 12, "Batches to time in a turn.", 1)
    flags.DEFINE_multi_enum("carriers", CARRIERS, CARRIERS, "Which to measure.")
    flags.DEFINE_list("one_in", ["10", "100"], "One in so many is of the rare class.")


if __name__ == "__main__":
    define()
    command.run(main)
