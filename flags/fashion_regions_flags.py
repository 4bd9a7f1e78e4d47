"""The default data."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines no flag: what the default data are is decided by shared ones."""


def config_from_flags():
    """Returns the `fashion_regions.FashionRegionsConfig` of the flags."""
    from data_pipelines.sources import fashion_regions

    return fashion_regions.FashionRegionsConfig(
        seed=FLAGS.data_seed, data_dir=FLAGS.data_dir, cache_dir=FLAGS.cache_dir
    )
