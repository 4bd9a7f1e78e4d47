"""How often each example is seen."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_enum(
        "resampling",
        "class_aware",
        ["none", "rarest_label", "class_aware", "repeat_factor", "group_balanced"],
        "Resampling policy of the training examples.",
    )
    flags.DEFINE_float(
        "resampling_power", 1.0, "rarest_label: 1 balances, 0 leaves as it is.", 0, 2
    )
    flags.DEFINE_float(
        "repeat_threshold",
        0.05,
        "repeat_factor: share under which labels repeat.",
        0,
        1,
    )
    flags.DEFINE_enum(
        "carrier",
        "indexed",
        ["indexed", "streaming"],
        "How rates become draws: by random access, or by rejecting from a stream.",
    )
    flags.DEFINE_integer(
        "shuffle_buffer", 2048, "Records the streaming carrier shuffles among.", 0
    )
    flags.DEFINE_float(
        "keep_gib",
        1.0,
        "GiB for pixels that are decoded once and kept, if the training split fits.",
        0,
    )


def policy_settings():
    """Returns {setting: value} that the chosen policy takes beside the table."""
    if FLAGS.resampling == "rarest_label":
        return {"power": FLAGS.resampling_power}
    if FLAGS.resampling == "repeat_factor":
        return {"threshold": FLAGS.repeat_threshold}
    return {}
