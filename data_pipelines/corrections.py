"""Applies a log of corrections to a label table as it is read.

Rows count in their order, and of two verdicts on the same image and label the last
counts. Applying log A and then log B is the same as applying A followed by B.

- `remove`: the image does not show the label: a verified absence where what is not
  stated is unknown, else the label goes.
- `add`: the image shows it, with confidence 1.
- `relabel`: it does not show `label` and does show `new_label`. Both verdicts stand
  whatever the raw data say.
- `merge`: `label` becomes `new_label` on every image, and leaves the vocabulary.
- `exclude`: the image leaves the table, whatever its split.

`relabel` and `merge` may make a new label; `add` may not, so that a slip of the
keyboard makes no class.
"""

import collections
import dataclasses

import numpy as np
import pandas as pd

from data_pipelines import (
    correction_log,
    correction_vocabulary,
    decision_log,
    errors,
    exclusion,
    labels,
    stated,
    strict_csv,
)

Correction = correction_log.Correction
append = correction_log.append
before = correction_vocabulary.before


def read(path):
    """Returns the list of `Correction` in a log, in order.

    Args:
        path: a CSV of the form of `correction_log`, or the SQLite log of a review.

    Raises:
        errors.DataError: as `correction_log.read` and `decision_log.corrections`.
    """
    if decision_log.is_one(path):
        return decision_log.corrections(path)
    return correction_log.read(path)


class _Edits:
    """The log's verdicts on images, as arrays.

    Attributes:
        rows: int64 [log], the image's row in the table, -1 where there is none.
        places: int64 [A], the row of the log that each assignment comes from.
        keys: int64 [A] of `stated.Stated`.
        values: float32 [A], 1 for present and 0 for absent.
        excluded: int64 [E], rows of the table that leave.
        idle: {place in the log: why the row can do nothing}.
    """

    def __init__(self, table, log, course):
        ids = pd.Index(strict_csv.printable(table.ids))
        self.rows = ids.get_indexer([one.id for one in log])
        self.idle = dict(course.idle)
        absent = 0.0 if table.unlisted_is_absent else labels.UNKNOWN
        leaves, places, keys, values = {}, [], [], []
        for place, (one, row) in enumerate(zip(log, self.rows.tolist(), strict=True)):
            if one.action == "merge" or place in self.idle:
                continue
            if row < 0:
                self.idle[place] = "name an image that is not in the data"
            elif row in leaves:
                self.idle[place] = "name an image that was excluded before"
            elif one.action == "exclude":
                leaves[row] = True
            else:
                verdicts = [(one.label, absent if place in course.void else 0.0)]
                if one.action == "add":
                    verdicts = [(one.label, 1.0)]
                elif one.action == "relabel":
                    verdicts.append((one.new_label, 1.0))
                for label, value in verdicts:
                    places.append(place)
                    keys.append(row * len(course) + course.index[label])
                    values.append(value)
        self.excluded = np.array(list(leaves), np.int64)
        self.places = np.array(places, np.int64)
        self.keys = np.array(keys, np.int64)
        self.values = np.array(values, np.float32)


