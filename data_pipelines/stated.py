"""Stated labels as sorted keys, to set and merge many of them at once.

The key of label l on example i is i * C + l. A label that is not stated has no key.
"""

import dataclasses

import numpy as np

from data_pipelines import labels


@dataclasses.dataclass(frozen=True)
class Stated:
    """Stated labels of examples over C classes.

    Args:
        keys: int64 [entries], ascending and unique.
        values: float32 [entries], confidences in [0, 1].
        num_classes: C.
        unlisted: confidence of what is not stated: 0 (absent) or `labels.UNKNOWN`.
    """

    keys: np.ndarray
    values: np.ndarray
    num_classes: int
    unlisted: float

    @classmethod
    def of(cls, sparse_labels, num_classes, unlisted_is_absent):
        """Builds from `labels.SparseLabels`, for at least as many classes as it has."""
        keys = sparse_labels.rows() * num_classes + sparse_labels.index
        order = np.argsort(keys, kind="stable")
        unlisted = 0.0 if unlisted_is_absent else labels.UNKNOWN
        return cls(keys[order], sparse_labels.confidence[order], num_classes, unlisted)

    def examples(self):
        """Returns int64 [entries]: the example of each entry."""
        return self.keys // self.num_classes

    def only(self, kept):
        """Returns the entries of a bool [entries]."""
        return dataclasses.replace(self, keys=self.keys[kept], values=self.values[kept])

    def value(self, keys):
        """Returns float32 [len(keys)]: the confidence at any keys."""
        place = np.searchsorted(self.keys, keys)
        found = np.full(len(keys), self.unlisted, np.float32)
        inside = np.flatnonzero(place < len(self.keys))
        inside = inside[self.keys[place[inside]] == keys[inside]]
        found[inside] = self.values[place[inside]]
        return found

    def set(self, keys, values):
        """Sets confidences in order; of equal keys the last counts.

        Where what is not stated is absent, a confidence of 0 takes the entry away.

        Args:
            keys: int64 [A].
            values: float32 [A].

        Returns:
            (`Stated`, float32 [A]: the confidence that each one found).
        """
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], values[order]
        first = np.append(True, keys[1:] != keys[:-1])[: len(keys)]
        last = np.append(first[1:], True)[: len(keys)]
        found = np.empty(len(keys), np.float32)
        found[first] = self.value(keys[first])
        found[~first] = values[:-1][~first[1:]]
        in_order = np.empty_like(found)
        in_order[order] = found
        keys, values = keys[last], values[last]
        untouched = ~np.isin(self.keys, keys)
        kept = values != self.unlisted
        return self._sorted(
            np.concatenate([self.keys[untouched], keys[kept]]),
            np.concatenate([self.values[untouched], values[kept]]),
        ), in_order

    def _sorted(self, keys, values):
        order = np.argsort(keys, kind="stable")
        return dataclasses.replace(self, keys=keys[order], values=values[order])

    def merge(self, target, members):
        """Makes labels one: present where any is, absent only where all are.

        That is the disjunction of three-valued logic (Kleene 1938), with the greatest
        confidence as its degree: where what is not stated is unknown, a verified
        absence of one label says nothing of the others.

        Args:
            target: int64 [C], the label that each one becomes.
            members: int64 [C], how many labels became each target.

        Returns:
            `Stated` over the same C classes.
        """
        if not len(self.keys):
            return self
        examples, index = np.divmod(self.keys, self.num_classes)
        moved = self._sorted(examples * self.num_classes + target[index], self.values)
        first = np.flatnonzero(np.append(True, moved.keys[1:] != moved.keys[:-1]))
        keys = moved.keys[first]
        values = np.maximum.reduceat(moved.values, first)
        if self.unlisted != 0:
            count = np.diff(np.append(first, len(moved.keys)))
            known = (values > 0) | (count >= members[keys % self.num_classes])
            keys, values = keys[known], values[known]
        return dataclasses.replace(self, keys=keys, values=values)

    def join(self, other):
        """Returns the entries of two that share no key."""
        return self._sorted(
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.values, other.values]),
        )

    def to_labels(self, examples, position, num_classes):
        """Returns `labels.SparseLabels`, each row in the order of its classes.

        Args:
            examples: N.
            position: int64 [C], the new class of each, or -1 where none has an entry.
            num_classes: of the result.
        """
        rows, index = np.divmod(self.keys, self.num_classes)
        index = position[index]
        order = np.argsort(rows * num_classes + index, kind="stable")
        counts = np.bincount(rows, minlength=examples)
        return labels.SparseLabels(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            index[order].astype(np.int32),
            self.values[order],
            num_classes,
        )
