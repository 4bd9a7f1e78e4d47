"""Leaves out what others make redundant: a data set → a CSV that training excludes.

    python -m tools.similar --output=cut.csv --target_count=500
    python -m tools.similar --output=cut.csv --keep_share=0.5 --target_count=100 \
        --method=near_identical --dataset=table --table=labels.csv
    python -m tools.similar --output=cut.csv --target_count=500 \
        --predictions=runs/mine/predictions/train
    python -m tools.train --run=runs/thinned --exclude=cut.csv

Looks at split `train` only. A label is cut to --target_count images, but never below
--keep_share of them, and an image goes only while every label on it is above its own
target. What is near is told by small pixels, or with --predictions by a model's
features. Prints each label's images before and after, and which targets were not met
and why. Writes OUTPUT (id,issue,score,detail): the issue names the method, the score
is the distance to the nearest image that stays, whose id the detail is.
"""

import os

from absl import flags

from flags import data_flags, similar_flags
from tools import command

FLAGS = flags.FLAGS
data_flags.define()
similar_flags.define()
flags.DEFINE_string("output", None, "CSV file to write.", required=True)
flags.DEFINE_string("predictions", "", "Predictions folder of split train.")


def _read_train():
    """Returns (the training split, notes); images are only read where needed."""
    from data_pipelines import datasets

    data = data_flags.data_config()
    if FLAGS.predictions:
        table, notes = datasets.read_labels(data)
        return table.select_split("train"), notes
    from data_pipelines import images

    # the limit is all that matters: whatever its size, an image is read whole
    config = images.ImageConfig(
        FLAGS.feature_size, FLAGS.feature_size, max_pixels=FLAGS.max_pixels
    )
    table, notes = datasets.read(data, config, splits=("train",))
    return table.select_split("train"), notes


def main(_):
    from data_pipelines import exclusion
    from data_pipelines.resampling import similarity
    from inclusive_tf import image_features

    amount = similar_flags.amount()
    table, notes = _read_train()
    for note in notes:
        print(f"note: {note}")
    features = image_features.measure(
        table, FLAGS.predictions, **similar_flags.pixel_settings()
    )
    cut = similarity.undersample(
        features, table.labels, FLAGS.method, FLAGS.seed, **amount
    )
    exclusion.write(FLAGS.output, cut.rows(table.ids))
    print(similarity.text(cut, table.vocabulary.names))
    left = len(table) - len(cut.gone)
    print(f"{left:,} of {len(table):,} training images stay: {FLAGS.output}")


if __name__ == "__main__":
    # products of large matrices are most of the work
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(os.cpu_count()))
    command.run(main)
