"""One model asks another where it is unsure.

savan77's proposal for the fashion products: where the largest probability of the image
model is under a threshold, the text model answers. The threshold is fitted on labelled
images by the figure of the task.
"""

import dataclasses

import numpy as np
import scipy.special

from data_pipelines import errors, labels
from inclusive_tf.ensembles import combining
from inclusive_tf.ensembles import members as members_module
from inclusive_tf.evaluation import f2, ranking

CERTAINTIES = ("softmax", "sigmoid")
FIGURES = ("mean_f2", "top_1", "macro_top_1")


@dataclasses.dataclass(frozen=True)
class Fallback:
    """Where the second member answers.

    Args:
        below_logit: the second answers where the logit of the first's largest
            probability is less; -inf is never, inf always.
        certainty: whose largest probability: of the `softmax` over all labels (images
            of one label), or of the labels' own `sigmoid`.

    Raises:
        errors.SettingError: another certainty, or the threshold is NaN.
    """

    below_logit: float
    certainty: str = "softmax"

    def __post_init__(self):
        _require("certainty", self.certainty, CERTAINTIES)
        if np.isnan(self.below_logit):
            raise errors.SettingError(
                "A fallback needs a threshold. Expected: a number. Received: NaN."
            )

    @property
    def below(self):
        """The threshold as a probability."""
        return float(scipy.special.expit(self.below_logit))


def largest(logits, certainty="softmax"):
    """Returns float64 [N]: the logit of each image's largest probability.

    As logits, because probabilities of sure models round to 1: for the softmax that is
    s_k - log sum_(c != k) exp(s_c), k the largest, for the sigmoid s_k.

    Args:
        logits: float [N, C].
        certainty: one of `CERTAINTIES`.

    Raises:
        errors.SettingError: there is no such certainty.
        errors.DataError: a logit is NaN.
    """
    _require("certainty", certainty, CERTAINTIES)
    found = np.empty(len(logits))
    for rows, chunk in combining.chunks(logits):
        chunk = chunk.astype(np.float64)
        best = chunk.max(axis=1)
        if np.isnan(best).any():
            raise errors.DataError("a logit is not a number", received="NaN")
        if certainty == "softmax":
            np.put_along_axis(chunk, chunk.argmax(axis=1)[:, None], -np.inf, axis=1)
            with np.errstate(divide="ignore"):
                best = best - scipy.special.logsumexp(chunk, axis=1)
        found[rows] = best
    return found


