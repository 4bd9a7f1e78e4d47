"""Label vocabularies, sparse multi-label truth, and the label table.

A label is an id plus a display name; the name is never a key. Truth is sparse: a stated
label has a confidence (1 present, 0 verified absent, between: a soft target), and a
table says whether a label that is not stated is absent or unknown.
"""

import dataclasses
import hashlib
import json

import numpy as np

from data_pipelines import errors, storage

PRESENT = 0.5
"""A stated label counts as present from this confidence on."""

UNKNOWN = -1.0
"""Stands in dense targets for a label of which nothing is known."""


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The labels a model can give, in the order of its logits.

    Args:
        ids: unique, non-empty label ids.
        names: one display name an id; defaults to the ids.

    Raises:
        errors.DataError: an id is empty or repeated, or the lengths differ.
    """

    ids: tuple
    names: tuple = ()

    def __post_init__(self):
        object.__setattr__(self, "ids", tuple(self.ids))
        object.__setattr__(self, "names", tuple(self.names) or self.ids)
        if len(self.names) != len(self.ids):
            raise errors.DataError(
                "a vocabulary has one name a label",
                expected=f"{len(self.ids)} names",
                received=f"{len(self.names)}",
            )
        if "" in self.ids:
            raise errors.DataError("a label id is empty", expected="non-empty ids")
        seen = set()
        for label in self.ids:
            if label in seen:
                raise errors.DataError(
                    "a label id stands twice in the vocabulary", received=label
                )
            seen.add(label)

    def __len__(self):
        return len(self.ids)

    def index(self):
        """Returns {id: position}."""
        return {label: position for position, label in enumerate(self.ids)}

    @property
    def hash(self):
        """SHA-256 of the ids in order, as hex; names may change without changing it."""
        return hashlib.sha256(json.dumps(self.ids).encode()).hexdigest()

    def to_json(self):
        """Returns what JSON can hold, with the hash, for `from_json`."""
        return {"ids": list(self.ids), "names": list(self.names), "hash": self.hash}

    @classmethod
    def from_json(cls, stored, file=None):
        """Returns the vocabulary that `to_json` gave.

        Args:
            stored: what JSON held.
            file: where it was read, for the error.

        Raises:
            errors.DataError: the ids do not match their hash.
            KeyError, TypeError: it is something else.
        """
        vocabulary = cls(stored["ids"], stored["names"])
        if vocabulary.hash != stored["hash"]:
            raise errors.DataError("the vocabulary does not match its hash", file=file)
        return vocabulary


def check_positions(name, positions, size):
    """Refuses int `positions` of `name` that do not lie in 0 to `size` - 1.

    Raises:
        errors.DataError: one does not.
    """
    if positions.size and not 0 <= positions.min() <= positions.max() < size:
        raise errors.DataError(
            f"a position is out of range in {name}",
            expected=f"0 to {size - 1}",
            received=f"{positions.min()} to {positions.max()}",
        )


@dataclasses.dataclass(frozen=True)
class SparseLabels:
    """Stated labels of N examples over C classes, as compressed sparse rows.

    Args:
        offsets: int64 [N + 1]; row i owns entries offsets[i] to offsets[i + 1].
        index: int32 [entries]; class of each entry, unique within a row.
        confidence: float32 [entries] in [0, 1]; 0 is verified absence.
        num_classes: C.
    """

    offsets: np.ndarray
    index: np.ndarray
    confidence: np.ndarray
    num_classes: int

    @classmethod
    def from_lists(cls, rows, num_classes):
        """Builds from a list, an example each, of class indices that are present."""
        lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
        index = np.array([label for row in rows for label in row], np.int32)
        return cls(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            index,
            np.ones(len(index), np.float32),
            num_classes,
        )

    @classmethod
    def from_dense(cls, matrix):
        """Builds from [N, C] confidences, where 0 means not stated."""
        matrix = np.asarray(matrix, np.float32)
        rows, index = np.nonzero(matrix)
        offsets = np.concatenate([[0], np.cumsum(np.count_nonzero(matrix, axis=1))])
        return cls(
            offsets.astype(np.int64),
            index.astype(np.int32),
            matrix[rows, index],
            matrix.shape[1],
        )

    def __len__(self):
        return len(self.offsets) - 1

    def check(self):
        """Refuses rows that do not fit each other, such as those of a changed file.

        Raises:
            errors.DataError: offsets do not divide the entries, an entry has no
                confidence, or a class is out of range.
        """
        whole = (
            self.offsets.ndim == self.index.ndim == self.confidence.ndim == 1
            and len(self.index) == len(self.confidence)
            and len(self.offsets)
            and self.offsets[0] == 0
            and self.offsets[-1] == len(self.index)
            and (np.diff(self.offsets) >= 0).all()
        )
        if not whole:
            raise errors.DataError(
                "labels do not fit their rows",
                expected="offsets from 0 to the entries, ascending, and a confidence "
                "an entry",
            )
        check_positions("truth", self.index, self.num_classes)

    def rows(self):
        """Returns int64 [entries]: the example each entry belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def take(self, examples):
        """Returns the rows named by int or boolean `examples`, in that order."""
        examples = np.asarray(examples)
        if examples.dtype == bool:
            examples = np.flatnonzero(examples)
        # what is not taken costs nothing
        lengths = self.offsets[1:][examples] - self.offsets[:-1][examples]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        entries = np.repeat(
            self.offsets[:-1][examples] - offsets[:-1], lengths
        ) + np.arange(offsets[-1])
        return SparseLabels(
            offsets, self.index[entries], self.confidence[entries], self.num_classes
        )

    def present(self):
        """Returns only the entries whose confidence is at least `PRESENT`."""
        keep = self.confidence >= PRESENT
        kept_before = np.concatenate([[0], np.cumsum(keep)])
        return SparseLabels(
            kept_before[self.offsets],
            self.index[keep],
            self.confidence[keep],
            self.num_classes,
        )

    def counts(self):
        """Returns int64 [C]: how many examples show each label."""
        return np.bincount(
            self.index[self.confidence >= PRESENT], minlength=self.num_classes
        )

    def multi_hot(self):
        """Returns bool [N, C]: the labels that are present."""
        dense = np.zeros((len(self), self.num_classes), bool)
        shown = self.confidence >= PRESENT
        dense[self.rows()[shown], self.index[shown]] = True
        return dense

    def targets(self, unlisted_is_absent):
        """Returns float32 [N, C]: confidences, and 0 or `UNKNOWN` where not stated."""
        fill = 0.0 if unlisted_is_absent else UNKNOWN
        dense = np.full((len(self), self.num_classes), fill, np.float32)
        dense[self.rows(), self.index] = self.confidence
        return dense


