"""What a prepared image is like, where the set goes, and which engine encodes."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_string("output", None, "Folder for prepared data sets.", required=True)
    flags.DEFINE_integer(
        "short_side", 256, "Shrink to this shorter side in pixels; 0: keep sizes.", 0
    )
    flags.DEFINE_enum(
        "encoding", "jpeg", ["jpeg", "png"], "jpeg, or png, which loses nothing."
    )
    flags.DEFINE_integer("quality", 95, "Quality of JPEG.", 1, 100)
    flags.DEFINE_integer(
        "max_pixels", 50_000_000, "Larger images are refused from their header.", 1
    )
    flags.DEFINE_string(
        "beam_runner",
        "",
        "Apache Beam engine that encodes, such as DirectRunner or FlinkRunner; empty: "
        "the cores of this machine.",
    )
    flags.DEFINE_list(
        "beam_options", [], "name=value options of Beam and of its engine."
    )


def config_from_flags():
    """Returns the `encoding.EncodingConfig` of the flags."""
    from data_pipelines.preparing import encoding

    return encoding.EncodingConfig(
        short_side=FLAGS.short_side,
        encoding=FLAGS.encoding,
        quality=FLAGS.quality,
        max_pixels=FLAGS.max_pixels,
    )
