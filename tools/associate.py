"""Counts which labels come together: a data set or a text corpus → associations.

    python -m tools.associate --dataset=table --table=labels.csv --output=associated
    python -m tools.associate --predictions=RUN/predictions/tuning --processes=8 \\
        --corpus=enwiki-latest-pages-articles.xml.bz2 --window=100 --output=associated
    python -m tools.adapt --predictions=RUN/predictions/tuning --temperature \\
        --associations=associated --threshold=global --output=RUN/adaptation/associated

Counts labels of --count_splits, or with --corpus where their names stand in the same
document or the same --window words. The labels are those of --predictions, else those
of the data set. A Wikipedia dump needs gensim: pip install 'inclusive_tf[corpus]'.

Prints the strongest pairs. Writes OUTPUT/associations.json and .npz, which tools.adapt
takes, and OUTPUT/pairs.csv (label, name, other_label, other_name, weight, together,
count, other_count), the 10,000 strongest.
"""

import sys

from absl import flags

from flags import association_flags, data_flags
from tools import command

FLAGS = flags.FLAGS
data_flags.define()
association_flags.define()
flags.DEFINE_string("output", None, "Folder to write.", required=True)
flags.DEFINE_string("predictions", "", "Predictions whose labels are meant.")
flags.DEFINE_integer("show", 20, "Pairs to print.", lower_bound=0)


def main(_):
    """Counts, measures, writes and prints."""
    from inclusive_tf import predictions
    from inclusive_tf.adaptation import association_files, counting

    vocabulary = None
    if FLAGS.predictions:
        vocabulary = predictions.load(FLAGS.predictions).vocabulary
    corpus = association_flags.corpus_config()
    how = FLAGS.measure, FLAGS.shrinkage
    if corpus is None:
        found = counting.in_splits(
            data_flags.data_config(), tuple(FLAGS.count_splits), vocabulary, *how
        )
    else:
        if vocabulary is None:
            vocabulary = counting.vocabulary_of(data_flags.data_config())
        found = counting.in_corpus(
            corpus, vocabulary, *how, progress=sys.stderr.isatty()
        )
    association_files.save(FLAGS.output, found)
    for line in counting.lines(found, FLAGS.show):
        print(line)
    print(f"written to {FLAGS.output}")


if __name__ == "__main__":
    command.run(main)
