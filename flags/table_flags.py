"""A table with a row an image."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_string("table", "", "CSV or Parquet file with a row an image.")
    flags.DEFINE_multi_string(
        "tables", [], "split:FILE in place of --table and --split_column; repeat."
    )
    flags.DEFINE_string("path_column", "path", "Column of the image's path.")
    flags.DEFINE_list("label_columns", ["labels"], "Columns of labels, a|b in a field.")
    flags.DEFINE_list(
        "confidence_columns",
        [],
        "Columns of confidences such as 1|0.6, one beside each label column.",
    )
    flags.DEFINE_list("absent_columns", [], "Columns of labels verified absent.")
    flags.DEFINE_string(
        "label_separator", "|", "What stands between labels; empty: one a field."
    )
    flags.DEFINE_enum(
        "label_form",
        "separated",
        ["separated", "list"],
        "Whether a field of labels is a|b, or a list such as ['a', 'b'].",
    )
    flags.DEFINE_enum(
        "unlisted",
        "absent",
        ["absent", "unknown"],
        "What a label is that is not stated of an image.",
    )
    flags.DEFINE_string(
        "split_column", "split", "Column of the split; empty: --splits."
    )
    flags.DEFINE_string(
        "cluster_column", "", "Column of what must stay on one side of a split."
    )
    flags.DEFINE_string("text_column", "", "Column of what is written of the image.")
    flags.DEFINE_list("extra_columns", [], "Further columns to carry along.")
    flags.DEFINE_multi_string(
        "splits", [], "Rule name:column=a|b&other=c in place of --split_column; repeat."
    )
    flags.DEFINE_multi_string(
        "lookup_columns", [], "New column NAME=COLUMN:FILE.csv (value,result); repeat."
    )
    flags.DEFINE_multi_string(
        "band_columns", [], "New column NAME=COLUMN:EDGE|EDGE of bands; repeat."
    )
    flags.DEFINE_multi_string(
        "part_columns", [], "New column NAME=COLUMN:PARTS, a number by hash; repeat."
    )
    flags.DEFINE_multi_string(
        "compose_columns",
        [],
        "New column NAME={COLUMN}/{COLUMN:_}.jpg, :_ for spaces; repeat.",
    )


def config_from_flags():
    """Returns the `table.TableConfig` of the flags."""
    from data_pipelines.sources import table

    return table.TableConfig(
        table=FLAGS.table,
        tables=tuple(FLAGS.tables),
        image_dir=FLAGS.image_dir,
        path_column=FLAGS.path_column,
        label_columns=tuple(FLAGS.label_columns),
        confidence_columns=tuple(FLAGS.confidence_columns),
        absent_columns=tuple(FLAGS.absent_columns),
        label_separator=FLAGS.label_separator,
        label_form=FLAGS.label_form,
        unlisted=FLAGS.unlisted,
        group_column=FLAGS.group_column,
        split_column=FLAGS.split_column,
        cluster_column=FLAGS.cluster_column,
        text_column=FLAGS.text_column,
        splits=tuple(FLAGS.splits),
        validation_fraction=FLAGS.validation_fraction,
        unlabelled=FLAGS.unlabelled,
        unseen_labels=FLAGS.unseen_labels,
        missing_images=FLAGS.missing_images,
        names=FLAGS.names,
        extra_columns=tuple(FLAGS.extra_columns),
        lookup_columns=tuple(FLAGS.lookup_columns),
        band_columns=tuple(FLAGS.band_columns),
        part_columns=tuple(FLAGS.part_columns),
        compose_columns=tuple(FLAGS.compose_columns),
        seed=FLAGS.data_seed,
    )