@dataclasses.dataclass(frozen=True)
class LabelTable:
    """Everything known of the examples before a pixel is read.

    Args:
        ids: str [N], unique.
        locations: str [N]; what `storage` turns into bytes, usually a file's path.
        labels: `SparseLabels` of N rows.
        vocabulary: the classes of `labels`.
        group: int32 [N], an index into `group_names`.
        group_names: names of the groups; some may have no example.
        split: int32 [N], an index into `split_names`.
        split_names: names of the splits.
        unlisted_is_absent: whether a label that is not stated is absent (else unknown).
        cluster: int32 [N] or None; examples of one number belong together, such as
            those of one scene, and are not independent.
        text: object [N] of str, or None; what is written of each image, such as a
            product's name.
        storage: one of `data_pipelines.storage`, which knows how to read `locations`.
        columns: further object [N] columns of str by name, such as which half shows
            what.

    A NumPy array of strings is as wide in every row as its longest one, which suits ids
    and locations. Texts have any length: given as such an array, they are kept as
    objects.
    """

    ids: np.ndarray
    locations: np.ndarray
    labels: SparseLabels
    vocabulary: Vocabulary
    group: np.ndarray
    group_names: tuple
    split: np.ndarray
    split_names: tuple
    unlisted_is_absent: bool = True
    cluster: np.ndarray | None = None
    text: np.ndarray | None = None
    storage: object = storage.FILES
    columns: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        if self.text is not None:
            object.__setattr__(self, "text", np.asarray(self.text, object))
        columns = {
            name: np.asarray(values, object) for name, values in self.columns.items()
        }
        object.__setattr__(self, "columns", columns)

    def __len__(self):
        return len(self.ids)

    def take(self, examples):
        """Returns the examples named by int or boolean `examples`, in that order."""
        return dataclasses.replace(
            self,
            ids=self.ids[examples],
            locations=self.locations[examples],
            labels=self.labels.take(examples),
            group=self.group[examples],
            split=self.split[examples],
            cluster=None if self.cluster is None else self.cluster[examples],
            text=None if self.text is None else self.text[examples],
            columns={name: values[examples] for name, values in self.columns.items()},
        )

    def split_index(self, name):
        """Returns the number of a split in `split_names`.

        Raises:
            errors.DataError: there is no such split, or it has no rows.
        """
        if name not in self.split_names:
            raise errors.DataError(
                "there is no such split",
                expected=f"one of {', '.join(self.split_names)}",
                received=name,
            )
        number = self.split_names.index(name)
        if not (self.split == number).any():
            raise errors.DataError("a split has no rows", received=name)
        return number

    def select_split(self, name):
        """Returns the examples of one split.

        Raises:
            errors.DataError: there is no such split, or it has no rows.
        """
        return self.take(np.flatnonzero(self.split == self.split_index(name)))

    def split_counts(self):
        """Returns {split: examples}."""
        counts = np.bincount(self.split, minlength=len(self.split_names))
        return dict(zip(self.split_names, counts.tolist(), strict=True))

    def group_counts(self):
        """Returns {group: examples}."""
        counts = np.bincount(self.group, minlength=len(self.group_names))
        return dict(zip(self.group_names, counts.tolist(), strict=True))
