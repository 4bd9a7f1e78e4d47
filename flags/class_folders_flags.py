"""A folder of classes, with or without list files."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_list(
        "list_files",
        [],
        "class_folders: split:FILE of lists in --data_dir, lines CLASS/IMAGE.",
    )


def config_from_flags():
    """Returns the `class_folders.ClassFoldersConfig` of the flags."""
    from data_pipelines import errors
    from data_pipelines.sources import class_folders

    if FLAGS.group_column not in ("", FLAGS["group_column"].default):
        raise errors.SettingError(
            "A folder of classes has no columns. Expected: no --group_column. "
            f"Received: {FLAGS.group_column}."
        )
    return class_folders.ClassFoldersConfig(
        data_dir=FLAGS.data_dir,
        image_dir=FLAGS.image_dir,
        list_files=tuple(FLAGS.list_files),
        validation_fraction=FLAGS.validation_fraction,
        unseen_labels=FLAGS.unseen_labels,
        missing_images=FLAGS.missing_images,
        names=FLAGS.names,
        seed=FLAGS.data_seed,
    )
