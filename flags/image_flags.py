"""What the pixels become, and how training varies them."""

from absl import flags

from data_pipelines import errors

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_integer("height", 28, "Input height in pixels.", 1)
    flags.DEFINE_integer("width", 56, "Input width in pixels.", 1)
    flags.DEFINE_integer("channels", 1, "1 for grey, 3 for RGB.")
    flags.DEFINE_enum(
        "resize",
        "stretch",
        ["stretch", "pad", "crop"],
        "How an image of another shape is fitted.",
    )
    flags.DEFINE_integer(
        "max_pixels", 50_000_000, "Larger images are refused from their header.", 1
    )
    _define_augmentation()
    _define_colour()
    _define_mixing_and_schedule()


def _define_augmentation():
    flags.DEFINE_float("mirror", 0.5, "Probability of a mirrored image.", 0, 1)
    flags.DEFINE_float("shift", 0.05, "Largest shift, as a share of the side.", 0, 1)
    flags.DEFINE_float("rotate", 0.0, "Largest rotation in degrees.", 0, 180)
    flags.DEFINE_float("zoom", 0.0, "Largest change of scale, as a share.", 0, 0.9)
    flags.DEFINE_float("brightness", 0.0, "Largest change of brightness.", 0, 1)
    flags.DEFINE_float("contrast", 0.0, "Largest change of contrast, a share.", 0, 1)
    flags.DEFINE_float("noise", 0.0, "Largest deviation of added noise.", 0, 1)
    flags.DEFINE_float("blur", 0.0, "Largest share of a 3 x 3 mean.", 0, 1)
    flags.DEFINE_enum(
        "edge",
        "nearest",
        ["nearest", "reflect", "constant"],
        "What fills the gap that a moved image leaves.",
    )
    flags.DEFINE_float(
        "crop_scale",
        1.0,
        "Smallest share of the image's area that a random crop shows; 1: no crops.",
        0.05,
        1,
    )
    flags.DEFINE_float(
        "crop_aspect", 4 / 3, "How much wider or taller a crop may be shaped.", 1, 4
    )
    flags.DEFINE_float("jpeg", 0.0, "Probability of JPEG compression.", 0, 1)
    flags.DEFINE_integer("jpeg_quality", 55, "Smallest quality of it.", 1, 100)
    flags.DEFINE_integer(
        "rand_augment", 0, "Operations of RandAugment an image (its N).", 0, 10
    )
    flags.DEFINE_float("rand_magnitude", 5.0, "How strong they are (its M).", 0, 10)


def _define_colour():
    flags.DEFINE_float(
        "gamma", 0.0, "At g pixels are raised to a power of 1 / (1 + g) to 1 + g.", 0, 4
    )
    flags.DEFINE_float(
        "hue", 0.0, "Largest turn of the colour circle, a share.", 0, 0.5
    )
    flags.DEFINE_float("saturation", 0.0, "Largest change of colourfulness.", 0, 1)
    flags.DEFINE_float(
        "channel_shift", 0.0, "Largest change of brightness of each channel.", 0, 1
    )
    flags.DEFINE_float("grey", 0.0, "Probability of taking the colour away.", 0, 1)


def _define_mixing_and_schedule():
    flags.DEFINE_float(
        "mixup",
        0.0,
        "Blend images of a batch: a of Beta(a, a), such as 0.2; 0: none.",
        0,
        100,
    )
    flags.DEFINE_float(
        "cutmix",
        0.0,
        "Paste a box of another image of the batch: a of Beta(a, a), such as 1; 0: "
        "none.",
        0,
        100,
    )
    flags.DEFINE_float("batch_mix_probability", 1.0, "Of either, for an image.", 0, 1)
    flags.DEFINE_enum(
        "augmentation_schedule",
        "constant",
        ["constant", "soft_to_hard"],
        "soft_to_hard: first nothing is varied, then as constant, then each amount is "
        "drawn from the two ends of its interval.",
    )
    flags.DEFINE_list(
        "augmentation_boundaries",
        [],
        "Shares of the epochs at which soft_to_hard moves on; empty: a third and two "
        "thirds.",
    )
    flags.DEFINE_integer(
        "rare_below",
        0,
        "Vary images more strongly whose rarest label is on fewer; 0: none.",
        0,
    )
    flags.DEFINE_float(
        "rare_strength", 2.0, "What their amounts are multiplied by.", 0, 10
    )


def image_config():
    """Returns the `images.ImageConfig` of the flags."""
    from data_pipelines import images

    return images.ImageConfig(
        height=FLAGS.height,
        width=FLAGS.width,
        channels=FLAGS.channels,
        resize=FLAGS.resize,
        max_pixels=FLAGS.max_pixels,
    )


def _boundaries():
    """Returns the boundaries that are given, as a field of the configuration."""
    given = FLAGS.augmentation_boundaries
    if not given:
        return {}
    try:
        return {"boundaries": tuple(map(float, given))}
    except ValueError as error:
        raise errors.SettingError(
            "--augmentation_boundaries cannot be read. Expected: two numbers from 0 to "
            f"1, joined by a comma. Received: {','.join(given)}."
        ) from error


def augmentation_config():
    """Returns the `augmentation.AugmentationConfig` of the flags.

    Raises:
        errors.DataError: a value out of range.
        errors.SettingError: colour is to be varied and there is none.
    """
    from data_pipelines import augmentation

    config = augmentation.AugmentationConfig(
        mirror=FLAGS.mirror,
        shift=FLAGS.shift,
        rotate=FLAGS.rotate,
        zoom=FLAGS.zoom,
        brightness=FLAGS.brightness,
        contrast=FLAGS.contrast,
        noise=FLAGS.noise,
        blur=FLAGS.blur,
        fill=FLAGS.edge,
        crop_scale=FLAGS.crop_scale,
        crop_aspect=FLAGS.crop_aspect,
        gamma=FLAGS.gamma,
        hue=FLAGS.hue,
        saturation=FLAGS.saturation,
        channel_shift=FLAGS.channel_shift,
        grey=FLAGS.grey,
        jpeg=FLAGS.jpeg,
        jpeg_quality=FLAGS.jpeg_quality,
        rand_augment=FLAGS.rand_augment,
        rand_magnitude=FLAGS.rand_magnitude,
        mixup=FLAGS.mixup,
        cutmix=FLAGS.cutmix,
        batch_mix_probability=FLAGS.batch_mix_probability,
        schedule=FLAGS.augmentation_schedule,
        rare_below=FLAGS.rare_below,
        rare_strength=FLAGS.rare_strength,
        **_boundaries(),
    )
    config.require_channels(FLAGS.channels)
    return config
