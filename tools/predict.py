"""Predicts: a run and a data set, or a folder of images → predictions.

    python -m tools.predict --run=runs/mine
    python -m tools.predict --run=runs/mine --predict_splits=stage_1
    python -m tools.predict --run=runs/mine --table=new.csv --splits=new:country=italy
    python -m tools.predict --run=runs/mine --images=photographs --output=out

Data flags that are not given are those of the run. Without --predict_splits every split
but `train` is predicted. Writes RUN/predictions/SPLIT (or OUTPUT/SPLIT): ids, logits,
features, truth, group, vocabulary. Unreadable images are named in quarantine.csv there.
"""

import pathlib

from absl import flags

from flags import data_flags, run_flags
from tools import command

FLAGS = flags.FLAGS
run_flags.define()
data_flags.define()
flags.DEFINE_list("predict_splits", [], "Splits to predict; empty: all but train.")
flags.DEFINE_string(
    "images", "", "Folder of images without labels, instead of a data set."
)
flags.DEFINE_string("checkpoint", "last", "last, best (on validation), or a step.")
flags.DEFINE_integer("batch_size", 256, "Images a forward pass.", 1)
flags.DEFINE_string("output", "", "Folder to write to; empty: RUN/predictions.")


def main(_):
    from inclusive_tf import run as run_directory
    from inclusive_tf import trained

    run = run_directory.Run(FLAGS.run)
    run_flags.remember(run.read_json("flags.json"))
    output = pathlib.Path(FLAGS.output or run.path / "predictions")
    table, notes = trained.read_data(
        run,
        data_flags.data_config(),
        splits=FLAGS.predict_splits,
        images_folder=FLAGS.images,
        quarantine=output / "quarantine.csv",
    )
    for note in notes:
        print(f"note: {note}")
    present = [name for name, count in table.split_counts().items() if count]
    found = trained.predict(
        run, table, present, output, FLAGS.checkpoint, FLAGS.batch_size
    )
    for split, predicted in found.items():
        print(f"{split}: {len(predicted):,} images → {output / split}")


if __name__ == "__main__":
    command.run(main)
