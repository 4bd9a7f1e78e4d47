"""Open Images; --fusion is defined with the challenge's flags."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    for name, what in (
        ("human_labels", "human image-level labels"),
        ("machine_labels", "machine image-level labels"),
        ("boxes", "boxes"),
    ):
        flags.DEFINE_list(
            name,
            [],
            f"CSVs of {what}, one a split; without any file: as in --data_dir.",
        )
    flags.DEFINE_string(
        "class_descriptions", "", "CSV of display names; empty: as in --data_dir."
    )
    flags.DEFINE_string(
        "class_list", "", "List of the label codes to use; empty: all that occur."
    )


def config_from_flags():
    """Returns the `open_images.OpenImagesConfig` of the flags."""
    from data_pipelines.sources import open_images

    return open_images.OpenImagesConfig(
        data_dir=FLAGS.data_dir,
        human_labels=tuple(FLAGS.human_labels),
        machine_labels=tuple(FLAGS.machine_labels),
        boxes=tuple(FLAGS.boxes),
        class_descriptions=FLAGS.class_descriptions,
        class_list=FLAGS.class_list,
        image_dir=FLAGS.image_dir,
        fusion=FLAGS.fusion,
        unlabelled=FLAGS.unlabelled,
        missing_images=FLAGS.missing_images,
        validation_fraction=FLAGS.validation_fraction,
        seed=FLAGS.data_seed,
    )
