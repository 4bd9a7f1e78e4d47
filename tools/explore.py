"""Explores a data set: → one interactive page and a JSON of its figures.

    python -m tools.explore --output=exploration
    python -m tools.explore --dataset=table --table=labels.csv --to_split=test \
        --output=exploration

Writes OUTPUT/index.html, which needs nothing from outside, and OUTPUT/figures.json with
every number on it: labels an image, common and rare labels, the long tail, sources and
confidence of labels and attributes of boxes where the data set knows them, labels that
come together, labels by group, the label shift between two splits, and from a sample of
the images their sizes and light, with sample sheets. Figures on labels are of
--from_split. Images are read only for the sample and the sheets; with --sample=0
--sheets=0 none is, and TensorFlow is not loaded.
"""

import sys

from absl import flags

from flags import data_flags, explore_flags
from tools import command

FLAGS = flags.FLAGS
data_flags.define()
explore_flags.define()
flags.DEFINE_string("output", "exploration", "Folder to write.")


def main(_):
    from data_pipelines import datasets, sources
    from inclusive_tf.exploration import figures, look, page

    # what is missing is said before the work, not after it
    look.graph_objects()
    config = explore_flags.config_from_flags()
    data = data_flags.data_config()
    table, notes = datasets.read_labels(data)
    source = sources.load(data.dataset)
    facts = source.facts(data.source) if hasattr(source, "facts") else {}
    found, thumbnails = figures.gather(
        table, config, notes, facts, progress=sys.stderr.isatty()
    )
    written = page.write(found, thumbnails, FLAGS.output)
    images = found["pictures"]
    if bad := images.get("unreadable"):
        print(f"{len(bad):,} of {images['asked']:,} sampled images cannot be read")
    print(f"{found['images']:,} images explored: {written}")


if __name__ == "__main__":
    command.run(main)
