"""Which data set, and what all sources are told; `SOURCES` names the rest.

Each source has a module of flags of its own, with `define()` and `config_from_flags()`.
"""

import importlib

from absl import flags

from data_pipelines import sources

FLAGS = flags.FLAGS
MODULES = ("data_flags", *(f"{name}_flags" for name in sources.SOURCES))
"""Modules whose flags say what the data are."""


def define():
    """Defines the flags of all sources."""
    flags.DEFINE_enum(
        "dataset",
        "fashion_regions",
        list(sources.SOURCES),
        "The default data (fashion_regions), your own table, or another layout.",
    )
    flags.DEFINE_string("data_dir", "", "Folder of the data set's own files.")
    flags.DEFINE_string("cache_dir", "data", "Folder for downloads and prepared data.")
    flags.DEFINE_integer("data_seed", 0, "Seed of splits and of the default data.", 0)
    flags.DEFINE_string("image_dir", "", "Folder of the paths; empty: the table's own.")
    flags.DEFINE_string(
        "group_column", "group", "Column of the group; empty: one group."
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
    flags.DEFINE_enum(
        "missing_images",
        "keep",
        ["keep", "drop"],
        "Rows whose file is absent: keep (and quarantine), or drop (and count).",
    )
    flags.DEFINE_string("names", "", "CSV label,name of display names.")
    flags.DEFINE_string(
        "corrections",
        "",
        "Corrections to apply on reading: a CSV, or the log of tools.review.",
    )
    flags.DEFINE_string("exclude", "", "CSV of images to leave out of training.")
    flags.DEFINE_list(
        "exclude_issues", [], "Kinds of issues in --exclude that count; empty: all."
    )
    flags.DEFINE_float(
        "max_bad_fraction", 0.01, "Share of unreadable images to put up with.", 0, 1
    )
    _define_training_set()
    for name in sources.SOURCES:
        _flags_of(name).define()


def _define_training_set():
    flags.DEFINE_list("train_splits", ["train"], "Splits that are learnt from.")
    flags.DEFINE_enum(
        "train_labels",
        "all",
        ["all", "head", "tail"],
        "Labels that are learnt: all, the commonest in training, or the others.",
    )
    flags.DEFINE_integer("head_size", 20, "Labels of the head.", 1)
    flags.DEFINE_integer(
        "most_labels", 0, "Images that show more are not learnt from; 0: any.", 0
    )
    flags.DEFINE_float(
        "held_out", 0.0, "Share of what is learnt from kept as split held_out.", 0, 0.9
    )
    flags.DEFINE_list(
        "held_out_of", [], "Splits of --train_splits to keep it of; empty: all."
    )
    flags.DEFINE_integer(
        "held_out_fold", 0, "Which share of size --held_out is held out, from 0.", 0
    )
    flags.DEFINE_integer("held_out_seed", 0, "Seed of which are held out.", 0)
    flags.DEFINE_string(
        "pseudo_labels",
        "",
        "CSV id,label of further images to learn from, with labels a model gave them.",
    )


def _flags_of(source):
    return importlib.import_module(f"flags.{source}_flags")


def config_from_flags():
    """Returns the configuration of the source that --dataset names."""
    return _flags_of(FLAGS.dataset).config_from_flags()


def data_config():
    """Returns the `datasets.DataConfig` of the flags."""
    from data_pipelines import datasets

    return datasets.DataConfig(
        dataset=FLAGS.dataset,
        source=config_from_flags(),
        corrections=FLAGS.corrections,
        exclude=FLAGS.exclude,
        exclude_issues=tuple(FLAGS.exclude_issues),
        max_bad_fraction=FLAGS.max_bad_fraction,
        learnt=_training_set(),
    )


def _training_set():
    from data_pipelines import training_set

    return training_set.TrainingSetConfig(
        splits=tuple(FLAGS.train_splits),
        labels=FLAGS.train_labels,
        head_size=FLAGS.head_size,
        most_labels=FLAGS.most_labels,
        held_out=FLAGS.held_out,
        held_out_of=tuple(FLAGS.held_out_of),
        held_out_fold=FLAGS.held_out_fold,
        pseudo_labels=FLAGS.pseudo_labels,
        seed=FLAGS.held_out_seed,
    )
