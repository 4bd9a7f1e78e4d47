"""What is to be looked at: suspicions matched with the data, and how far they are."""

import collections
import dataclasses
import json

import numpy as np

from data_pipelines import errors, suspects

OPEN, DECIDED, SETTLED, EXCLUDED = range(4)
"""How far a suspicion is: nobody has answered it; somebody has; it says nothing any
more, since its labels have changed; or its image has left."""


def _is_moot(kind, label, new_label):
    """Whether a suspicion says nothing, of an image that shows its labels or not."""
    if kind == "wrong_label":
        return not label
    if kind == "missing_label":
        return new_label
    return kind == "several_fit" and (new_label or not label)


def question(suspect):
    """Returns the JSON by which the log names a suspicion."""
    return json.dumps(_key(suspect), ensure_ascii=False)


def _key(suspect):
    return (suspect.id, suspect.kind, suspect.label, suspect.new_label)


class Queue:
    """Suspicions in the order in which they are shown, the most suspicious first.

    Args:
        found: list of `suspects.Suspect`.
        now: `replay.Replay` of the data, without decisions yet.
        file: where the suspects were read, for messages.
        made: label ids that the log to come makes, which suspects of data that it was
            applied to may name.

    Attributes:
        suspects: those that the data know, most suspicious first.
        rows: list of int, the row in the table of each one's image.
        status: list of `OPEN`, `DECIDED`, `SETTLED` or `EXCLUDED`, one each.
        counts: int [4], how many have each status.
        notes: sentences that count what was left out.

    Raises:
        errors.DataError: there is no suspect, or the data know none of them.
    """

    def __init__(self, found, now, file, made=()):
        self._now = now
        known = self._joined(self._known(found, now, file, made))
        self.suspects = [one for one, _ in known]
        self.rows = [row for _, row in known]
        self._by_row = collections.defaultdict(list)
        self._by_label = collections.defaultdict(list)
        self._place = {}
        for place, (one, row) in enumerate(zip(self.suspects, self.rows, strict=True)):
            self._by_row[row].append(place)
            if one.label:
                self._by_label[one.label].append(place)
            if one.new_label:
                self._by_label[one.new_label].append(place)
            self._place[_key(one)] = place
        self._answers = collections.defaultdict(list)
        self.status = self._at_first()
        self.counts = [self.status.count(status) for status in range(4)]

    def _at_first(self):
        """Returns the status of each suspicion before any decision, all at once."""
        label = self._now.states(self.rows, [one.label for one in self.suspects])
        new_label = self._now.states(
            self.rows, [one.new_label for one in self.suspects]
        )
        return [
            SETTLED if _is_moot(one.kind, *shown) else OPEN
            for one, *shown in zip(self.suspects, label, new_label, strict=True)
        ]

    def _known(self, found, now, file, made):
        if not found:
            raise errors.DataError("the file names no suspect", file=file)
        rows = now.rows([one.id for one in found]).tolist()
        labels = {"", *now.vocabulary, *made}
        known, lost = [], collections.defaultdict(list)
        for one, row in zip(found, rows, strict=True):
            if row < 0:
                lost["an image that is not in the data"].append(one.id)
            elif one.label not in labels:
                lost["a label that the data lack"].append(one.label)
            elif one.new_label not in labels:
                lost["a label that the data lack"].append(one.new_label)
            else:
                known.append((one, row))
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
        return sorted(known, key=lambda pair: -pair[0].score)

    def _joined(self, known):
        """Makes one of suspicions that ask the same, as one answer is for all of them.

        Args:
            known: list of (suspect, row), the most suspicious first.
        """
        found, details = {}, collections.defaultdict(dict)
        for one, row in known:
            found.setdefault(_key(one), (one, row))
            details[_key(one)][one.detail] = True
        if same := len(known) - len(found):
            self.notes.append(
                f"{same:,} suspects ask what a more suspicious one asks of the same "
                "image, and stand with it"
            )
        return [
            (
                dataclasses.replace(one, detail="; ".join(filter(None, details[key]))),
                row,
            )
            for key, (one, row) in found.items()
        ]

    def __len__(self):
        return len(self.suspects)

    def place_of(self, asked):
        """Returns the place of a question of the log, or None."""
        return self._place.get(tuple(json.loads(asked))) if asked else None

    def touched(self, decision):
        """Takes note of a row that `now` has taken in.

        Returns:
            set of the places whose status it may have changed, for `refresh`.
        """
        about = decision
        if decision.action == "undo":
            about = self._now.decisions[decision.withdraws - 1]
        place = self.place_of(about.question)
        places = set() if place is None else {place}
        if place is not None and about is decision:
            self._answers[place].append(decision)
        if about.action == "merge":
            names = {about.label, about.new_label}
            for label, of_label in self._by_label.items():
                if label in names or self._now.label_now(label) in names:
                    places.update(of_label)
        elif (row := self._now.row(about.id)) is not None:
            places.update(self._by_row.get(row, ()))
        return places

    def refresh(self, places):
        """Brings the status of some places up to date."""
        for place in places:
            self._set(place, self._status(place))

    def _set(self, place, status):
        self.counts[self.status[place]] -= 1
        self.status[place] = status
        self.counts[status] += 1

    def answer(self, place):
        """Returns the last `Decision` that counts on a suspicion, or None."""
        given = self._answers.get(place, ())
        return next((one for one in reversed(given) if self._now.stands(one)), None)

    def _status(self, place):
        if self.answer(place) is not None:
            return DECIDED
        shown, excluded = self._now.labels(self.rows[place])
        if excluded:
            return EXCLUDED
        label, new_label = (one in shown for one in self.labels(place))
        is_moot = _is_moot(self.suspects[place].kind, label, new_label)
        return SETTLED if is_moot else OPEN

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


def read(path, now, made=()):
    """Reads a file of suspects for data.

    Args:
        path: as `suspects.write` writes it.
        now: `replay.Replay` of the data, without decisions yet.
        made: label ids that the log to come makes.

    Returns:
        `Queue`.
    """
    return Queue(suspects.read(path), now, path, made)


def summary(counts):
    """Returns a sentence of `Queue.counts`."""
    counts = np.asarray(counts)
    return (
        f"{counts[DECIDED]:,} of {counts.sum():,} decided, {counts[OPEN]:,} open, "
        f"{counts[SETTLED] + counts[EXCLUDED]:,} settled by other decisions"
    )
