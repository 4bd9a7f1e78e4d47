"""Fashion Product Images."""

from absl import flags

FLAGS = flags.FLAGS
DEFAULT_GROUP = "gender"
"""Stands in where --group_column was not given: the file has no column "group"."""


def define():
    """Defines the flags."""
    flags.DEFINE_enum(
        "malformed",
        "read",
        ["read", "skip"],
        "fashion_products: rows with bare commas in the product's name.",
    )
    flags.DEFINE_enum(
        "types",
        "all",
        ["all", "top20", "rest"],
        "fashion_products: article types, the top 20 by training rows or the rest.",
    )
    flags.DEFINE_list(
        "levels", [], "fashion_products: masterCategory, subCategory as labels too."
    )
    flags.DEFINE_enum(
        "unseen_types",
        "drop",
        ["drop", "keep", "error"],
        "fashion_products: test rows of types that no training row shows.",
    )


def config_from_flags():
    """Returns the `fashion_products.FashionProductsConfig` of the flags."""
    from data_pipelines.sources import fashion_products

    group = FLAGS.group_column
    return fashion_products.FashionProductsConfig(
        data_dir=FLAGS.data_dir,
        image_dir=FLAGS.image_dir,
        malformed=FLAGS.malformed,
        types=FLAGS.types,
        levels=tuple(FLAGS.levels),
        group_column=DEFAULT_GROUP if group == FLAGS["group_column"].default else group,
        unseen_labels=FLAGS.unseen_types,
        missing_images=FLAGS.missing_images,
        validation_fraction=FLAGS.validation_fraction,
        names=FLAGS.names,
        seed=FLAGS.data_seed,
    )
