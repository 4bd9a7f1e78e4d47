"""The Inclusive Images Challenge, and how labels of several sources are fused."""

from absl import flags

FLAGS = flags.FLAGS

RULES = (
    "first_source",
    "median_minus_deviation_per_image",
    "median_minus_deviation_over_set",
    "box_union",
    "maximum",
    "human_only",
)
"""Names in `open_images.fusion.RULES`, which a help text is too early to import."""


def define():
    """Defines the flags."""
    flags.DEFINE_enum(
        "fusion",
        "first_source",
        RULES,
        "How human, machine and box labels become one (inclusive_images, open_images).",
    )
    flags.DEFINE_string(
        "train_images", "", "Folder of training images; empty: DATA_DIR/train."
    )
    flags.DEFINE_string(
        "test_images",
        "",
        "Folder of tuning and stage 1 images; empty: DATA_DIR/stage_1_test_images.",
    )
    flags.DEFINE_bool(
        "trainable_only", True, "The trainable labels alone, or all human labels."
    )
    flags.DEFINE_bool(
        "without_truth", False, "Also the images of stage 1 that have no truth."
    )


def config_from_flags():
    """Returns the `inclusive_images.InclusiveImagesConfig` of the flags."""
    from data_pipelines.sources import inclusive_images

    return inclusive_images.InclusiveImagesConfig(
        data_dir=FLAGS.data_dir,
        train_images=FLAGS.train_images,
        test_images=FLAGS.test_images,
        fusion=FLAGS.fusion,
        trainable_only=FLAGS.trainable_only,
        without_truth=FLAGS.without_truth,
        unlabelled=FLAGS.unlabelled,
        missing_images=FLAGS.missing_images,
        validation_fraction=FLAGS.validation_fraction,
        seed=FLAGS.data_seed,
    )
