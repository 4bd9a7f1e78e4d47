"""What a person does at the review page, without the web.

The desk holds the labels as they are and the log. A decision is checked against what
has happened since the person looked, written, and only then taken in and answered.
Several threads and several processes may decide on one log.
"""

import contextlib
import dataclasses
import datetime
import threading

from data_pipelines import correction_vocabulary, decision_log, errors
from inclusive_tf.review import beside, cards, checks, queue, replay

_LONGEST_LABEL = 500
ACTIONS = tuple(name for name in decision_log.ACTIONS if name != "undo")


class NoSuspectError(Exception):
    """A place in the queue that there is not."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What a person asks for.

    Args:
        place: the suspicion that was shown.
        seen: number of the log's last row when it was shown.
        action: one of `ACTIONS`.
        label: a label id of the image, or one to add; empty where not needed.
        new_label: a label id, which `relabel` and `merge` may make.

    Raises:
        errors.DataError: there is no such action, or a label is too long or no text.
    """

    place: int
    seen: int
    action: str
    label: str = ""
    new_label: str = ""

    def __post_init__(self):
        try:
            "".join((self.action, self.label, self.new_label)).encode()
        except UnicodeEncodeError as error:
            # half of a pair, which JSON can hold and neither the log nor an answer can
            raise errors.DataError(
                "what is asked for is no text", received=error.reason
            ) from error
        if max(len(self.label), len(self.new_label)) > _LONGEST_LABEL:
            raise errors.DataError(
                "a label is too long", expected=f"at most {_LONGEST_LABEL} characters"
            )
        if self.action not in ACTIONS:
            raise errors.DataError(
                "there is no such action",
                expected=f"one of {', '.join(ACTIONS)}",
                received=self.action,
            )


