"""Predicts: a run and a data set, or a folder of images → predictions.

    python -m tools.predict --run=runs/mine
    python -m tools.predict --run=runs/mine --predict_splits=stage_1
    python -m tools.predict --run=runs/mine --table=new.csv --splits=new:country=italy
    python -m tools.predict --run=runs/mine --images=photographs --output=out
    python -m tools.predict --run=runs/mine --views=ten_crops
    python -m tools.predict --run=runs/mine --predict_splits=tuning,stage_1 \\
        --statistics_from=stage_1

Data flags that are not given are those of the run. Without --predict_splits every split
but `train` is predicted. Writes RUN/predictions/SPLIT (or OUTPUT/SPLIT): ids, logits,
features, truth, group, vocabulary. Unreadable images are named in quarantine.csv there.

--views averages several looks at each image. --scores makes shares of logits for
models that learn by softmax. --statistics_from recomputes batch
normalisation on the images of these splits, without their labels, once for all that is
predicted; a folder of images is split "images". Each makes predictions that an
adaptation fitted without it refuses, so predict the tuning split along with the rest.
"""

import pathlib

from absl import flags

from flags import data_flags, prediction_flags, run_flags
from tools import command

FLAGS = flags.FLAGS
run_flags.define()
data_flags.define()
prediction_flags.define()
flags.DEFINE_list("predict_splits", [], "Splits to predict; empty: all but train.")
flags.DEFINE_string(
    "images", "", "Folder of images without labels, instead of a data set."
)
flags.DEFINE_string("checkpoint", "last", "last, best (on validation), or a step.")
flags.DEFINE_integer("batch_size", 256, "Images a forward pass, each view counted.", 1)
flags.DEFINE_string("output", "", "Folder to write to; empty: RUN/predictions.")


def main(_):
    from inclusive_tf import run as run_directory
    from inclusive_tf import trained

    views = prediction_flags.views_config()
    statistics = prediction_flags.statistics_config()
    run = run_directory.Run(FLAGS.run)
    run_flags.remember(run.read_json("flags.json"))
    output = pathlib.Path(FLAGS.output or run.path / "predictions")
    table, notes = trained.read_data(
        run,
        data_flags.data_config(),
        splits=_splits_to_read(statistics.splits),
        images_folder=FLAGS.images,
        quarantine=output / "quarantine.csv",
    )
    for note in notes:
        print(f"note: {note}")
    present = [
        name
        for name, count in table.split_counts().items()
        if count and (not FLAGS.predict_splits or name in FLAGS.predict_splits)
    ]
    found = trained.predict(
        run,
        table,
        present,
        output,
        FLAGS.checkpoint,
        FLAGS.batch_size,
        views,
        statistics,
        prediction_flags.scores_config(),
    )
    for split, predicted in found.items():
        print(f"{split}: {len(predicted):,} images → {output / split}")


def _splits_to_read(for_statistics):
    """Returns the splits to predict, and those that statistics are taken from.

    Where all but `train` are predicted, statistics can come from any of these.
    """
    from data_pipelines import errors

    if FLAGS.images or not FLAGS.predict_splits:
        if "train" in for_statistics:
            raise errors.SettingError(
                "Without --predict_splits the training split is not read. Expected: "
                "--predict_splits beside --statistics_from=train. Received: none."
            )
        return []
    return list(dict.fromkeys([*FLAGS.predict_splits, *for_statistics]))


if __name__ == "__main__":
    command.run(main)
