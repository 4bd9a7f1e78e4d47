"""How far each label is above its target, while images with several labels leave."""

import numpy as np

_BLOCKERS = 3


class Ledger:
    """Which images are there, and how many each label has to spare.

    An image without a present label shows one further class, numbered C.

    Args:
        sparse_labels: `labels.SparseLabels` of N rows over C classes.
        target: function from int64 [C + 1] counts to int64 [C + 1] targets, each at
            most its count.

    Attributes:
        before: int64 [C + 1], images that show each class at the start.
        target: int64 [C + 1].
        surplus: int64 [C + 1], images above the target now.
        there: bool [N].
    """

    def __init__(self, sparse_labels, target):
        present = sparse_labels.present()
        shown, bare = np.diff(present.offsets), present.num_classes
        sizes = np.maximum(shown, 1)
        self._offsets = np.concatenate([[0], np.cumsum(sizes)])
        self._classes = np.full(self._offsets[-1], bare, np.int64)
        self._classes[np.repeat(shown > 0, sizes)] = present.index
        self.before = np.bincount(self._classes, minlength=bare + 1)
        self.target = target(self.before)
        self.surplus = self.before - self.target
        self.there = np.ones(len(shown), bool)
        owner = np.repeat(np.arange(len(shown)), sizes)
        self._by_label = owner[np.argsort(self._classes, kind="stable")]
        self._starts = np.concatenate([[0], np.cumsum(self.before)])

    def shown(self, row):
        """Returns int64: the classes on one image."""
        return self._classes[self._offsets[row] : self._offsets[row + 1]]

    def images(self, label):
        """Returns int64: the rows that show a class and are there."""
        rows = self._by_label[self._starts[label] : self._starts[label + 1]]
        return rows[self.there[rows]]

    def may_go(self, row):
        """Returns whether every label on one image is above its target."""
        return bool(self.surplus[self.shown(row)].min() > 0)

    def free(self, rows):
        """Returns bool, an entry a row of int64 `rows`: `may_go`."""
        return self._least(self.surplus, rows) > 0

    def excess(self, rows):
        """Returns float64, an entry a row: the least count / target of its labels."""
        return self._least(self.before / np.maximum(self.target, 1), rows)

    def _least(self, values, rows):
        if not len(rows):
            return values[:0]
        entries, starts = self._entries(rows)
        return np.minimum.reduceat(values[self._classes[entries]], starts)

    def _entries(self, rows):
        sizes = self._offsets[rows + 1] - self._offsets[rows]
        starts = np.cumsum(sizes) - sizes
        places = np.repeat(self._offsets[rows] - starts, sizes)
        return places + np.arange(len(places)), starts

    def let_go(self, row):
        """Takes one image out."""
        self.surplus[self.shown(row)] -= 1
        self.there[row] = False

    def let_go_in_order(self, rows):
        """Lets each go that may when its turn comes; returns the list of those."""
        gone = []
        for row in rows.tolist():
            if self.may_go(row):
                self.let_go(row)
                gone.append(row)
        return gone

    def blockers(self):
        """Returns what keeps labels above their target.

        Returns:
            {class: classes at their target that its images show, those on most of them
            first, three at most}, of the classes above their target of whose images
            none may go.
        """
        full = (self.surplus == 0) & (self.before > 0)
        found = {}
        for label in np.flatnonzero(self.surplus > 0).tolist():
            images = self.images(label)
            if self.free(images).any():
                continue
            entries, _ = self._entries(images)
            counts = np.bincount(self._classes[entries], minlength=len(full)) * full
            order = np.argsort(-counts, kind="stable")[:_BLOCKERS].tolist()
            found[label] = [other for other in order if counts[other]]
        return found
