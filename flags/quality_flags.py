"""Which image issues to look for."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    from data_pipelines import issue_kinds

    flags.DEFINE_list(
        "kinds", list(issue_kinds.KINDS), "Kinds of issues to look for, a,b,c."
    )
    flags.DEFINE_list(
        "thresholds",
        [],
        "KIND=SCORE,...: the score (0..1) below which an image has the issue; "
        "cleanvision's own where none is given.",
    )
    flags.DEFINE_integer(
        "neighbours", 5, "Images that must be near one that is like others.", 1
    )
    flags.DEFINE_float(
        "deviations", 3.5, "Robust deviations at which an image is irrelevant.", 0
    )
    flags.DEFINE_integer("sample", 20_000, "Images to measure distances to.", 20)
    flags.DEFINE_integer("max_pixels", 50_000_000, "Larger images are unreadable.", 1)
    flags.DEFINE_integer("seed", 0, "Seed of the sample.", 0)


def config_from_flags():
    """Returns the `image_issues.IssueConfig` of the flags.

    Raises:
        errors.SettingError: a kind or a threshold cannot be used.
    """
    from data_pipelines import errors, image_issues

    thresholds = []
    for item in FLAGS.thresholds:
        kind, _, value = item.partition("=")
        try:
            thresholds.append((kind, float(value)))
        except ValueError as error:
            raise errors.SettingError(
                f"A threshold cannot be read. Expected: KIND=SCORE. Received: {item}."
            ) from error
    return image_issues.IssueConfig(
        kinds=tuple(FLAGS.kinds),
        thresholds=tuple(thresholds),
        neighbours=FLAGS.neighbours,
        deviations=FLAGS.deviations,
        sample=FLAGS.sample,
        max_pixels=FLAGS.max_pixels,
        seed=FLAGS.seed,
    )
