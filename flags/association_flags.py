"""Flags of label associations: what they are counted in, and how they are measured."""

from absl import flags

MEASURES = ("ppmi", "npmi")
"""Names in `associations.MEASURES`, which a help text is too early to import."""


def define(flag_values=flags.FLAGS):
    """Defines the flags."""
    flags.DEFINE_list(
        "count_splits",
        ["train"],
        "Splits whose labels are counted; without --corpus.",
        flag_values=flag_values,
    )
    flags.DEFINE_list(
        "corpus",
        [],
        "Text files to count the labels' names in instead: a Wikipedia dump "
        "(pages-articles, .xml or .xml.bz2) or a document a line (.txt, .gz, .bz2).",
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "window",
        0,
        "Words within which names come together; 0: the whole document.",
        lower_bound=0,
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "min_words",
        0,
        "Documents of fewer words are left out.",
        lower_bound=0,
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "processes",
        1,
        "Processes that read the corpus.",
        lower_bound=1,
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "measure",
        "ppmi",
        MEASURES,
        "Positive pointwise mutual information, or the same normalised to 1.",
        flag_values=flag_values,
    )
    flags.DEFINE_float(
        "shrinkage",
        0.5,
        "Images that pull rare pairs towards chance.",
        lower_bound=0.0,
        flag_values=flag_values,
    )


def corpus_config(flag_values=flags.FLAGS):
    """Returns the `corpora.CorpusConfig` of the flags, or None without --corpus."""
    from inclusive_tf.adaptation import corpora

    if not flag_values.corpus:
        return None
    return corpora.CorpusConfig(
        paths=tuple(flag_values.corpus),
        window=flag_values.window,
        min_words=flag_values.min_words,
        processes=flag_values.processes,
    )
