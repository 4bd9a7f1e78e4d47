"""Which errors are shown: several rankings, taken from in turn."""

import dataclasses

from data_pipelines import errors
from inclusive_tf.explain import errors_by_part, errors_to_explain

KINDS = {
    "loss": "highest loss",
    "confident": "most confident wrong",
    "rare": "rare label missed",
    "class": "of each label in turn",
    "group": "of each group in turn",
    "pairs": "right here, wrong there",
}
"""Each ranking and how a page calls it."""

DEFAULT = ("loss", "confident", "rare")


@dataclasses.dataclass(frozen=True)
class Choice:
    """An error to show.

    Args:
        case: `errors_to_explain.ErrorCase`.
        kind: one of `KINDS`.
        why: why it was chosen, for a reader.
        beside: the case of another image to show beside it, or None.
    """

    case: errors_to_explain.ErrorCase
    kind: str
    why: str
    beside: errors_to_explain.ErrorCase | None = None


def choose(predictions, threshold_logit, count, tail=None, kinds=DEFAULT):
    """Chooses errors from rankings in turn, no image twice.

    Args:
        predictions: `predictions.Predictions`.
        threshold_logit: float or [C].
        count: how many at most.
        tail: positions of the rare labels; None: all labels.
        kinds: names in `KINDS`.

    Returns:
        list of `Choice`.

    Raises:
        errors.DataError: as in `errors_to_explain.worst`.
        errors.SettingError: there is no ranking, or none of a name.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise errors.SettingError(
            f"Errors cannot be chosen so. Expected: some of {', '.join(KINDS)}. "
            f"Received: {', '.join(unknown) or 'none'}."
        )
    ranked = [
        _ranked(kind, predictions, threshold_logit, count, tail)
        for kind in dict.fromkeys(kinds)
    ]
    chosen = {}
    for rank in range(count):
        for ranking in ranked:
            if rank < len(ranking) and len(chosen) < count:
                chosen.setdefault(ranking[rank].case.row, ranking[rank])
    return list(chosen.values())


def _ranked(kind, predictions, threshold_logit, count, tail):
    if kind == "pairs":
        names = predictions.group_names
        return [
            Choice(
                pair.missed,
                kind,
                f"missed in {names[pair.there]}, found in {names[pair.here]}",
                pair.found,
            )
            for pair in errors_by_part.right_here_wrong_there(
                predictions, threshold_logit, count
            )
        ]
    rankings = {
        "loss": errors_to_explain.worst,
        "confident": errors_to_explain.confident_wrong,
        "class": errors_by_part.per_class,
        "group": errors_by_part.per_group,
    }
    if kind == "rare":
        cases = errors_to_explain.missed_rare(predictions, threshold_logit, count, tail)
    else:
        cases = rankings[kind](predictions, threshold_logit, count)
    return [Choice(case, kind, KINDS[kind]) for case in cases]
