"""How an audit is made."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags; `evaluation_flags.define` has the threshold and the seed."""
    flags.DEFINE_enum(
        "way",
        "auto",
        ["auto", "held_out", "refit", "neighbours", "agreement"],
        "Where out-of-sample probabilities come from: the logits as they are, a last "
        "layer refitted by cross-validation, the nearest other images, or the mean of "
        "both; auto: a refit for split train and several networks, else the logits.",
    )
    flags.DEFINE_integer("folds", 5, "Folds of the refit.", 2)
    flags.DEFINE_integer("neighbours", 20, "Nearest images that are looked at.", 1)
    flags.DEFINE_integer("pairs", 30, "Pairs of classes to list.", 1)
    flags.DEFINE_integer("collect", 30, "What to collect next: rows to list.", 1)


def config_from_flags():
    """Returns the `auditing.AuditConfig` of the flags."""
    from inclusive_tf.audit import auditing

    return auditing.AuditConfig(
        way=FLAGS.way,
        folds=FLAGS.folds,
        neighbours=FLAGS.neighbours,
        pairs=FLAGS.pairs,
        collect=FLAGS.collect,
        resamples=FLAGS.bootstrap,
        seed=FLAGS.seed,
    )
