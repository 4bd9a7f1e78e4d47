"""Which errors are explained, and how."""

from absl import flags

from inclusive_tf.explain import choosing, methods

FLAGS = flags.FLAGS


def define():
    """Defines the flags; the script defines `seed`."""
    flags.DEFINE_integer("count", 24, "Errors to explain.", 1)
    flags.DEFINE_list(
        "choose",
        list(choosing.DEFAULT),
        f"Rankings to take errors from, in turn: {', '.join(choosing.KINDS)}.",
    )
    flags.DEFINE_list(
        "methods",
        list(methods.DEFAULT),
        f"Maps to draw: {', '.join(methods.METHODS)}.",
    )
    flags.DEFINE_integer(
        "examples", 1, "Nearest training images shown of each label in question.", 0
    )
    flags.DEFINE_integer(
        "candidates",
        64,
        "Training images a label to look for them among; with predictions of the "
        "training split all are looked through.",
        1,
    )
    flags.DEFINE_integer(
        "check", 200, "Images to check the maps on, where places are known.", 1
    )
    flags.DEFINE_list(
        "box_files",
        [],
        "CSVs with a row a box, to check the maps on; empty: those of the data set.",
    )
    flags.DEFINE_list(
        "box_columns",
        ["ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"],
        "Their columns of image, label and corners, which are shares of the sides.",
    )
    flags.DEFINE_integer(
        "curves",
        40,
        "Errors whose maps are checked by deletion, insertion and re-drawn weights.",
        0,
    )
    flags.DEFINE_integer(
        "feature_steps",
        0,
        "Steps of activation maximisation, which grows a picture a label; 0: none.",
        0,
    )
    flags.DEFINE_integer("patch", 8, "Side of the occluding patch in pixels.", 1)
    flags.DEFINE_integer("stride", 4, "Step of the patch in pixels.", 1)
    flags.DEFINE_enum("fill", "mean", ["mean", "grey", "blur"], "What covers.")
    flags.DEFINE_integer("smooth_samples", 25, "Noisy copies of SmoothGrad.", 1)
    flags.DEFINE_float(
        "smooth_noise", 0.2, "Their noise, as a share of the image's range.", 0
    )
    flags.DEFINE_integer(
        "score_channels", 0, "Channels that Score-CAM tries an image; 0: all.", 0
    )


def config_from_flags():
    """Returns the `cases.ExplainConfig` of the flags; imports TensorFlow."""
    from inclusive_tf.explain import cases

    return cases.ExplainConfig(
        methods=FLAGS.methods,
        patch=FLAGS.patch,
        stride=FLAGS.stride,
        fill=FLAGS.fill,
        samples=FLAGS.smooth_samples,
        noise=FLAGS.smooth_noise,
        channels=FLAGS.score_channels,
        seed=FLAGS.seed,
    )


def boxes_from_flags(data, split):
    """Returns the `label_boxes.BoxConfig` of the flags.

    Args:
        data: `datasets.DataConfig`, whose source may know boxes of its own.
        split: name of the split that is explained.
    """
    from data_pipelines import label_boxes, sources

    source = sources.load(data.dataset)
    files = tuple(FLAGS.box_files)
    if not files and hasattr(source, "box_files"):
        return label_boxes.BoxConfig(source.box_files(data.source, split))
    return label_boxes.BoxConfig(files, tuple(FLAGS.box_columns))


def shown_from_flags():
    """Returns the `explanation.ShownConfig` of the flags; imports TensorFlow."""
    from inclusive_tf import explanation

    return explanation.ShownConfig(
        count=FLAGS.count,
        choose=tuple(FLAGS.choose),
        examples=FLAGS.examples,
        candidates=FLAGS.candidates,
        check=FLAGS.check,
        curves=FLAGS.curves,
        feature_steps=FLAGS.feature_steps,
        seed=FLAGS.seed,
    )
