"""What `tools.explore` looks at, and how much of it the page shows."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_string(
        "title", "", "Heading of the page; empty: the name of the data set."
    )
    flags.DEFINE_string(
        "from_split", "train", "Split whose labels are shown, the first of the two."
    )
    flags.DEFINE_string(
        "to_split",
        "",
        "Split to compare it with; empty: tuning, or the only other one.",
    )
    flags.DEFINE_integer("top", 30, "Labels and groups in a plot, at most.", 2)
    flags.DEFINE_integer("matrix", 40, "Labels in the matrix of pairs, at most.", 2)
    flags.DEFINE_integer("pairs", 30, "Pairs of labels listed, at most.", 1)
    flags.DEFINE_integer("pair_images", 10, "Images a listed pair must share.", 1)
    flags.DEFINE_integer("sample", 2000, "Images to measure; 0 reads none.", 0)
    flags.DEFINE_integer(
        "sheets", 24, "Sample sheets of labels, and of groups, at most.", 0
    )
    flags.DEFINE_integer("sheet_images", 12, "Images of a sample sheet.", 1)
    flags.DEFINE_integer("seed", 0, "Seed of the sample and the sheets.", 0)


def config_from_flags():
    """Returns the `exploration.config.ExplorationConfig` of the flags.

    The flags of `data_flags` must be defined too.
    """
    from inclusive_tf.exploration import config

    return config.ExplorationConfig(
        title=FLAGS.title or f"Data set: {FLAGS.dataset}",
        from_split=FLAGS.from_split,
        to_split=FLAGS.to_split or None,
        top=FLAGS.top,
        matrix=FLAGS.matrix,
        pairs=FLAGS.pairs,
        pair_images=FLAGS.pair_images,
        sample=FLAGS.sample,
        sheets=FLAGS.sheets,
        sheet_images=FLAGS.sheet_images,
        seed=FLAGS.seed,
    )
