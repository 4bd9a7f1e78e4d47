"""What to collect next: where further images would remove most errors.

Errors fall with the number n of training images about as a power of it (Hestness et al.
2017, arXiv 1712.00409), whatever the power the same for all: error = c n^-p. One more
image of a cell, a class in a group, then removes errors in proportion to error / n, so
cells are ranked by

    missed share x images of the cell / (training images of the cell + 1).

It is a rule for an order, not a forecast. A cell with fewer than `bootstrap.MIN` images
to judge by comes after the ranked ones, with that as the reason: what is not measured
has to be collected for evaluation first.
"""

import numpy as np

from inclusive_tf.evaluation import bootstrap, f2
from inclusive_tf.exploration import intervals


def cells(predictions, threshold_logit, training_cells=None):
    """Figures of every class in every group that has images.

    Args:
        predictions: `predictions.Predictions` with truth.
        threshold_logit: float or [C]; a label is given from this logit on.
        training_cells: int [C, G]; training images that show each class, by group; None
            where only `training_counts` is known. That is what counts as well for
            groups that training did not have.

    Returns:
        A list of dicts, by group and class in order: "label", "name", "group";
        "training", images of the class in training, of the group alone where
        "training_in_group" says so; "n", images that show it; "recall" and
        "precision", {"value", "low", "high", "n"} with Wilson's intervals, None for
        values where n is 0; "missed", how many.
    """
    given = f2.decisions(predictions.logits, threshold_logit).multi_hot()
    shown = predictions.truth.multi_hot()
    known = predictions.truth.targets(predictions.unlisted_is_absent) >= 0
    trained = np.zeros(len(predictions.group_names), bool)
    if training_cells is not None:
        trained = training_cells.sum(axis=0) > 0
    found = []
    for place, group in enumerate(predictions.group_names):
        inside = np.asarray(predictions.group) == place
        if not inside.any() and not trained[place]:
            continue
        present, answered = shown[inside], given[inside] & known[inside]
        hits = np.sum(present & answered, axis=0).tolist()
        present, answered = (one.sum(axis=0).tolist() for one in (present, answered))
        counts = predictions.training_counts
        if trained[place]:
            counts = training_cells[:, place]
        for label, identity in enumerate(predictions.vocabulary.ids):
            found.append({
                "label": identity,
                "name": predictions.vocabulary.names[label],
                "group": group,
                "training": int(counts[label]),
                "training_in_group": bool(trained[place]),
                "n": present[label],
                "recall": intervals.share(hits[label], present[label]),
                "precision": intervals.share(hits[label], answered[label]),
                "missed": present[label] - hits[label],
            })  # fmt: skip
    return found


def next_(found, most=30):
    """Ranks cells by what collecting for them would bring.

    Args:
        found: of `cells`.
        most: cells, at most.

    Returns:
        A list of dicts: "label", "name", "group", "for" ("training" or "evaluation"),
        "priority" (relative to the first; None of those for evaluation) and "reason".
    """
    judged = [one for one in found if one["n"] >= bootstrap.MIN and one["missed"]]
    judged.sort(key=lambda one: -_gain(one))
    top = _gain(judged[0]) if judged else 1.0
    ranked = [_entry(one, "training", _gain(one) / top, _why(one)) for one in judged]
    unmeasured = [one for one in found if one["n"] < bootstrap.MIN]
    unmeasured.sort(key=lambda one: (one["n"], one["training"]))
    ranked += [
        _entry(
            one, "evaluation", None,
            f"{one['n']} images to judge by, at least {bootstrap.MIN} are needed; "
            f"{_training(one)}",
        )
        for one in unmeasured
    ]  # fmt: skip
    return ranked[:most]


def _gain(one):
    return one["missed"] / (one["training"] + 1)


def _entry(one, purpose, priority, reason):
    return {
        "label": one["label"], "name": one["name"], "group": one["group"],
        "for": purpose, "priority": priority, "reason": reason,
    }  # fmt: skip


def _why(one):
    recall = one["recall"]
    return (
        f"{one['missed']:,} of {one['n']:,} images missed (recall "
        f"{recall['value']:.2f}, {recall['low']:.2f} to {recall['high']:.2f}); "
        f"{_training(one)}"
    )


def _training(one):
    where = " of this group" if one["training_in_group"] else ""
    return f"{one['training']:,} training images{where} show it"