def _settle(entries, edits, course, examples):
    """Returns (`stated.Stated` after the log, float32 [A]: what each edit found)."""
    named = np.zeros(examples, bool)
    named[edits.keys // len(course)] = True
    touched = named[entries.examples()]
    rest, those = entries.only(~touched), entries.only(touched)
    if course.merges:
        rest = rest.merge(course.target, course.members)
    found = np.zeros(len(edits.keys), np.float32)
    start = 0
    identity, alone = np.arange(len(course)), np.ones(len(course), np.int64)
    for place, source, target, members in [*course.merges, (None, 0, 0, 1)]:
        end = len(edits.places)
        if place is not None:
            end = int(np.searchsorted(edits.places, place))
        if end > start:
            those, found[start:end] = those.set(
                edits.keys[start:end], edits.values[start:end]
            )
            start = end
        if place is not None:
            becomes, counts = identity.copy(), alone.copy()
            becomes[source], counts[target] = target, members
            those = those.merge(becomes, counts)
    return rest.join(those), found


def _final_vocabulary(course, left, entries, vocabulary):
    """Returns (`labels.Vocabulary`, int64 [len(course)]: places in it, -1 for none)."""
    if vocabulary is None:
        vocabulary = labels.Vocabulary(
            [course.ids[place] for place in left],
            [course.names[place] for place in left],
        )
    position = np.full(len(course), -1, np.int64)
    index = vocabulary.index()
    for place in left:
        position[place] = index.get(course.ids[place], -1)
    counts = np.bincount(entries.keys % len(course), minlength=len(course))
    lost = np.flatnonzero((counts > 0) & (position < 0))
    if len(lost):
        label = course.ids[lost[0]]
        message = {
            "problem": "the model does not know a label that the data have once "
            "corrected",
            "expected": f"one of its {len(vocabulary):,} labels",
            "received": label,
        }
        if label in course.made:
            raise course.made[label].error(**message)
        raise errors.DataError(**message)
    return vocabulary, position


def apply(table, log, vocabulary=None):
    """Applies a log to a label table.

    Takes O(n log n) of stated labels, and O(n log n) of the labels of the images that
    the log names for each merge.

    Args:
        table: `labels.LabelTable`; read with `before(vocabulary, log)` for a model.
        log: list of `Correction`, in order.
        vocabulary: `labels.Vocabulary` of a trained model, which the result then has.
            None keeps the table's labels, without those merged away, and new ones last.

    Returns:
        (`labels.LabelTable`, its rows in the same order; list of sentences that count
        what was done, and what had no effect, naming the first).

    Raises:
        errors.DataError: a label that is not known or was merged away, merges in a
            circle, a label that the model does not know, or a split whose every image
            would go.
    """
    course = correction_vocabulary.Course(table.vocabulary, log)
    edits = _Edits(table, log, course)
    entries, found = _settle(
        stated.Stated.of(table.labels, len(course), table.unlisted_is_absent),
        edits,
        course,
        len(table),
    )
    left = course.left()
    vocabulary, position = _final_vocabulary(course, left, entries, vocabulary)
    corrected = dataclasses.replace(
        table,
        labels=entries.to_labels(len(table), position, len(vocabulary)),
        vocabulary=vocabulary,
    )
    out = np.zeros(len(table), bool)
    out[edits.excluded] = True
    if out.any():
        exclusion.refuse_emptied(
            table, out, "the log of corrections", log[0].file or None
        )
        corrected = corrected.take(~out)
    return corrected, _notes(table, corrected, log, course, edits, found)


def _notes(table, corrected, log, course, edits, found):
    idle = dict(edits.idle)
    same = np.ones(len(log), bool)
    same[edits.places[found != edits.values]] = False
    for place in edits.places[same[edits.places]].tolist():
        idle[place] = "state what was so already"
    done = collections.Counter(
        one.action for place, one in enumerate(log) if place not in idle
    )
    said = ", ".join(f"{done[name]:,} {name}" for name in correction_log.ACTIONS
                     if done[name])  # fmt: skip
    notes = [f"corrections applied: {said or 'none'}"] if log else []
    reasons = collections.defaultdict(list)
    for place in sorted(idle):
        reasons[idle[place]].append(log[place])
    for reason, rows in reasons.items():
        notes.append(
            f"{len(rows):,} corrections {reason}, without effect ({_first(rows)})"
        )
    # a relabel makes two assignments, and the first is that of its old label
    first = np.flatnonzero(np.diff(edits.places) == 0)
    missed = [
        log[place]
        for place in edits.places[first[found[first] <= 0]].tolist()
        if place not in idle
    ]
    if missed:
        notes.append(
            f"{len(missed):,} corrections gave a new label though the old one was not "
            f"on the image ({_first(missed)})"
        )
    if course.made:
        rows = list(course.made.values())
        notes.append(f"corrections made {len(rows):,} new labels ({_first(rows)})")
    return notes + _bare(table, corrected)


def _first(rows):
    place = f"row {rows[0].row}: " if rows[0].row else ""
    return f"first, {place}{','.join(rows[0].fields())}"


def _bare(table, corrected):
    had = dict(zip(table.vocabulary.ids, table.labels.counts().tolist(), strict=True))
    counts = corrected.labels.counts().tolist()
    bare = [
        label
        for label, count in zip(corrected.vocabulary.ids, counts, strict=True)
        if not count and had.get(label, 0)
    ]
    if not bare:
        return []
    return [
        f"corrections left {len(bare):,} labels without an image, such as {bare[0]}"
    ]
