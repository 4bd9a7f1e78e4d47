"""What is to be looked at: suspicions matched with the data, and how far they are."""

import collections
import json

import numpy as np

from data_pipelines import errors, suspects

OPEN, DECIDED, SETTLED, EXCLUDED = range(4)
"""How far a suspicion is: nobody has answered it; somebody has; it says nothing any
more, since its labels have changed; or its image has left."""


def question(suspect):
    """Returns the JSON by which the log names a suspicion."""
    return json.dumps(
        [suspect.id, suspect.kind, suspect.label, suspect.new_label],
        ensure_ascii=False,
    )


class Queue:
    """Suspicions in the order in which they are shown, the most suspicious first.

    Args:
        found: list of `suspects.Suspect`.
        now: `replay.Replay` of the data.
        file: where the suspects were read, for messages.

    Attributes:
        suspects: those that the data know, most suspicious first.
        rows: list of int, the row in the table of each one's image.
        status: list of `OPEN`, `DECIDED`, `SETTLED` or `EXCLUDED`, one each.
        counts: int [4], how many have each status.
        notes: sentences that count what was left out.

    Raises:
        errors.DataError: there is no suspect, or the data know none of them.
    """

    def __init__(self, found, now, file):
        self._now = now
        known = self._known(found, now, file)
        self.suspects = [found[place] for place, _ in known]
        self.rows = [row for _, row in known]
        self._by_row = collections.defaultdict(list)
        self._by_label = collections.defaultdict(list)
        self.place = {}
        for place, (suspect, row) in enumerate(
            zip(self.suspects, self.rows, strict=True)
        ):
            self._by_row[row].append(place)
            for label in (suspect.label, suspect.new_label):
                if label:
                    self._by_label[label].append(place)
            self.place.setdefault(question(suspect), place)
        self._answers = collections.defaultdict(list)
        self.status = [OPEN] * len(self)
        self.counts = [len(self), 0, 0, 0]

    def _known(self, found, now, file):
        if not found:
            raise errors.DataError("the file names no suspect", file=file)
        rows = now.rows([one.id for one in found]).tolist()
        known, lost = [], collections.defaultdict(list)
        for place, (one, row) in enumerate(zip(found, rows, strict=True)):
            if row < 0:
                lost["an image that is not in the data"].append(one.id)
                continue
            unknown = [label for label in (one.label, one.new_label)
                       if label and label not in now.vocabulary]  # fmt: skip
            if unknown:
                lost["a label that the data lack"].append(unknown[0])
            else:
                known.append((place, row))
        self.notes = [
            f"{len(names):,} suspects name {what} and are left out (first: {names[0]})"
            for what, names in lost.items()
        ]
        if not known:
            raise errors.DataError(
                "none of the suspects is in the data",
                expected="suspects of this data set",
                received="; ".join(self.notes),
                file=file,
            )
        return sorted(known, key=lambda one: -found[one[0]].score)

    def __len__(self):
        return len(self.suspects)

    def follow(self, decision):
        """Brings the status up to date with a row that `now` has taken in."""
        about = decision
        if decision.action == "undo":
            about = self._now.decisions[decision.withdraws - 1]
        elif decision.question:
            self._answers[decision.question].append(decision)
        touched = set()
        if about.question in self.place:
            touched.add(self.place[about.question])
        if about.action == "merge":
            names = {about.label, about.new_label}
            names |= {label for label in self._by_label
                      if self._now.label_now(label) in names}  # fmt: skip
            for label in names:
                touched.update(self._by_label.get(label, ()))
        elif (row := self._now.row(about.id)) is not None:
            touched.update(self._by_row.get(row, ()))
        for place in touched:
            self._set(place, self._status(place))

    def start(self):
        """Finds the status of each suspicion from the labels as they are."""
        for place in range(len(self)):
            self._set(place, self._status(place))

    def _set(self, place, status):
        self.counts[self.status[place]] -= 1
        self.status[place] = status
        self.counts[status] += 1

    def answer(self, place):
        """Returns the last `Decision` that counts on a suspicion, or None."""
        given = self._answers.get(question(self.suspects[place]), ())
        return next((one for one in reversed(given) if self._now.stands(one)), None)

    def _status(self, place):
        if self.answer(place) is not None:
            return DECIDED
        shown, excluded = self._now.labels(self.rows[place])
        if excluded:
            return EXCLUDED
        one = self.suspects[place]
        label, new_label = self.labels(place)
        says_nothing = (
            (one.kind in ("wrong_label", "several_fit") and label not in shown)
            or (one.kind in ("missing_label", "several_fit") and new_label in shown)
        )  # fmt: skip
        return SETTLED if says_nothing else OPEN

    def labels(self, place):
        """Returns (label, new_label) of a suspicion as they are called now."""
        one = self.suspects[place]
        return self._now.label_now(one.label), self._now.label_now(one.new_label)

    def others(self, place):
        """Returns the places of the further suspicions of the same image."""
        return [one for one in self._by_row[self.rows[place]] if one != place]

    def next_open(self, place):
        """Returns the next open place, from the start again after the end, or None."""
        if not self.counts[OPEN]:
            return None
        for start, end in ((place + 1, len(self)), (0, place + 1)):
            try:
                return self.status.index(OPEN, start, end)
            except ValueError:
                continue
        return None


def read(path, now):
    """Reads a file of suspects for data.

    Args:
        path: as `suspects.write` writes it.
        now: `replay.Replay` of the data, without decisions yet.

    Returns:
        `Queue`.
    """
    return Queue(suspects.read(path), now, path)


def summary(counts):
    """Returns a sentence of `Queue.counts`."""
    counts = np.asarray(counts)
    return (
        f"{counts[DECIDED]:,} of {counts.sum():,} decided, {counts[OPEN]:,} open, "
        f"{counts[SETTLED] + counts[EXCLUDED]:,} settled by other decisions"
    )
