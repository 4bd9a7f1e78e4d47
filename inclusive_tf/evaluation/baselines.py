"""The constant answer: the same labels for every image, chosen to score best.

A model that does not beat it has learnt nothing of use. On the challenge's stage 1 it
is "Person Plant Tree".
"""

import dataclasses

import numpy as np

from data_pipelines import errors
from inclusive_tf.evaluation import f2

_GIVEN_LOGIT = 30.0
"""Far on either side of any sensible threshold, yet finite."""


def constant_answer(truth, largest=20, unlisted_is_absent=True):
    """Finds the best of the k most frequent labels, k = 1 to `largest`.

    The mean F2 of each k is exact. The most frequent labels need not be the best set of
    their size when labels exclude each other, but a better set gains little and its
    search is exponential. Equal counts go by position, equal scores to the smaller k.

    Args:
        truth: `labels.SparseLabels` of N images on which the choice is made.
        largest: how many labels at most.
        unlisted_is_absent: whether a label that is not stated is absent.

    Returns:
        int64 [k]: the labels, most frequent first.

    Raises:
        errors.DataError: no image shows a label.
    """
    label_counts = truth.counts()
    if not label_counts.any():
        raise errors.DataError("no image shows any label to answer with")
    ranked = np.argsort(-label_counts, kind="stable")
    ranked = ranked[: min(largest, np.count_nonzero(label_counts))]
    rank = np.full(truth.num_classes, len(ranked))
    rank[ranked] = np.arange(len(ranked))

    shown = truth.present()
    shown_rows, shown_rank = shown.rows(), rank[shown.index]
    stated_rows, stated_rank = truth.rows(), rank[truth.index]
    size = len(truth)
    present = np.diff(shown.offsets)
    hits, given = np.zeros(size, np.int64), np.zeros(size, np.int64)
    scores = []
    for position in range(len(ranked)):
        hits += np.bincount(shown_rows[shown_rank == position], minlength=size)
        if unlisted_is_absent:
            given += 1
        else:
            given += np.bincount(stated_rows[stated_rank == position], minlength=size)
        scores.append(f2.f_beta(hits, given, present).mean())
    return ranked[: int(np.argmax(scores)) + 1].astype(np.int64)


def constant_predictions(like, given):
    """Predictions that give every image the same labels at threshold 0.

    Args:
        like: `predictions.Predictions` whose images and truth they are about.
        given: int [k]; positions of the labels to give.

    Returns:
        `predictions.Predictions`; the logits are one row seen N times (read-only), so
        they take no memory.
    """
    row = np.full(len(like.vocabulary), -_GIVEN_LOGIT, np.float32)
    row[np.asarray(given, np.int64)] = _GIVEN_LOGIT
    ids = [like.vocabulary.ids[label] for label in given]
    return dataclasses.replace(
        like,
        logits=np.broadcast_to(row, (len(like), len(row))),
        kernel=None,  # no last layer makes these logits
        bias=None,
        source={**like.source, "constant": ids},
    )
