"""A data set as training and prediction get it: read, corrected, cleaned, scanned."""

import dataclasses
import sys

import numpy as np

from data_pipelines import (
    corrections,
    errors,
    exclusion,
    quality,
    sources,
    training_set,
)


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Which data, and what is done to them on reading.

    Args:
        dataset: a name in `sources.SOURCES`.
        source: the configuration of that source.
        corrections: path of an edit log to apply; empty: none.
        exclude: path of a CSV of images to leave out of training; empty: none.
        exclude_issues: kinds of issues in it that count; empty: all.
        max_bad_fraction: share of unreadable images to put up with in any split.
        learnt: `training_set.TrainingSetConfig`; makes split `train` what is learnt.
    """

    dataset: str
    source: object
    corrections: str = ""
    exclude: str = ""
    exclude_issues: tuple = ()
    max_bad_fraction: float = 0.01
    learnt: training_set.TrainingSetConfig = dataclasses.field(
        default_factory=training_set.TrainingSetConfig
    )

    def __post_init__(self):
        if self.exclude_issues and not self.exclude:
            raise errors.SettingError(
                "Issues to exclude are named, but no file that lists images. Expected: "
                f"--exclude=FILE.csv. Received: {', '.join(self.exclude_issues)}."
            )


def read_labels(config, vocabulary=None):
    """Reads the label table: the source's, corrected, its training set chosen, cleaned.

    Args:
        config: `DataConfig`.
        vocabulary: `labels.Vocabulary` of a trained model, to read data for it.

    Returns:
        (`labels.LabelTable`, sentences that count what was changed and left out).

    Raises:
        errors.DataError: whatever is wrong with the files, with file and row.
    """
    log = corrections.read(config.corrections) if config.corrections else []
    # a model of some of the labels is given data that show others, which then leave
    whole = vocabulary if config.learnt.labels == "all" else None
    raw_vocabulary = whole
    if log and whole is not None:
        raw_vocabulary = corrections.before(whole, log)
    source = sources.load(config.dataset)
    table, notes = source.read_with_notes(config.source, raw_vocabulary)
    if log:
        table, more = corrections.apply(table, log, whole)
        notes = [*notes, *more]
    table, more = training_set.apply(table, config.learnt, vocabulary)
    notes = [*notes, *more]
    if config.exclude:
        table, more = exclusion.apply(table, config.exclude, config.exclude_issues)
        notes = [*notes, *more]
    return table, notes


def read(
    config, image_config, vocabulary=None, splits=None, quarantine=None, scans=None
):
    """Reads a data set and leaves its unreadable images out.

    Args:
        config: `DataConfig`.
        image_config: `images.ImageConfig`.
        vocabulary: `labels.Vocabulary` of a trained model, to read data for it.
        splits: names of the splits to keep; only their images are scanned. None keeps
            all; empty keeps all but `train`.
        quarantine: path of the CSV that names unreadable images; None writes none.
        scans: `quality.Scans` of other tables of the same data set, or None.

    Returns:
        (`labels.LabelTable`, notes).

    Raises:
        errors.DataError: as `read_labels`, too many unreadable images, a split that is
            not there, or no split but `train` where that is not wanted.
    """
    table, notes = read_labels(config, vocabulary)
    if splits is not None:
        table = _keep_splits(table, splits)
    return without_bad_images(
        table, notes, image_config, config.max_bad_fraction, quarantine, scans
    )


def _keep_splits(table, splits):
    wanted = splits or [name for name in table.split_names if name != "train"]
    if not wanted:
        raise errors.DataError(
            "there is nothing but the split the run was trained on",
            expected="another split, or --predict_splits=train to predict that one",
        )
    return table.take(np.isin(table.split, [table.split_index(s) for s in wanted]))


def without_bad_images(
    table, notes, image_config, max_bad_fraction, quarantine=None, scans=None
):
    """Leaves the images out that its storage cannot decode.

    Args:
        table: `labels.LabelTable`.
        notes: sentences to add to.
        image_config: `images.ImageConfig`.
        max_bad_fraction: share of unreadable images to put up with in any split.
        quarantine: path of the CSV that names them; None writes none.
        scans: `quality.Scans`, whose images are not decoded again; None decodes all.

    Returns:
        (`labels.LabelTable`, notes).

    Raises:
        errors.DataError: more images are unreadable, or all of a split.
    """
    progress = sys.stderr.isatty()
    if scans is None:
        faults = table.storage.faults(table.locations, image_config, progress)
    else:
        faults = scans.faults(table.storage, table.locations, image_config, progress)
    if quarantine is not None:
        quality.write_quarantine(quarantine, faults, table.ids)
    if faults:
        place = quarantine or "quarantine.csv of the run"
        notes = [
            *notes,
            f"{len(faults):,} unreadable image(s) were left out, named in {place}",
        ]
    return quality.apply(table, faults, max_bad_fraction), notes
