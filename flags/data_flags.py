"""Which data set, and how to read it."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_enum(
        "dataset",
        "fashion_regions",
        ["fashion_regions", "table"],
        "The default data (Fashion-MNIST with induced regions), or your own table.",
    )
    flags.DEFINE_string("data_dir", "", "Folder of Fashion-MNIST's files; empty: look.")
    flags.DEFINE_string("cache_dir", "data", "Folder for downloads and prepared data.")
    flags.DEFINE_integer("data_seed", 0, "Seed of splits and of the default data.", 0)
    flags.DEFINE_string("table", "", "CSV with a header and a row an image.")
    flags.DEFINE_string("image_dir", "", "Folder of the paths; empty: the table's own.")
    flags.DEFINE_string("path_column", "path", "Column of the image's path.")
    flags.DEFINE_list("label_columns", ["labels"], "Columns of labels, a|b in a field.")
    flags.DEFINE_string("label_separator", "|", "What stands between labels.")
    flags.DEFINE_string(
        "group_column", "group", "Column of the group; empty: one group."
    )
    flags.DEFINE_string(
        "split_column", "split", "Column of the split; empty: --splits."
    )
    flags.DEFINE_string(
        "cluster_column", "", "Column of what must stay on one side of a split."
    )
    flags.DEFINE_multi_string(
        "splits", [], "Rule name:column=a|b&other=c in place of --split_column; repeat."
    )
    flags.DEFINE_float(
        "validation_fraction", 0.0, "Share of the training clusters held out.", 0, 0.9
    )
    flags.DEFINE_enum(
        "unlabelled", "keep", ["keep", "drop"], "What to do with rows without a label."
    )
    flags.DEFINE_enum(
        "unseen_labels",
        "error",
        ["error", "keep"],
        "Labels that no training row shows: refuse, or keep (they count as missed).",
    )
    flags.DEFINE_string("names", "", "CSV label,name of display names.")
    flags.DEFINE_float(
        "max_bad_fraction", 0.01, "Share of unreadable images to put up with.", 0, 1
    )


def table_config():
    """Returns the `table.TableConfig` of the flags."""
    from data_pipelines.sources import table

    return table.TableConfig(
        table=FLAGS.table,
        image_dir=FLAGS.image_dir,
        path_column=FLAGS.path_column,
        label_columns=tuple(FLAGS.label_columns),
        label_separator=FLAGS.label_separator,
        group_column=FLAGS.group_column,
        split_column=FLAGS.split_column,
        cluster_column=FLAGS.cluster_column,
        splits=tuple(FLAGS.splits),
        validation_fraction=FLAGS.validation_fraction,
        unlabelled=FLAGS.unlabelled,
        unseen_labels=FLAGS.unseen_labels,
        names=FLAGS.names,
        seed=FLAGS.data_seed,
    )


def config_from_flags():
    """Returns the configuration of the source that --dataset names."""
    if FLAGS.dataset == "table":
        return table_config()
    from data_pipelines.sources import fashion_regions

    return fashion_regions.FashionRegionsConfig(
        seed=FLAGS.data_seed, data_dir=FLAGS.data_dir, cache_dir=FLAGS.cache_dir
    )
