"""A data set that `tools.prepare` made."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines no flag: --data_dir, which all sources share, says which set it is."""


def config_from_flags():
    """Returns the `prepared.PreparedConfig` of the flags."""
    from data_pipelines.sources import prepared

    return prepared.PreparedConfig(
        data_dir=FLAGS.data_dir,
        validation_fraction=FLAGS.validation_fraction,
        seed=FLAGS.data_seed,
    )
