"""Which rows and labels a training learns from, when it is not just split `train`.

A phase of a training may learn from a tuning set, from common labels only, or from
images with labels that a model gave them. Each is a change of the label table, so that
what follows (resampling, predicting, evaluating) sees an ordinary one: what is learnt
from is split `train`, what is kept from it is split `held_out`.
"""

import dataclasses

import numpy as np
import pandas as pd

from data_pipelines import errors, labels, strict_csv
from data_pipelines.sources import splits as split_rules

LABELS = ("all", "head", "tail")
"""Which labels stay: all, the `head_size` commonest in training, or the others."""

HELD_OUT = "held_out"
"""Split of the rows that are kept from the training."""

HEADER = ("id", "label")
"""Columns of a file of pseudo-labels: a row a label, an empty label for none."""


@dataclasses.dataclass(frozen=True)
class TrainingSetConfig:
    """What is learnt from.

    Args:
        splits: splits whose rows are learnt from, as the source names them.
        labels: one of `LABELS`, by their number of images in split `train` of the
            source; the other labels leave the vocabulary, and images that showed
            nothing else leave the data.
        head_size: labels of the head.
        most_labels: images that show more are not learnt from; 0 is any number. Rows
            are held out first, and those stay whatever they show.
        held_out: share of the rows, or of whole clusters, that become split `held_out`.
        held_out_of: those of `splits` that rows are held out of; none means all.
        held_out_fold: which share of that size is held out, from 0; the trainings that
            hold out one each of 1 / held_out folds predict every row unseen.
        pseudo_labels: CSV `id,label`; these rows are learnt from with these labels
            instead of their own, which are not looked at. Rows of `splits` keep theirs.
        seed: decides which rows are held out.

    Raises:
        errors.SettingError: a value out of range.
    """

    splits: tuple = ("train",)
    labels: str = "all"
    head_size: int = 20
    most_labels: int = 0
    held_out: float = 0.0
    held_out_of: tuple = ()
    held_out_fold: int = 0
    pseudo_labels: str = ""
    seed: int = 0

    def __post_init__(self):
        checks = (
            ("splits", len(self.splits) > 0, "at least one split"),
            ("labels", self.labels in LABELS, f"one of {', '.join(LABELS)}"),
            ("head_size", self.head_size >= 1, "at least 1"),
            ("most_labels", self.most_labels >= 0, "0 or more"),
            ("held_out", 0 <= self.held_out < 1, "0 or more, below 1"),
            (
                "held_out_fold",
                self.held_out_fold == 0 or 0 < self.held_out_fold * self.held_out < 1,
                "0 or more, with held_out times held_out_fold below 1",
            ),
            (
                "held_out_of",
                set(self.held_out_of) <= set(self.splits),
                f"some of {', '.join(self.splits)}",
            ),
        )
        for name, right, expected in checks:
            if not right:
                raise errors.SettingError(
                    f"A training set cannot have this {name}. Expected: {expected}. "
                    f"Received: {getattr(self, name)}."
                )

    @property
    def plain(self):
        """Whether the table stays as it is."""
        return (
            self.splits == ("train",)
            and self.labels == "all"
            and not self.most_labels
            and not self.held_out
            and not self.pseudo_labels
        )


def apply(table, config, vocabulary=None):
    """Makes the training set split `train` of a label table.

    Args:
        table: `labels.LabelTable`.
        config: `TrainingSetConfig`.
        vocabulary: `labels.Vocabulary` of a trained model, whose labels are kept;
            None chooses them by `config.labels`.

    Returns:
        (`labels.LabelTable`, sentences that count what left and what changed).

    Raises:
        errors.DataError: a split is not there, no image or no label is left to learn,
            the model knows other labels, or pseudo-labels that do not fit.
    """
    if config.plain:
        return table, []
    notes = []
    if config.labels != "all":
        table, notes = _with_labels(table, config, vocabulary)
    pseudo = np.zeros(len(table), bool)
    own = np.isin(table.split, [table.split_index(name) for name in config.splits])
    if config.pseudo_labels:
        table, pseudo, more = _with_pseudo_labels(table, config.pseudo_labels, own)
        notes += more
    return _with_splits(table, config, own, pseudo, notes)


def _with_labels(table, config, vocabulary):
    """Keeps the labels of the head or tail, or those of a model."""
    if vocabulary is None:
        kept = _chosen(table, config)
        vocabulary = labels.Vocabulary(
            [table.vocabulary.ids[label] for label in kept],
            [table.vocabulary.names[label] for label in kept],
        )
    index = table.vocabulary.index()
    unknown = [label for label in vocabulary.ids if label not in index]
    if unknown:
        raise errors.DataError(
            "the model knows a label that the data have not", received=unknown[0]
        )
    place = np.full(len(table.vocabulary), -1)
    place[[index[label] for label in vocabulary.ids]] = np.arange(len(vocabulary))
    stated = table.labels
    entries = place[stated.index] >= 0
    kept_before = np.concatenate([[0], np.cumsum(entries)])
    fewer = labels.SparseLabels(
        kept_before[stated.offsets],
        place[stated.index[entries]].astype(np.int32),
        stated.confidence[entries],
        len(vocabulary),
    )
    emptied = (_present(stated) > 0) & (_present(fewer) == 0)
    smaller = dataclasses.replace(table, labels=fewer, vocabulary=vocabulary)
    notes = [
        f"{len(vocabulary):,} of {len(table.vocabulary):,} labels are learnt "
        f"({config.labels}, head of {config.head_size:,})"
    ]
    lost = np.bincount(table.split[emptied], minlength=len(table.split_names))
    for name, count in zip(table.split_names, lost.tolist(), strict=True):
        if count:
            notes.append(f"{count:,} images of {name} show other labels only and left")
    return smaller.take(~emptied), notes


