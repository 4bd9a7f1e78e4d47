"""How often each example is seen, and how much of its truth."""

from absl import flags

from data_pipelines.resampling import policies

FLAGS = flags.FLAGS

SETTING_FLAGS = {
    "power": "resampling_power",
    "threshold": "repeat_threshold",
    "beta": "effective_beta",
    "least": "least_count",
    "most": "most_count",
    "scale": "root_scale",
}
"""Flag of each setting of `policies.rates`."""


def define():
    """Defines the flags."""
    flags.DEFINE_enum(
        "resampling",
        "class_aware",
        list(policies.POLICIES),
        "Resampling policy of the training examples; docs/resample.md has a table.",
    )
    _define_settings()
    flags.DEFINE_enum(
        "one_label",
        "none",
        ["none", "absent", "unknown"],
        "Each draw of a training image shows one of its labels, chosen at random, and "
        "its others are taken for absent or unknown; none: all labels are shown.",
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


def _define_settings():
    flags.DEFINE_float(
        "resampling_power",
        1.0,
        "Power of any policy's weights: 1 is the policy, 0.5 tempers it, 0 leaves the "
        "data as they are.",
        0,
        2,
    )
    flags.DEFINE_float(
        "repeat_threshold",
        0.05,
        "repeat_factor: share under which labels repeat.",
        0,
        1,
    )
    flags.DEFINE_float(
        "effective_beta",
        0.999,
        "effective_number: 0 leaves the data as they are, near 1 it is rarest_label; "
        "counts far above 1 / (1 - beta) no longer differ.",
        0,
    )
    flags.DEFINE_float(
        "least_count", 50.0, "rarest_or_average: smaller counts are taken for this."
    )
    flags.DEFINE_float(
        "most_count", 10_000.0, "rarest_or_average: greater counts are taken for this."
    )
    flags.DEFINE_float(
        "root_scale",
        100.0,
        "root_linear: the commonest label weighs about this many times less than the "
        "rarest.",
    )


def policy_settings():
    """Returns {setting: value} that the chosen policy takes beside the table.

    Flags of other policies are left aside, so that a policy can be put in another's
    place in a flagfile.
    """
    return {
        setting: FLAGS[SETTING_FLAGS[setting]].value
        for setting in policies.defaults(FLAGS.resampling)
    }
