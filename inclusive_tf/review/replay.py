"""The labels of each image, and the vocabulary, as they are after all decisions.

The rules are those of `data_pipelines.corrections`, for one image at a time: a decision
costs what its image and the merges have of decisions, whatever the size of the data.
"""

import bisect
import collections
import contextlib

import numpy as np
import pandas as pd

from data_pipelines import strict_csv


def _number(decision):
    return decision.number


def applied(shown, decision):
    """Returns the label ids of an image after a decision about it, or a merge.

    Args:
        shown: tuple of label ids.
        decision: `decision_log.Decision`, no undo.
    """
    found = dict.fromkeys(shown)
    action, label, new_label = decision.action, decision.label, decision.new_label
    if action == "exclude":
        return ()
    if action == "add":
        found.setdefault(label)
    elif action == "several_fit":
        found.setdefault(new_label)
    elif action in ("remove", "relabel"):
        found.pop(label, None)
    elif action == "merge" and label in found:
        del found[label]
        found.setdefault(new_label)
    if action == "relabel":
        found.setdefault(new_label)
    return tuple(found)


def labels_made(log):
    """Returns the set of label ids that a log may bring into the data.

    Args:
        log: list of `decision_log.Decision` or `correction_log.Correction` that count.
    """
    return {one.new_label for one in log if one.action in ("relabel", "merge")}


class Replay:
    """A label table with a log of decisions laid over it.

    Args:
        table: `labels.LabelTable`.

    Attributes:
        ids: str [N], of the images, as a log holds them.
        decisions: list of `decision_log.Decision`, all of them; number n is at n - 1.
        vocabulary: {label id: display name}, as it is now.
    """

    def __init__(self, table):
        self.ids = strict_csv.printable(table.ids)
        self.decisions = []
        self._rows = pd.Index(self.ids)
        present = table.labels.present()
        self._offsets, self._index = present.offsets, present.index
        self._base = dict(
            zip(table.vocabulary.ids, table.vocabulary.names, strict=True)
        )
        self._base_ids = table.vocabulary.ids
        self._own = collections.defaultdict(list)
        self._merges, self._relabels = [], []
        self._withdrawn = set()
        self._derive()

    def row(self, image):
        """Returns the row of an image's id, or None."""
        found = int(self._rows.get_indexer([image])[0])
        return None if found < 0 else found

    def rows(self, images):
        """Returns int64 [k]: the rows of images' ids, -1 for those not in the data."""
        return self._rows.get_indexer(np.asarray(images, object))

    def add(self, decision):
        """Takes in the next row of the log."""
        self.decisions.append(decision)
        if decision.action == "undo":
            self._withdrawn.add(decision.withdraws)
        elif decision.action == "merge":
            self._merges.append(decision)
        else:
            if decision.action == "relabel":
                self._relabels.append(decision)
            row = self.row(decision.id)
            if row is not None:
                self._own[row].append(decision)
        if self.shapes_vocabulary(decision):
            self._derive()

    def stands(self, decision):
        """Says whether a decision counts: it is no undo and was not withdrawn."""
        return decision.action != "undo" and decision.number not in self._withdrawn

    def effective(self):
        """Returns the list of decisions that count, in order."""
        return [one for one in self.decisions if self.stands(one)]

    def own(self, row):
        """Returns the decisions that count about one image alone, in order."""
        return [one for one in self._own.get(row, ()) if self.stands(one)]

    def merges(self):
        """Returns the merges that count, in order."""
        return self._standing_merges

    def shapes_vocabulary(self, decision):
        """Says whether a row may change which labels there are."""
        if decision.action == "undo":
            decision = self.decisions[decision.withdraws - 1]
        return decision.action == "merge" or (
            decision.action == "relabel" and decision.new_label not in self._base
        )

    def _derive(self):
        """Finds what all images share: the merges that count, and the vocabulary."""
        self._standing_merges = [one for one in self._merges if self.stands(one)]
        self._renamed, found = {}, dict(self._base)
        makers = [*self._standing_merges, *filter(self.stands, self._relabels)]
        for one in sorted(makers, key=_number):
            found.setdefault(one.new_label, one.new_label)
            if one.action == "merge":
                found.pop(one.label, None)
                for label, target in self._renamed.items():
                    if target == one.label:
                        self._renamed[label] = one.new_label
                self._renamed[one.label] = one.new_label
        self.vocabulary = found

    def name(self, label):
        """Returns a label's display name, also of one that was merged away."""
        return self.vocabulary.get(label) or self._base.get(label, label)

    def label_now(self, label):
        """Returns what a label of the data is called after the merges that count."""
        return self._renamed.get(label, label)

    def stated(self, row):
        """Returns the label ids that the data give an image, before any decision."""
        part = self._index[self._offsets[row] : self._offsets[row + 1]]
        return tuple(self._base_ids[place] for place in part.tolist())

    def states(self, rows, label_ids):
        """Says which images the data give a label, before any decision, all at once.

        Args:
            rows: int [k].
            label_ids: str [k]; one that the data lack, such as "", is never given.

        Returns:
            list of k bools.
        """
        size = len(self._base_ids)
        entries = np.repeat(np.arange(len(self.ids)), np.diff(self._offsets))
        given = entries * size + self._index
        places = {label: place for place, label in enumerate(self._base_ids)}
        label = np.array([places.get(label, -1) for label in label_ids], np.int64)
        given = np.isin(np.asarray(rows) * size + label, given)
        return ((label >= 0) & given).tolist()

    def labels(self, row):
        """Returns (label ids of an image now, a tuple; whether it is excluded)."""
        found = self.stated(row)
        steps = self.own(row)
        for merge in self.merges():
            bisect.insort(steps, merge, key=_number)
        for one in steps:
            found = applied(found, one)
            if one.action == "exclude":
                return found, True
        return found, False

    @contextlib.contextmanager
    def without(self, decisions):
        """Within the block, some decisions do not count, as if they were withdrawn."""
        shapes = any(map(self.shapes_vocabulary, decisions))
        withdrawn = self._withdrawn
        self._withdrawn = withdrawn | {one.number for one in decisions}
        try:
            if shapes:
                self._derive()
            yield
        finally:
            self._withdrawn = withdrawn
            if shapes:
                self._derive()
