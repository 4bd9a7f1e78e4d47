"""Members chosen greedily on a tuning set, with replacement.

Caruana, Niculescu-Mizil, Crew and Ksikes (2004), "Ensemble selection from libraries of
models": start with the best member, add again and again the one that makes the mean of
all chosen so far best, and weigh each by how often it was chosen. A member may be
chosen again, which keeps weak ones out.
"""

import dataclasses

import numpy as np

from data_pipelines import errors
from inclusive_tf import predictions as predictions_module
from inclusive_tf.adaptation import thresholds
from inclusive_tf.ensembles import combining
from inclusive_tf.ensembles import members as members_module
from inclusive_tf.evaluation import f2


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which members were chosen, and how the ensemble grew.

    Args:
        counts: int64 [n]; how often each was chosen, up to the best size.
        path: a list, one a step, of {"member": its position, "mean_f2"}; steps after
            the best size are in it too. The figures are of the images that it was
            chosen on, so they flatter.
        threshold_logit: the best threshold for the mean of the chosen, as a logit.
    """

    counts: np.ndarray
    path: list
    threshold_logit: float


def greedy(members, steps=30, of="logits", verify=True):
    """Chooses members by the mean F2 of their mean.

    Each step compares all members at the best threshold of the mean so far, then fits
    the threshold anew; the first step compares them at their own best ones. The size
    with the best mean F2 wins, the smaller one on ties. Of equal members the first
    wins. Beside one member's scores it holds those of the chosen.

    Args:
        members: a list of `members.Member` with predictions of the tuning set; weights
            do not count.
        steps: members to choose.
        of: "logits" or "probabilities".
        verify: whether to check the sums of the files, once.

    Returns:
        `Selection`.

    Raises:
        errors.SettingError: fewer than 1 step, or `of` is unknown.
        errors.DataError: as `members.scores`, or no image shows a label.
    """
    combining.require_mean(of)
    if steps < 1:
        raise errors.SettingError(f"at least 1 step is needed; received {steps}")
    total, threshold, path = 0.0, None, []
    for size in range(1, steps + 1):
        found = []
        for scores, truth, absent in _scores(members, of, verify and size == 1):
            mean = scores if size == 1 else (total + scores) / np.float32(size)
            cut = threshold
            if size == 1:
                cut = thresholds.global_threshold(mean, truth, absent).threshold_logit
            found.append(f2.mean_f2(mean, cut, truth, absent))
        best = int(np.argmax(found))
        chosen = [members[best]]
        scores, truth, absent = next(_scores(chosen, of, False))
        total = total + scores
        fitted = thresholds.global_threshold(total / np.float32(size), truth, absent)
        threshold = fitted.threshold_logit
        path.append({"member": best, "mean_f2": fitted.mean_f2, "threshold": threshold})
    size = int(np.argmax([step["mean_f2"] for step in path])) + 1
    counts = np.bincount([step["member"] for step in path[:size]],
                         minlength=len(members))  # fmt: skip
    threshold = path[size - 1]["threshold"]
    if of == "probabilities":
        threshold = float(combining.logit(threshold))
    path = [{"member": s["member"], "mean_f2": s["mean_f2"]} for s in path]
    return Selection(counts, path, threshold)


def require_fit(members, selection_members):
    """Refuses to choose members by other models, or on the images that are combined.

    Args:
        members: a list of `members.Member`, to combine.
        selection_members: such a list in the same order, to choose on.

    Raises:
        errors.DataError: two of one place differ in vocabulary, last layer or variant,
            or share images; the folder to choose on is named.
    """
    for member, other in zip(members, selection_members, strict=True):
        one, chosen_on = (
            predictions_module.load(each.predictions, verify=False)
            for each in (member, other)
        )
        predictions_module.require_same_vocabulary(one, chosen_on)
        predictions_module.require_same_model(
            one, chosen_on, f"{other.predictions} is of another model than its member"
        )
        shared = np.intersect1d(one.ids, chosen_on.ids)
        if len(shared):
            raise errors.DataError(
                "members would be chosen on images that are then combined",
                expected="other images",
                received=f"{len(shared)} shared, first {', '.join(shared[:3])}",
                file=other.predictions,
            )


def _scores(members, of, verify):
    for _, predictions, threshold in members_module.scores(members, verify):
        scores = combining.score(np.asarray(predictions.logits), threshold, of)
        yield scores, predictions.truth, predictions.unlisted_is_absent
