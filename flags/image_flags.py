"""What the pixels become, and how training varies them."""

from absl import flags

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


def augmentation_config():
    """Returns the `augmentation.AugmentationConfig` of the flags."""
    from data_pipelines import augmentation

    return augmentation.AugmentationConfig(
        mirror=FLAGS.mirror,
        shift=FLAGS.shift,
        rotate=FLAGS.rotate,
        zoom=FLAGS.zoom,
        brightness=FLAGS.brightness,
        contrast=FLAGS.contrast,
        noise=FLAGS.noise,
        blur=FLAGS.blur,
        fill=FLAGS.edge,
    )
