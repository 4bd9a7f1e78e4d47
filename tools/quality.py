"""Looks for faulty, repeated and odd images: a data set → a table of issues and a page.

    python -m tools.quality --output=quality
    python -m tools.quality --dataset=table --table=labels.csv --output=quality
    python -m tools.train … --exclude=quality/issues.csv --exclude_issues=blurry,leak

Writes OUTPUT/issues.csv (id,issue,score,detail), which --exclude takes, and
OUTPUT/index.html, a contact sheet of the worst of each kind. Prints how many images of
each split have each issue. First every file is read as training reads it; then come
cleanvision's checks (extra `quality`), repeats within a split and across splits, and
images unlike all others. With --predictions, folders that `tools.predict` wrote, the
last is told by the model's features in place of small pixels. Nothing is left out of
the data here. --corrections and --exclude are applied before looking.
"""

import sys

from absl import flags

from flags import data_flags, quality_flags
from tools import command

FLAGS = flags.FLAGS
data_flags.define()
quality_flags.define()
flags.DEFINE_string("output", "quality", "Folder to write.")
flags.DEFINE_list("predictions", [], "Folders of predictions of one run, for features.")
flags.DEFINE_integer("shown", 12, "Images shown of each kind on the page.", 1)
flags.DEFINE_string("title", "Image quality", "Heading of the page.")


def _features(table, folders):
    """Returns float32 [N, D], NaN for images that no folder holds; None for none."""
    import numpy as np
    import pandas as pd

    from data_pipelines import errors
    from inclusive_tf import predictions

    if not folders:
        return None
    loaded = [predictions.load(folder) for folder in folders]
    widths = {one.features.shape[1] for one in loaded}
    models = {(one.layer_hash, one.variant) for one in loaded}
    if len(widths) > 1 or len(models) > 1:
        raise errors.DataError(
            "the predictions are not of one model",
            expected="folders of one run",
            received=", ".join(folders),
        )
    features = np.full((len(table), widths.pop()), np.nan, np.float32)
    ids = pd.Index(table.ids)
    for folder, one in zip(folders, loaded, strict=True):
        rows = ids.get_indexer(one.ids)
        if not (rows >= 0).any():
            raise errors.DataError(
                "no predicted image is in the data", received=one.ids[0], file=folder
            )
        features[rows[rows >= 0]] = one.features[rows >= 0]
    return features


def main(_):
    import pathlib

    from data_pipelines import datasets, exclusion, image_issues
    from inclusive_tf import quality_page

    config = quality_flags.config_from_flags()
    table, notes = datasets.read_labels(data_flags.data_config())
    for note in notes:
        print(f"note: {note}")
    found = image_issues.find(
        table, config, _features(table, FLAGS.predictions), sys.stderr.isatty()
    )
    output = pathlib.Path(FLAGS.output)
    exclusion.write(output / "issues.csv", found.rows)
    quality_page.write(
        table, found, output / "index.html", FLAGS.title, config.max_pixels, FLAGS.shown
    )
    for note in found.notes:
        print(f"note: {note}")
    print(image_issues.summary(table, found))
    print(f"issues: {output / 'issues.csv'}\npage: {output / 'index.html'}")


if __name__ == "__main__":
    command.run(main)
