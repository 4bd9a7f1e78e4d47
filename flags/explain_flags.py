"""How errors are explained."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_integer("count", 24, "Errors to explain.", 1)
    flags.DEFINE_integer(
        "check", 200, "Images to check the maps on, where places are known.", 1
    )
    flags.DEFINE_integer("patch", 8, "Side of the occluding patch in pixels.", 1)
    flags.DEFINE_integer("stride", 4, "Step of the patch in pixels.", 1)
    flags.DEFINE_enum("fill", "mean", ["mean", "grey", "blur"], "What covers.")


def config_from_flags():
    """Returns the `cases.ExplainConfig` of the flags; imports TensorFlow."""
    from inclusive_tf.explain import cases

    return cases.ExplainConfig(patch=FLAGS.patch, stride=FLAGS.stride, fill=FLAGS.fill)