def combine(members, rule, verify=True):
    """The first member's answers, and the second's where the first is unsure.

    Args:
        members: two `members.Member`; with an adaptation, a member's answer is its
            logits less its thresholds, while certainty is that of its logits.
        rule: `Fallback`.
        verify: whether to check the sums of the members' files.

    Returns:
        (`predictions.Predictions`, images that the second answered).

    Raises:
        errors.SettingError: there are not two members.
        errors.DataError: as `members.scores`.
    """
    _require_two(members)
    logits = unsure = None
    sources = []
    for _, predictions, threshold in members_module.scores(members, verify):
        sources.append(predictions.source)
        if logits is None:
            unsure = largest(predictions.logits, rule.certainty) < rule.below_logit
            logits = _answers(predictions, threshold, slice(None))
        else:
            logits[unsure] = _answers(predictions, threshold, unsure)
    asked = int(unsure.sum())
    facts = {
        "ensemble": "fallback",
        "members": [str(member.predictions) for member in members],
        "adaptations": [str(member.adaptation or "") for member in members],
        "certainty": rule.certainty,
        "below": rule.below,
        "fell_back": asked,
    }
    return members_module.combined(predictions, logits, facts, sources), asked


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A fallback and what it reaches on the images that it was fitted on.

    Args:
        rule: `Fallback`.
        figure: of the fallback; it flatters.
        first: figure of the first member alone.
        second: figure of the second alone.
        asked: share of the images that the second answers.
    """

    rule: Fallback
    figure: float
    first: float
    second: float
    asked: float


def fit(members, figure="mean_f2", certainty="softmax", verify=True):
    """Finds the threshold with the best figure, of all that differ.

    Images are ordered by certainty once; running sums of both members' figures then
    give every threshold's. Of equals, the one that asks the second least often wins.

    Args:
        members: two `members.Member` with predictions of labelled images.
        figure: "mean_f2" (labels from logit 0 on, or from an adaptation's thresholds
            on), "top_1" (share of the images with a label whose largest logit is one
            of theirs) or "macro_top_1" (as `evaluation.ranking`).
        certainty: one of `CERTAINTIES`.
        verify: whether to check the sums of the members' files.

    Returns:
        `Fitted`.

    Raises:
        errors.SettingError: an unknown figure or certainty, or not two members.
        errors.DataError: as `members.scores`, or no image can be scored.
    """
    _require("figure", figure, FIGURES)
    _require_two(members)
    certainties, scores = None, []
    for _, predictions, threshold in members_module.scores(members, verify):
        if certainties is None:
            certainties = largest(predictions.logits, certainty)
        answers = _answers(predictions, threshold, slice(None))
        scores.append(_per_image(answers, predictions, figure))
    kept = np.flatnonzero(~np.isnan(scores[0]))
    if not len(kept):
        raise errors.DataError(
            "no image shows a label that it could be scored by",
            expected=f"labels, for macro_top_1 on at least {ranking.MIN} images each",
        )
    certainties = certainties[kept]
    order = np.argsort(certainties, kind="stable")
    certainties = certainties[order]
    first, second = (score[kept][order] for score in scores)
    # gain of asking the second about the n least certain images
    gain = np.concatenate([[0.0], np.cumsum(second - first)])
    # sums of equal parts in another order may differ in their last digits
    gain = np.round(gain, 9)
    reachable = np.concatenate([[True], certainties[:-1] < certainties[1:], [True]])
    asked = int(np.argmax(np.where(reachable, gain, -np.inf)))
    count = len(kept)
    return Fitted(
        Fallback(_between(certainties, asked), certainty),
        float(first.mean() + gain[asked] / count),
        float(first.mean()),
        float(second.mean()),
        asked / count,
    )


def _between(certainties, asked):
    """The threshold that the `asked` smallest of ascending values lie under."""
    if asked == 0:
        return -np.inf
    if asked == len(certainties):
        return np.inf
    low, high = certainties[asked - 1], certainties[asked]
    middle = (low + high) / 2
    # infinite values, or neighbours among floats, have nothing between them
    return float(middle if low < middle <= high else high)


def _answers(predictions, threshold, rows):
    logits = np.array(predictions.logits[rows], np.float32)
    if threshold is not None:
        logits -= np.asarray(threshold, np.float32)
    return logits


def _per_image(answers, predictions, figure):
    """Returns float64 [N]: each image's part of the figure, NaN where it has none."""
    truth = predictions.truth
    if figure == "mean_f2":
        return f2.per_image(answers, 0.0, truth, predictions.unlisted_is_absent)
    shown = truth.confidence >= labels.PRESENT
    rows = truth.rows()[shown]
    right = answers.argmax(axis=1)[rows] == truth.index[shown]
    found = np.full(len(truth), np.nan)
    if figure == "top_1":
        found[rows] = 0.0
        found[rows[right]] = 1.0
        return found
    support = truth.counts()
    counted = support >= ranking.MIN
    if not counted.any():
        return found
    weight = np.where(counted, len(truth) / np.maximum(support, 1), 0) / counted.sum()
    parts = right * weight[truth.index[shown]]
    return np.bincount(rows, parts, minlength=len(truth))


def _require(what, received, known):
    if received not in known:
        raise errors.SettingError(
            f"A fallback has no such {what}. Expected: one of {', '.join(known)}. "
            f"Received: {received}."
        )


def _require_two(members):
    if len(members) != 2:
        raise errors.SettingError(
            "One model falls back on another. Expected: 2 members, the first of which "
            f"is asked first. Received: {len(members)}."
        )
