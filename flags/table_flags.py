"""A table with a row an image."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_string("table", "", "CSV with a header and a row an image.")
    flags.DEFINE_string("path_column", "path", "Column of the image's path.")
    flags.DEFINE_list("label_columns", ["labels"], "Columns of labels, a|b in a field.")
    flags.DEFINE_string("label_separator", "|", "What stands between labels.")
    flags.DEFINE_string(
        "split_column", "split", "Column of the split; empty: --splits."
    )
    flags.DEFINE_string(
        "cluster_column", "", "Column of what must stay on one side of a split."
    )
    flags.DEFINE_multi_string(
        "splits", [], "Rule name:column=a|b&other=c in place of --split_column; repeat."
    )


def config_from_flags():
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
