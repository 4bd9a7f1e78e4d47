"""Pairs of classes that a model cannot tell apart.

Of the images that show a and not b, those that are given b and not a are confused with
b; the other way round likewise, with 95 % intervals of Wilson. That depends on the
thresholds: a rare class that is never given is confused with nothing. So there is a
second look without them: of an image that shows only a and one that shows only b, how
often does a's logit less b's put the right one first (`rank_tests`, with its 95 %
interval)? A half is tossing a coin. Two classes cannot be told apart where both shares
lie above `LEAST_CONFUSED` with their intervals, or that chance below `MOST_IN_ORDER`.
"""

import dataclasses

import numpy as np
from scipy import sparse

from data_pipelines import labels
from inclusive_tf.audit import rank_tests
from inclusive_tf.evaluation import f2
from inclusive_tf.exploration import intervals

LEAST_CONFUSED = 0.1
"""Share of confused images that both intervals lie above."""

MOST_IN_ORDER = 0.8
"""Chance of the right order that its interval lies below."""

_LEVEL = 0.95
_LOOKED_AT = 20
"""Pairs whose order is looked at, by the number that is asked for."""


def pairs(predictions, threshold_logit, most=50):
    """Finds the pairs that are confused most.

    Args:
        predictions: `predictions.Predictions` with truth.
        threshold_logit: float or [C]; a label is given from this logit on.
        most: pairs, at most.

    Returns:
        A list of dicts, those that cannot be told apart first, of these and of the
        others the pair with the least chance of the right order first: "a" and "b",
        {"id", "name", "position"}; "as_b" and "as_a", the share of a's images that are
        confused with b and the other way round, each {"value", "low", "high", "n",
        "images"}; "in_order", that chance, {"value", "low", "high", "n"}, with None
        where there are fewer than `rank_tests.MIN_IMAGES` of either; "apart", whether
        they can be told apart. Pairs of which no image is confused are not looked at.
    """
    given, shown, known = _decided(predictions, threshold_logit)
    found = _counted(given, shown, known)
    shares = [confused / images for confused, images in found.counts]
    lows, highs = zip(*(intervals.wilson(*one) for one in found.counts), strict=True)
    both_low = np.minimum(*lows)
    # by the mean of both directions, which tell little when a class is never given
    candidates = np.argsort(-np.add(*shares), kind="stable")[: _LOOKED_AT * most]
    ordered = {
        row: _in_order(
            predictions.logits, shown, known, found.first[row], found.second[row]
        )
        for row in candidates.tolist()
    }
    apart = {
        row: both_low[row] < LEAST_CONFUSED
        and (one["high"] is None or one["high"] >= MOST_IN_ORDER)
        for row, one in ordered.items()
    }
    order = sorted(
        ordered,
        key=lambda row: (
            apart[row], 1.0 if ordered[row]["value"] is None else ordered[row]["value"]
        ),
    )[:most]  # fmt: skip

    def side(direction, row):
        confused, images = found.counts[direction]
        return {
            "value": float(shares[direction][row]), "low": float(lows[direction][row]),
            "high": float(highs[direction][row]), "n": int(images[row]),
            "images": int(confused[row]),
        }  # fmt: skip

    def class_(label):
        return {"id": predictions.vocabulary.ids[label],
                "name": predictions.vocabulary.names[label],
                "position": int(label)}  # fmt: skip

    return [
        {
            "a": class_(found.first[row]),
            "b": class_(found.second[row]),
            "as_b": side(0, row),
            "as_a": side(1, row),
            "in_order": ordered[row],
            "apart": bool(apart[row]),
        }
        for row in order
    ]


def _in_order(logits, shown, known, a, b):
    one = np.flatnonzero(known[:, a] & known[:, b] & (shown[:, a] != shown[:, b]))
    difference = logits[one, a] - logits[one, b]
    found = rank_tests.effect(difference, shown[one, a], np.zeros(len(one), np.int64))
    if np.isnan(found.value):
        return {"value": None, "low": None, "high": None, "n": len(one)}
    low, high = found.ends(_LEVEL)
    return {"value": found.value, "low": low, "high": high, "n": len(one)}


@dataclasses.dataclass(frozen=True)
class _Counted:
    """Pairs of labels [P] with a confused image, and of both directions (confused
    images, images that show the first and not the second)."""

    first: np.ndarray
    second: np.ndarray
    counts: tuple


def _counted(given, shown, known):
    missed = sparse.csr_array((shown & ~given).astype(np.int64))
    wrongly = sparse.csr_array((given & ~shown & known).astype(np.int64))
    confused = (missed.T @ wrongly).tocsr()
    either = sparse.coo_array(sparse.triu(confused + confused.T, k=1))
    first, second = either.coords
    # images that show one label, less those of which the other is known to be shown or
    # is not known
    some_shown = sparse.csr_array(shown.astype(np.int64))
    other = sparse.csr_array((shown | ~known).astype(np.int64))
    not_absent = (some_shown.T @ other).tocsr()
    totals = shown.sum(axis=0)
    both = [
        (
            np.asarray(confused[a, b]).ravel(),
            totals[a] - np.asarray(not_absent[a, b]).ravel(),
        )
        for a, b in ((first, second), (second, first))
    ]
    # labels of which one implies the other have no image to confuse
    some = (both[0][1] > 0) & (both[1][1] > 0)
    return _Counted(
        first[some], second[some], tuple((c[some], n[some]) for c, n in both)
    )


def _decided(predictions, threshold_logit):
    given = f2.decisions(predictions.logits, threshold_logit).multi_hot()
    targets = predictions.truth.targets(predictions.unlisted_is_absent)
    return given, targets >= labels.PRESENT, targets != labels.UNKNOWN