class Desk:
    """A table, its suspects and the log of one review.

    Args:
        table: `labels.LabelTable`.
        now: its `replay.Replay`, without decisions yet.
        waiting: `queue.Queue` of the same.
        log: `decision_log.Log`.
        who: whose decisions are made here.
        definitions: {label id: `definitions.Definition`}.
        maps: `beside.Maps`.
        neighbours: `beside.Neighbours`, or None.
    """

    def __init__(
        self, table, now, waiting, log, who, definitions=None, maps=None,
        neighbours=None,
    ):  # fmt: skip
        self.table, self.now, self.queue, self.log = table, now, waiting, log
        self.who = who
        self.definitions = definitions or {}
        self.maps = maps or beside.Maps()
        self.neighbours = neighbours
        self._lock = threading.RLock()
        self._take_in(self.log.since(0))

    def _take_in(self, decisions):
        places = set()
        for decision in decisions:
            self.now.add(decision)
            places |= self.queue.touched(decision)
        self.queue.refresh(places)

    def _sync(self):
        """Takes in what other processes have written; a lock must be held."""
        self._take_in(self.log.since(len(self.now.decisions)))

    @contextlib.contextmanager
    def still(self):
        """Within the block, all that was written is known and nothing is added."""
        with self._lock:
            self._sync()
            yield

    def first_open(self):
        """Returns the place of the first open suspicion, or 0 where all are done."""
        found = self.queue.next_open(len(self.queue) - 1)
        return 0 if found is None else found

    def item(self, place):
        """Returns what the page shows of a suspicion, as JSON can hold it.

        Raises:
            NoSuspectError: there is no such place.
        """
        with self._lock:
            self._sync()
            return cards.card(self, self._checked(place))

    def suspect(self, place):
        """Returns the `suspects.Suspect` at a place.

        Raises:
            NoSuspectError: there is no such place.
        """
        return self.queue.suspects[self._checked(place)]

    def _checked(self, place):
        if not 0 <= place < len(self.queue):
            raise NoSuspectError(f"There is no suspect {place + 1:,}.")
        return place

    def labels(self):
        """Returns the vocabulary as it is now: a list of {"id", "name"}."""
        with self._lock:
            self._sync()
            return [cards.label(self, one) for one in self.now.vocabulary]

    def neighbours_of(self, place):
        """Returns a list of {"row", "id", "labels", "distance"}, nearest first."""
        row = self.queue.rows[self._checked(place)]
        if self.neighbours is None:
            return []
        nearest = self.neighbours.of(row)
        with self._lock:
            return [cards.neighbour(self, *one) for one in nearest]

    def decide(self, request):
        """Writes a decision.

        A second answer to the same suspicion withdraws the first in the same step,
        unless that was a merge: it is about every image, and stands until it is undone.

        Args:
            request: `Request`.

        Returns:
            (`decision_log.Decision` that was written, the place to show next).

        Raises:
            checks.OutdatedError: its image or its labels have changed since.
            errors.DataError: what is asked for cannot be done.
            NoSuspectError: there is no such place.
        """
        with self._lock:
            with self.log.writing():
                self._sync()
                place = self._checked(request.place)
                self._refuse_outdated(place, request.seen)
                answers = self._answers(place, request)
                given = self.queue.answer(place) if answers else None
                former = [given] if given and given.action != "merge" else []
                drafts = [self._undo(one) for one in former]
                with self.now.without(former):
                    drafts.append(self._draft(place, request, answers))
                    checks.refuse_broken(
                        self.now, self.table.vocabulary, former, drafts[-1]
                    )
                written = [self.log.append(one) for one in drafts]
            self._take_in(written)
            following = self.queue.next_open(place) if answers else place
            return written[-1], place if following is None else following

    def _answers(self, place, request):
        """Says whether a decision answers the suspicion, or is an edit beside it."""
        suspect = self.queue.suspects[place]
        label, new_label = self.queue.labels(place)
        if request.action in ("remove", "relabel", "merge"):
            return request.label == label
        if request.action == "several_fit":
            return (request.label, request.new_label) == (label, new_label)
        if request.action == "add":
            return suspect.kind == "missing_label" and request.label == new_label
        return True

    def _draft(self, place, request, answers):
        suspect, row = self.queue.suspects[place], self.queue.rows[place]
        shown, excluded = self.now.labels(row)
        filled = set(decision_log.ACTIONS[request.action]) - {"id"}
        fields = {name: getattr(request, name) for name in sorted(filled)}
        checks.refuse_impossible(self.now, request.action, fields, shown, excluded)
        image = "" if request.action == "merge" else suspect.id
        draft = decision_log.Decision(
            _time(), self.who, request.action, image,
            question=queue.question(suspect) if answers else "", **fields,
        )  # fmt: skip
        before = (request.label,) if request.action == "merge" else shown
        after = replay.applied(before, draft)
        return dataclasses.replace(draft, before=before, after=after)

    def undo(self, number, seen):
        """Withdraws a decision.

        Args:
            number: of its row.
            seen: number of the log's last row that the person knows of.

        Returns:
            (the `decision_log.Decision` that was withdrawn, the place it was made at
            or None).

        Raises:
            checks.OutdatedError: something about its image has changed since.
            checks.WithdrawnError: it was withdrawn already.
            errors.DataError: it cannot be withdrawn.
        """
        with self._lock:
            with self.log.writing():
                self._sync()
                if not 1 <= number <= len(self.now.decisions):
                    raise errors.DataError("there is no such decision", received=number)
                decision = self.now.decisions[number - 1]
                if not self.now.stands(decision):
                    raise checks.WithdrawnError(
                        "the decision was withdrawn already",
                        received=f"number {number}",
                    )
                checks.refuse_changed(self.now, decision.id, set(decision.before), seen)
                checks.refuse_broken(self.now, self.table.vocabulary, [decision])
                if decision.action == "merge":
                    checks.refuse_uncovered(self.now, decision)
                written = self.log.append(self._undo(decision))
            self._take_in([written])
            return decision, self.queue.place_of(decision.question)

    def append(self, corrections):
        """Writes corrections that were made elsewhere, all or none of them.

        Args:
            corrections: list of `correction_log.Correction`; images are in the data.

        Raises:
            errors.DataError: one cannot be applied after what is in the log.
        """
        with self._lock:
            written = []
            with self.log.writing():
                self._sync()
                made = (one.correction() for one in self.now.effective())
                log = [*(one for one in made if one is not None), *corrections]
                correction_vocabulary.Course(self.table.vocabulary, log)
                trial = replay.Replay(self.table)
                for decision in self.now.decisions:
                    trial.add(decision)
                for one in corrections:
                    written.append(self.log.append(_imported(one, trial)))
                    trial.add(written[-1])
            self._take_in(written)

    def _undo(self, decision):
        if decision.action == "merge":
            before, after = decision.after, decision.before
        else:
            row = self.now.row(decision.id)
            if row is None:
                raise errors.DataError(
                    "its image is no longer in the data", received=decision.id
                )
            before = self.now.labels(row)[0]
            with self.now.without([decision]):
                after = self.now.labels(row)[0]
        return decision_log.Decision(
            _time(), self.who, "undo", decision.id, before=before, after=after,
            withdraws=decision.number,
        )  # fmt: skip

    def _refuse_outdated(self, place, seen):
        suspect, row = self.queue.suspects[place], self.queue.rows[place]
        names = {*self.queue.labels(place), suspect.label, suspect.new_label}
        names |= {*self.now.labels(row)[0], *self.now.stated(row)}
        checks.refuse_changed(self.now, suspect.id, names, seen)


def _imported(correction, now):
    """Returns the `decision_log.Decision` of a `correction_log.Correction`."""
    draft = decision_log.Decision(*correction.fields())
    before, excluded = (correction.label,), False
    if correction.id:
        before, excluded = now.labels(now.row(correction.id))
    after = () if excluded else replay.applied(before, draft)
    return dataclasses.replace(draft, before=before, after=after)


def _time():
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