def _chosen(table, config):
    """Returns the labels of the head or tail, in the order of the vocabulary."""
    counts = table.select_split("train").labels.counts()
    # of equally common ones the first in the vocabulary counts as commoner
    order = np.argsort(-counts, kind="stable")
    chosen = order[: config.head_size]
    if config.labels == "tail":
        chosen = order[config.head_size :]
        chosen = chosen[counts[chosen] > 0]
    if not len(chosen):
        raise errors.DataError(
            "no label is left to learn",
            expected=f"a head of fewer than {np.count_nonzero(counts):,} labels",
            received=f"{config.head_size:,}",
        )
    return np.sort(chosen).tolist()


def _present(stated):
    return np.diff(stated.present().offsets)


def _with_pseudo_labels(table, path, own):
    """Gives the rows that a file names its labels; returns (table, bool [N], notes)."""
    rows = strict_csv.read(path, HEADER)
    frame = pd.DataFrame(rows, columns=list(HEADER), dtype=object)
    lines = np.arange(2, len(frame) + 2)
    place = pd.Index(strict_csv.printable(np.asarray(table.ids, str))).get_indexer(
        frame["id"]
    )
    if (place < 0).any():
        first = int(np.argmax(place < 0))
        raise errors.DataError(
            "a pseudo-label is of an image that is not in the data",
            received=frame["id"][first],
            file=path,
            row=int(lines[first]),
        )
    given = frame["label"].to_numpy()
    named = given != ""
    label = pd.Index(table.vocabulary.ids).get_indexer(given)
    if (named & (label < 0)).any():
        first = int(np.argmax(named & (label < 0)))
        raise errors.DataError(
            "a pseudo-label is not in the vocabulary",
            received=given[first],
            file=path,
            row=int(lines[first]),
        )
    _require_consistent(frame, path)
    pseudo = np.zeros(len(table), bool)
    pseudo[place] = True
    staying = np.count_nonzero(pseudo & own)
    pseudo &= ~own
    old = table.labels
    entries = ~pseudo[old.rows()]
    used = named & pseudo[place]
    columns = len(table.vocabulary)
    keys = np.concatenate([
        old.rows()[entries] * columns + old.index[entries],
        place[used].astype(np.int64) * columns + label[used],
    ])  # fmt: skip
    confidence = np.concatenate(
        [old.confidence[entries], np.ones(np.count_nonzero(used), np.float32)]
    )
    keys, first = np.unique(keys, return_index=True)
    offsets = np.searchsorted(keys, np.arange(len(table) + 1) * columns)
    changed = labels.SparseLabels(
        offsets.astype(np.int64),
        (keys % columns).astype(np.int32),
        confidence[first],
        columns,
    )
    notes = [
        f"{np.count_nonzero(pseudo):,} images are learnt from with "
        f"{np.count_nonzero(used):,} pseudo-labels of {path}"
    ]
    if staying:
        notes.append(f"{staying:,} images of {path} keep their own labels")
    return dataclasses.replace(table, labels=changed), pseudo, notes


def _require_consistent(frame, path):
    """Refuses an image's label that stands twice, or beside the row of no label."""
    several = frame.duplicated("id", keep=False)
    wrong = frame.duplicated() | (several & (frame["label"] == ""))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise errors.DataError(
            "pseudo-labels of an image contradict one another or stand twice",
            expected="a row a label, or one row with none",
            received=",".join(frame.iloc[first]),
            file=path,
            row=first + 2,
        )


def _with_splits(table, config, own, pseudo, notes):
    """Makes the rows to learn from `train`; other rows of `train` leave."""
    names = np.array(table.split_names)[table.split].astype(object)
    learnt = own | pseudo
    left = (names == "train") & ~learnt
    if left.any():
        notes.append(f"{np.count_nonzero(left):,} images of train are not learnt from")
    if config.held_out:
        rows = np.flatnonzero(
            own & np.isin(names, list(config.held_out_of or config.splits))
        )
        together = table.ids if table.cluster is None else table.cluster.astype(str)
        apart = rows[
            split_rules.held_out(
                together[rows], config.held_out, config.seed, config.held_out_fold
            )
        ]
        learnt[apart] = False
        names[apart] = HELD_OUT
        notes.append(f"{len(apart):,} images are held out of training")
        _require_some(
            learnt, f"--held_out below {config.held_out}", ", ".join(config.splits)
        )
    names[learnt] = "train"
    if config.most_labels:
        present = _present(table.labels)
        full = learnt & (present > config.most_labels)
        notes.append(
            f"{np.count_nonzero(full):,} images show more than {config.most_labels:,} "
            "labels and left the training"
        )
        _require_some(
            learnt & ~full,
            f"--most_labels of {present[learnt].min()} or more",
            f"{config.most_labels}",
        )
        left |= full
    changed = dataclasses.replace(table, **split_rules.fields(names.astype(str)))
    return (changed.take(~left) if left.any() else changed), notes


def _require_some(learnt, expected, received):
    if not learnt.any():
        raise errors.DataError(
            "no image is left to learn from", expected=expected, received=received
        )
