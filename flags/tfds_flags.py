"""Any TFDS set, with a map of its features."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_string("tfds_name", "", "TFDS set, set/config or set/config:1.0.0.")
    flags.DEFINE_bool("tfds_download", False, "Let TFDS download and prepare the set.")
    flags.DEFINE_string("tfds_image", "image", "TFDS feature of the image.")
    flags.DEFINE_list(
        "tfds_labels", ["label"], "TFDS features of labels, such as objects/label."
    )
    flags.DEFINE_string("tfds_confidence", "", "TFDS feature of the confidences.")
    flags.DEFINE_float(
        "tfds_confidence_scale", 1.0, "What stands for confidence 1, such as 10."
    )
    flags.DEFINE_string("tfds_group", "", "TFDS feature of the group.")
    flags.DEFINE_string("tfds_text", "", "TFDS feature of what is written of an image.")
    flags.DEFINE_string("tfds_id", "", "TFDS feature of a unique id.")
    flags.DEFINE_list(
        "tfds_splits", [], "ours:theirs, such as test:test[:50%]; empty: all."
    )


def config_from_flags():
    """Returns the `tfds.TfdsConfig` of the flags."""
    from data_pipelines import errors
    from data_pipelines.sources import tfds

    if FLAGS.group_column not in ("", FLAGS["group_column"].default):
        raise errors.SettingError(
            "The group of a TFDS set is a feature. Expected: --tfds_group in place of "
            f"--group_column. Received: {FLAGS.group_column}."
        )
    return tfds.TfdsConfig(
        name=FLAGS.tfds_name,
        data_dir=FLAGS.data_dir,
        download=FLAGS.tfds_download,
        image=FLAGS.tfds_image,
        labels=tuple(FLAGS.tfds_labels),
        confidence=FLAGS.tfds_confidence,
        confidence_scale=FLAGS.tfds_confidence_scale,
        unlisted=FLAGS.unlisted,
        group=FLAGS.tfds_group,
        text=FLAGS.tfds_text,
        id=FLAGS.tfds_id,
        splits=tuple(FLAGS.tfds_splits),
        validation_fraction=FLAGS.validation_fraction,
        unlabelled=FLAGS.unlabelled,
        unseen_labels=FLAGS.unseen_labels,
        names=FLAGS.names,
        seed=FLAGS.data_seed,
    )
