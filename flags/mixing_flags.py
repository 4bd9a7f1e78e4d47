"""Whether rare images are mixed with their like."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_integer(
        "mix_below",
        0,
        "Mix repeated draws of images whose rarest label is on fewer images; 0: none.",
        0,
    )
    flags.DEFINE_integer(
        "mix_partners", 5, "Nearest images of that label to mix with.", 1
    )
    flags.DEFINE_float(
        "mix_share", 0.5, "Largest share of the other image, above 0.", 0, 1
    )
    flags.DEFINE_string(
        "mix_predictions",
        "",
        "Predictions folder of split train whose features say what is near; empty: "
        "small pixels do.",
    )


def config_from_flags():
    """Returns the `mixing.MixingConfig` of the flags."""
    from data_pipelines.resampling import mixing

    return mixing.MixingConfig(
        below=FLAGS.mix_below,
        partners=FLAGS.mix_partners,
        max_share=FLAGS.mix_share,
        predictions=FLAGS.mix_predictions,
    )
