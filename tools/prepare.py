"""Prepares a data set: raw image files → shards of small images, decoded once.

    python -m tools.prepare --dataset=table --table=labels.csv --output=prepared
    python -m tools.prepare --dataset=class_folders --data_dir=indoor \
        --output=prepared --short_side=128 --encoding=png
    python -m tools.prepare ... --beam_runner=FlinkRunner \
        --beam_options=flink_master=host:8081,parallelism=64
    python -m tools.train --run=runs/mine --dataset=prepared --data_dir=prepared/...

Every image is decoded as training would, turned as its EXIF orientation says, shrunk to
--short_side (never enlarged) and encoded once. Writes OUTPUT/DATASET/ENCODING/1.0.0, a
TFDS data set in ArrayRecord shards with its label table beside. Stopped at any time and
started again, it goes on where it was. Unreadable images are named in quarantine.csv
there. Exit code 1 when more than --max_bad_fraction of a split are unreadable.
"""

from absl import flags

from flags import data_flags, prepare_flags
from tools import command

FLAGS = flags.FLAGS
data_flags.define()
prepare_flags.define()


def main(_):
    from data_pipelines import datasets, sources
    from data_pipelines.preparing import folder, job

    data = data_flags.data_config()
    table, notes = datasets.read_labels(data)
    source = sources.load(data.dataset)
    for note in notes:
        print(f"note: {note}")
    print(
        f"{FLAGS.dataset}: {len(table):,} images, {len(table.vocabulary):,} labels, "
        + ", ".join(f"{name} {n:,}" for name, n in table.split_counts().items())
    )
    done = job.prepare(
        FLAGS.dataset,
        table,
        prepare_flags.config_from_flags(),
        FLAGS.output,
        max_bad_fraction=FLAGS.max_bad_fraction,
        facts=source.facts(data.source) if hasattr(source, "facts") else None,
        beam_runner=FLAGS.beam_runner,
        beam_options=FLAGS.beam_options,
    )
    if done.reused:
        print("prepared already from the same files and labels")
    else:
        print(
            f"{done.encoded:,} images encoded, {done.seconds:.1f} s, "
            f"{done.encoded / done.seconds:,.1f} images/s"
        )
    if done.quarantined:
        print(
            f"{done.quarantined:,} unreadable image(s) left out, named in "
            f"{done.path / folder.QUARANTINE}"
        )
    print(
        f"{done.images:,} images in {done.shards} shards: "
        f"{done.bytes_before / 1e6:,.1f} MB of files → {done.bytes_after / 1e6:,.1f} MB"
    )
    print(f"prepared: {done.path}")
    print(f"to train from it: --dataset=prepared --data_dir={done.path}")


if __name__ == "__main__":
    command.run(main)
