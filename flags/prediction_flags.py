"""How a trained model looks at images: several views, other statistics, scores."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_enum(
        "views",
        "none",
        ["none", "mirror", "five_crops", "ten_crops"],
        "Views of each image that are averaged: the image, and its mirror image, four "
        "corners and the centre of a larger one, or these and their mirror images.",
    )
    flags.DEFINE_enum(
        "view_mean",
        "logits",
        ["logits", "probabilities"],
        "What of the views is averaged. Only the mean of logits has a last layer that "
        "tools.adapt can refit.",
    )
    flags.DEFINE_float(
        "view_scale",
        1.143,
        "Crops: side of the larger image over that of the input, above 1 to 4; 1.143 "
        "is 256/224.",
        1,
        4,
    )
    flags.DEFINE_enum(
        "scores",
        "sigmoid",
        ["sigmoid", "softmax", "softmax_below"],
        "What logits become: a probability a label, its share of all labels, or its "
        "share against the labels that rank below the first --softmax_below.",
    )
    flags.DEFINE_integer("softmax_below", 150, "Labels ahead of those it is of.", 1)
    flags.DEFINE_list(
        "statistics_from",
        [],
        "Splits on whose images, not labels, batch normalisation's statistics are "
        "recomputed before predicting; empty: the model as it was trained.",
    )
    flags.DEFINE_float(
        "statistics_prior",
        0.0,
        "Inputs that the old statistics count as; 0 forgets them.",
        0,
    )


def views_config():
    """Returns the `views.ViewsConfig` of the flags."""
    from data_pipelines import views

    return views.ViewsConfig(FLAGS.views, FLAGS.view_scale, FLAGS.view_mean)


def scores_config():
    """Returns the `scores.ScoresConfig` of the flags."""
    from inclusive_tf import scores

    return scores.ScoresConfig(FLAGS.scores, FLAGS.softmax_below)


def statistics_config():
    """Returns the `training.target_statistics.StatisticsConfig` of the flags."""
    from inclusive_tf.training import target_statistics

    return target_statistics.StatisticsConfig(
        FLAGS.statistics_from, FLAGS.statistics_prior
    )
