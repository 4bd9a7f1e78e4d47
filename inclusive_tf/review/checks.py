"""What is refused at the desk, so that the log can always be applied."""

from data_pipelines import correction_vocabulary, errors, oneline
from inclusive_tf.review import wordings


class OutdatedError(Exception):
    """A decision that was made on what is no longer so.

    Args:
        changes: sentences on what has happened since, at least one.
    """

    def __init__(self, changes):
        super().__init__("; ".join(changes))
        self.changes = changes


class WithdrawnError(errors.DataError):
    """A decision was withdrawn before, so that nothing is left to undo of it."""


def refuse_impossible(now, action, fields, shown, excluded):
    """Refuses what an image, or the vocabulary as it is, does not allow.

    Args:
        now: `replay.Replay`.
        action: of `decision_log.ACTIONS`.
        fields: {"label", "new_label": label id}, those that the action fills.
        shown: label ids of the image.
        excluded: whether it is excluded.

    Raises:
        errors.DataError: it cannot be done.
    """
    label, new_label = fields.get("label"), fields.get("new_label")
    vocabulary = now.vocabulary
    gone = {one.label for one in now.merges()}
    problem = None
    if excluded and action != "merge":
        problem = "the image is excluded; undo that first"
    elif action in ("remove", "relabel", "several_fit") and label not in shown:
        problem = "the image does not show that label"
    elif action in ("add", "merge") and label not in vocabulary:
        problem = "there is no such label"
    elif action == "add" and label in shown:
        problem = "the image shows that label already"
    elif action == "several_fit" and new_label not in vocabulary:
        problem = "there is no such label"
    elif new_label is not None and new_label in gone:
        problem = "that label was merged away"
    elif new_label is not None and new_label != new_label.strip():
        problem = "a new label begins or ends with a space"
    if problem:
        raise errors.DataError(problem, received=", ".join(fields.values()) or None)


def refuse_broken(now, vocabulary, withdrawn, draft=None):
    """Refuses to withdraw what later decisions stand on, such as a new label.

    Args:
        now: `replay.Replay`.
        vocabulary: `labels.Vocabulary` of the data without decisions.
        withdrawn: decisions that would no longer count.
        draft: a decision that would follow, or None.

    Raises:
        errors.DataError: the log that is left could not be applied.
    """
    if not any(map(now.shapes_vocabulary, withdrawn)):
        return
    numbers = {one.number for one in withdrawn}
    left = [one for one in now.effective() if one.number not in numbers]
    log = [one.correction() for one in [*left, *([draft] if draft else [])]]
    try:
        correction_vocabulary.Course(
            vocabulary, [one for one in log if one is not None]
        )
    except errors.DataError as error:
        raise errors.DataError(
            "later decisions stand on this one; undo them first",
            received=error.problem,
        ) from error


def refuse_uncovered(now, merge):
    """Refuses to withdraw a merge where that would show a label that somebody removed.

    Where one merged "cat" into "dog" and then removed "dog" of an image, neither is
    right; without the merge the removal would find nothing, and "cat" be back.

    Args:
        now: `replay.Replay`.
        merge: `decision_log.Decision` that counts.

    Raises:
        errors.DataError: an image would show the merged label again.
    """
    target = now.label_now(merge.label)
    rows = {
        row
        for one in now.decisions[merge.number :]
        if one.action in ("remove", "relabel") and now.stands(one)
        if (row := now.row(one.id)) is not None
        if target not in now.labels(row)[0]
    }
    with now.without([merge]):
        back = [row for row in sorted(rows) if merge.label in now.labels(row)[0]]
    if back:
        raise errors.DataError(
            "the merged label was removed or replaced later; undo that first",
            received=f"{now.ids[back[0]]}, image 1 of {len(back):,}",
        )


def refuse_changed(now, image, names, seen):
    """Refuses what was decided on a view that has changed since.

    Args:
        now: `replay.Replay`.
        image: an image's id; empty where only labels matter.
        names: set of label ids that the view showed.
        seen: number of the log's last row that it knew of.

    Raises:
        OutdatedError: others have decided about that image, or merged such a label.
    """
    changes = []
    for one in now.decisions[max(0, seen) :]:
        about = one
        if one.action == "undo":
            about = now.decisions[one.withdraws - 1]
        merged = about.action == "merge" and names & {about.label, about.new_label}
        if merged or (image and about.id == image):
            text = wordings.said(about, now)
            undid = "undid: " if one.action == "undo" else ""
            changes.append(f"{oneline.short(one.who, wordings.WHO)} {undid}{text}")
    if changes:
        raise OutdatedError(changes)
