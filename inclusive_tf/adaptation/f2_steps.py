"""What giving a label to an image adds to its F2, without computing the metric anew."""

import numpy as np

from inclusive_tf.evaluation import f2


class State:
    """Counts of every image while labels are given and taken.

    Args:
        logits: float [N, C].
        threshold: float or [C]; decides what is given at the start.
        truth: `labels.SparseLabels` of N rows.
        unlisted_is_absent: whether a label that is not stated is absent.

    Raises:
        errors.DataError: shapes disagree, or a logit is NaN.
    """

    def __init__(self, logits, threshold, truth, unlisted_is_absent):
        found = f2.counts(logits, threshold, truth, unlisted_is_absent)
        self._hits, self._given, self._present = found.hits, found.given, found.present
        self._shown = RowsByLabel(truth.present())
        self._stated = None if unlisted_is_absent else RowsByLabel(truth)
        self._mask = np.zeros(len(truth), bool)

    def shown_rows(self, label):
        """Returns int64: the images that show a label."""
        return self._shown.rows(label)

    def steps(self, label, rows, given):
        """What giving one label adds to the F2 of each image.

        Args:
            label: its position.
            rows: int [r]; the images to look at.
            given: bool [N]; which images are given the label now.

        Returns:
            (int [s], those of `rows` of which the label is known; float64 [s], F2 with
            the label less F2 without it, all other labels as they are).
        """
        if self._stated is not None:
            rows = rows[self._marked(self._stated.rows(label), rows)]
        shown = self._marked(self._shown.rows(label), rows)
        was = given[rows]
        hits, count = self._hits[rows] - (was & shown), self._given[rows] - was
        present = self._present[rows]
        after = f2.f_beta(hits + shown, count + 1, present)
        return rows, after - f2.f_beta(hits, count, present)

    def give(self, label, rows, before, now):
        """Takes over new decisions of a label.

        Args:
            label: its position.
            rows: int [s], as `steps` returned them.
            before: bool [N]; which images were given the label.
            now: bool [N]; which are from now on.
        """
        change = now[rows].astype(np.int64) - before[rows]
        self._given[rows] += change
        self._hits[rows] += change * self._marked(self._shown.rows(label), rows)

    def _marked(self, marked, rows):
        self._mask[marked] = True
        found = self._mask[rows]
        self._mask[marked] = False
        return found


class RowsByLabel:
    """The images that a label stands for, as the columns of a sparse matrix.

    Args:
        truth: `labels.SparseLabels`.
    """

    def __init__(self, truth):
        order = np.argsort(truth.index, kind="stable")
        self._rows = truth.rows()[order]
        counts = np.bincount(truth.index, minlength=truth.num_classes)
        self._offsets = np.concatenate([[0], np.cumsum(counts)])

    def rows(self, label):
        """Returns int64: the images with an entry for a label."""
        return self._rows[self._offsets[label] : self._offsets[label + 1]]
