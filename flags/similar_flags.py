"""Which images undersampling by similarity lets go."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_enum(
        "method",
        "k_centre",
        [
            "k_centre",
            "near_identical",
            "tomek_links",
            "near_miss_1",
            "near_miss_2",
            "near_miss_3",
            "random",
        ],
        "How the images that go are chosen.",
    )
    flags.DEFINE_integer(
        "target_count", 0, "Labels of at most so many images lose none.", 0
    )
    flags.DEFINE_float(
        "keep_share", 0.0, "Share of its images that every label keeps.", 0, 1
    )
    flags.DEFINE_integer("seed", 0, "Seed of first centres and of random.", 0)
    flags.DEFINE_integer("feature_size", 16, "Pixels a side that are compared.", 1)
    flags.DEFINE_integer("feature_channels", 3, "3 to compare colours, 1 for grey.")
    flags.DEFINE_bool(
        "ignore_brightness", False, "Compare without brightness and contrast."
    )
    flags.DEFINE_integer("max_pixels", 50_000_000, "Larger images are unreadable.", 1)


def pixel_settings():
    """Returns what `pixel_features.measure` takes beside the table."""
    return {
        "size": FLAGS.feature_size,
        "channels": FLAGS.feature_channels,
        "ignore_brightness": FLAGS.ignore_brightness,
        "max_pixels": FLAGS.max_pixels,
    }


def amount():
    """Returns what `similarity.targets` takes beside the counts.

    Raises:
        errors.SettingError: neither flag says how many images are to stay.
    """
    from data_pipelines import errors

    if not FLAGS.target_count and not FLAGS.keep_share:
        raise errors.SettingError(
            "It is not said how many images are to stay. Expected: --target_count=N, "
            "--keep_share=S or both. Received: neither."
        )
    return {"target_count": FLAGS.target_count, "keep_share": FLAGS.keep_share}
