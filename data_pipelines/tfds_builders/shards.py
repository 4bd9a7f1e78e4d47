"""What goes into the shards of a prepared data set, row by row."""

import dataclasses
import os
import re

import numpy as np
import tensorflow as tf

from data_pipelines import errors

SHARD_BYTES = 128 * 2**20
"""Encoded images a shard holds at most, about; TFDS keeps them in memory meanwhile."""

_SPLIT_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Content:
    """The readable rows, where their encoded images are staged, and a progress bar.

    Args:
        table: `labels.LabelTable`.
        keys: uint64 [N] of `encoding.keys`, all staged.
        staged: `staging.Staged`.
        bar: has `update(count)`.
    """

    table: object
    keys: np.ndarray
    staged: object
    bar: object

    def split_rows(self):
        """Returns {split: list of int64 rows, a shard each}, in the table's order."""
        found = {}
        for split, name in enumerate(self.table.split_names):
            rows = np.flatnonzero(self.table.split == split)
            if len(rows):
                total = int(self.staged.sizes(self.keys[rows]).sum())
                count = min(len(rows), -(-max(1, total) // SHARD_BYTES))
                found[name] = np.array_split(rows, count)
        return found

    def examples(self, rows):
        """Yields (row, serialised `tf.train.Example`) of some rows, in order.

        The examples are what TFDS' own serialiser makes of the builder's features.
        """
        table, offsets = self.table, self.table.labels.offsets
        for row in rows.tolist():
            entries = slice(offsets[row], offsets[row + 1])
            yield (
                row,
                _serialised(
                    {
                        "image": self.staged.read(self.keys[row]),
                        # an id can hold bytes that are no UTF-8
                        "id": os.fsencode(table.ids[row]),
                        "labels": table.labels.index[entries],
                        "confidences": table.labels.confidence[entries],
                        "group": table.group[row : row + 1],
                        "text": b""
                        if table.text is None
                        else str(table.text[row]).encode(),
                    }
                ),
            )
            self.bar.update(1)


def _serialised(values):
    example = tf.train.Example()
    for name, value in values.items():
        feature = example.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        elif value.dtype.kind == "f":
            feature.float_list.value.extend(value.tolist())
        else:
            feature.int64_list.value.extend(value.tolist())
    return example.SerializeToString()


def require_fit_for_tfds(table):
    """Refuses names that TFDS cannot write.

    Raises:
        errors.DataError: a split's name is no word, or a label or group holds what
            ends a line.
    """
    for name, count in table.split_counts().items():
        if count and (not _SPLIT_NAME.fullmatch(name) or name.lower() == "all"):
            raise errors.DataError(
                "a prepared data set cannot have a split of this name",
                expected="a letter, then letters, digits and underscores; not 'all'",
                received=name,
            )
    for name in (*table.vocabulary.ids, *map(str, table.group_names)):
        if len(name.splitlines()) > 1 or name != name.strip():
            raise errors.DataError(
                "a label or group of a prepared data set is one line of text",
                expected="no line breaks, no blanks at its ends",
                received=name,
            )
