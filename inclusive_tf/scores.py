"""How a model's logits become scores that a threshold decides, and bounds on sets.

By default a logit's sigmoid is its label's probability. Models that learn by softmax
are asked for a share instead: of all labels (the challenge's 11th place), or against
what ranks below the first K only (the 4th). Scores are given as log-odds, so that what
follows treats them as logits.
"""

import dataclasses

import numpy as np
import scipy.special

from data_pipelines import errors
from inclusive_tf import chunks

KINDS = ("sigmoid", "softmax", "softmax_below")

_CHUNK_CELLS = 1 << 18
"""Logits turned in one go: 2 MB as float64, of which some copies are taken."""


@dataclasses.dataclass(frozen=True)
class ScoresConfig:
    """What scores are.

    Args:
        kind: `sigmoid` leaves logits as they are; `softmax` is the share of a label
            among all; `softmax_below` is q_i = e^{s_i} / (e^{s_i} + sum of e^{s_j} over
            the labels that rank below the first `below`) (the 4th place, with 150).
        below: K of `softmax_below`; fewer than the labels.

    Raises:
        errors.SettingError: a value is none of these.
    """

    kind: str = "sigmoid"
    below: int = 150

    def __post_init__(self):
        for name, right, expected in (
            ("kind", self.kind in KINDS, f"one of {', '.join(KINDS)}"),
            ("below", self.below >= 1, "at least 1"),
        ):
            if not right:
                raise errors.SettingError(
                    f"Scores cannot have this {name}. Expected: {expected}. "
                    f"Received: {getattr(self, name)}."
                )

    @property
    def description(self):
        """The scores in words; "" for the sigmoid."""
        if self.kind == "softmax_below":
            return f"softmax against what ranks below {self.below}"
        return "" if self.kind == "sigmoid" else self.kind


def of_logits(logits, config):
    """Turns logits into log-odds of scores.

    Args:
        logits: float32 [N, C].
        config: `ScoresConfig`.

    Returns:
        float32 [N, C].

    Raises:
        errors.SettingError: nothing ranks below the first K.
    """
    if config.kind == "sigmoid":
        return logits
    classes = logits.shape[1]
    if config.kind == "softmax_below" and config.below >= classes:
        raise errors.SettingError(
            f"No label ranks below the first {config.below}. Expected: at most "
            f"{classes - 1} for {classes} labels. Received: {config.below}."
        )
    shares = np.empty(logits.shape, np.float32)
    for rows in chunks.rows(logits, _CHUNK_CELLS):
        values = np.asarray(logits[rows], np.float64)
        if config.kind == "softmax":
            shares[rows] = _softmax(values)
        else:
            shares[rows] = _softmax_below(values, config.below)
    return shares


def _softmax(values):
    # log(q / (1 - q)) = s_i - logsumexp of the others
    highest = values.max(axis=1, keepdims=True)
    powers = np.exp(values - highest)
    others = powers.sum(axis=1, keepdims=True) - powers
    # where one label is nearly all, the difference is rounding
    first = values.argmax(axis=1)
    rows = np.arange(len(values))
    powers[rows, first] = 0.0
    others[rows, first] = powers.sum(axis=1)
    floor = np.finfo(np.float64).tiny
    return values - highest - np.log(np.maximum(others, floor))


def _softmax_below(values, below):
    ordered = np.sort(values, axis=1)
    tail = ordered[:, : values.shape[1] - below]
    return values - scipy.special.logsumexp(tail, axis=1, keepdims=True)


def bounded(logits, threshold_logit, least=0, most=0):
    """Holds the number of labels an image is given within bounds.

    Args:
        logits: float32 [N, C].
        threshold_logit: float or [C]; a label is given from this logit on.
        least: labels that each image is given at least, the next likeliest ones.
        most: labels that it is given at most, the likeliest; 0 is any number.

    Returns:
        float32 [N, C]: above or at 0 where a label is given, in the order of
        `logits` less the threshold.

    Raises:
        errors.SettingError: the bounds cross, or there are fewer labels.
    """
    classes = logits.shape[1]
    most = most or classes
    if not 0 <= least <= min(most, classes):
        raise errors.SettingError(
            "The bounds of a label set cannot be kept. Expected: at least 0, at most "
            f"{min(most, classes)}. Received: {least} to {most}."
        )
    margins = np.empty(logits.shape, np.float32)
    for rows in chunks.rows(logits, _CHUNK_CELLS):
        margins[rows] = logits[rows] - threshold_logit
        if least or most < classes:
            margins[rows] = _within(margins[rows], least, most)
    return margins


def _within(margins, least, most):
    order = np.argsort(-margins, axis=1, kind="stable")
    ranked = np.take_along_axis(margins, order, axis=1)
    ranked[:, :least] = np.maximum(ranked[:, :least], 0.0)
    ranked[:, most:] = np.minimum(ranked[:, most:], -np.finfo(np.float32).tiny)
    held = np.empty_like(margins)
    np.put_along_axis(held, order, ranked, axis=1)
    return held
