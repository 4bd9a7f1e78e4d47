"""How common each label is in a new place, and logits moved accordingly.

Under label shift the images that show a label look alike in both places, and only the
label's share pi changes. Then the right logit in the new place is (Saerens, Latinne and
Decaestecker 2002, Neural Computation 14, equation 2.4, for two classes)

    z' = z + logit(pi_target) - logit(pi_source).

`em` and `bbse` estimate the shares in the target from scores without labels. `counted`
takes them from a labelled tuning set. All work label by label.
"""

import dataclasses

import numpy as np
import scipy.special

from data_pipelines import errors
from inclusive_tf import chunks
from inclusive_tf.adaptation import f2_steps, histograms

MIN_POSITIVES = 5
"""Fewer source images of a label say too little of its share."""

LARGEST_SHIFT = float(np.log(100.0))
"""No share is taken to have changed by more than a hundredfold in its odds."""

_MIN_CONTRAST = 0.05
_CHUNK_CELLS = 1 << 20


@dataclasses.dataclass(frozen=True)
class PriorShift:
    """What to add to each label's logit.

    Args:
        shift: float64 [C].
        source: float64 [C]; share of images with the label in the source.
        target: float64 [C]; the share found in the target, where `shift` is 0 the
            source's.
        kept: {reason: how many labels stayed as they were for it}.
        clipped: how many shifts were cut to `LARGEST_SHIFT`.
    """

    shift: np.ndarray
    source: np.ndarray
    target: np.ndarray
    kept: dict
    clipped: int

    def notes(self):
        """Returns sentences on the labels that stayed or were cut."""
        found = [f"{count} labels stay: {why}" for why, count in self.kept.items()]
        if self.clipped:
            found.append(
                f"{self.clipped} shifts were cut to {LARGEST_SHIFT:.2f} (odds changed "
                "a hundredfold)"
            )
        return found


def em(source_truth, target_logits, unlisted_is_absent=True, slope=1.0, offset=0.0):
    """Estimates target shares by maximum likelihood, the limit of the EM algorithm.

    EM (Saerens et al. 2002, equation 2.9) repeats: reweigh each probability by the
    shares, take its mean as the new share. It climbs the likelihood
    sum_i log(pi a_i + (1 - pi) b_i), with a_i = p_i / pi_source and b_i =
    (1 - p_i) / (1 - pi_source), which is concave in pi; where its slope is 0 is
    found directly instead, on logits counted into narrow bins.

    The logits have to be calibrated on the source (`temperature`).

    Args:
        source_truth: `labels.SparseLabels` of images like those of the training.
        target_logits: float [N, C]; of the new place, may be memory-mapped.
        unlisted_is_absent: whether a label that the source truth does not state is
            absent.
        slope: of the calibration, by which logits are multiplied first.
        offset: of the calibration, added then.

    Returns:
        `PriorShift`.

    Raises:
        errors.DataError: the source shows no label, widths differ, or there is no
            target image.
    """
    positives, known, source = _source_shares(source_truth, unlisted_is_absent)
    _require_target(target_logits, source_truth)
    counts = histograms.count(target_logits, slope)
    source_logit = scipy.special.logit(source)

    def slope_of_likelihood(share_logit, label, centres):
        share = scipy.special.expit(share_logit)
        excess = np.expm1(centres + offset - source_logit[label])
        return excess / (1 + share * excess)

    end = scipy.special.logit(_least_share(len(target_logits)))
    target = scipy.special.expit(
        histograms.solve(counts, slope_of_likelihood, end, -end)
    )
    reasons = {f"shown by fewer than {MIN_POSITIVES} source images": (
        np.minimum(positives, known - positives) < MIN_POSITIVES)}  # fmt: skip
    return _shift(source, target, reasons)


def bbse(source_logits, source_truth, target_logits, unlisted_is_absent=True):
    """Estimates target shares by black-box shift estimation.

    A label is predicted from the logit on that gives it to as many source images as
    show it. With its true and false positive rates on the source and its predicted
    share q in the target, the share there is (q - fpr) / (tpr - fpr) (Lipton, Wang and
    Smola 2018, arXiv 1802.03916, for two classes). The scores need no calibration.

    Args:
        source_logits: float [M, C]; labelled images like those of the training, not
            used in it.
        source_truth: `labels.SparseLabels` of M rows.
        target_logits: float [N, C]; may be memory-mapped.
        unlisted_is_absent: as in `em`.

    Returns:
        `PriorShift`.

    Raises:
        errors.DataError: as `em`.
    """
    positives, known, source = _source_shares(source_truth, unlisted_is_absent)
    _require_target(target_logits, source_truth)
    given, hits, threshold = _break_even(
        source_logits, source_truth, positives, unlisted_is_absent
    )
    true_rate = hits / np.maximum(positives, 1)
    false_rate = (given - hits) / np.maximum(known - positives, 1)
    predicted = np.zeros(len(source), np.int64)
    for _, chunk in chunks.numbers(target_logits, _CHUNK_CELLS):
        predicted += np.count_nonzero(chunk >= threshold, axis=0)
    contrast = true_rate - false_rate
    least = _least_share(len(target_logits))
    target = np.clip(
        (predicted / len(target_logits) - false_rate)
        / np.where(contrast > _MIN_CONTRAST, contrast, 1.0),
        least,
        1 - least,
    )
    few = np.minimum(positives, known - positives) < MIN_POSITIVES
    reasons = {
        f"shown by fewer than {MIN_POSITIVES} source images": few,
        f"predicted for fewer than {MIN_POSITIVES} source images": (
            given < MIN_POSITIVES
        ),
        "predicted about as often where absent": contrast <= _MIN_CONTRAST,
    }
    return _shift(source, target, reasons)


def counted(logits, truth, unlisted_is_absent=True, slope=1.0, offset=0.0):
    """Moves each label so that its mean probability is its share in a tuning set.

    The share is (n_c + a) / (N + 2 a). What labels without an image have together, by
    Good and Turing, is about the number of labels seen once: a is that number over the
    number of labels without an image, and at most 1/2. Logits are moved on the tuning
    images; fit thresholds on out-of-fold ones, since a label seen once is sure to be
    there.

    Args:
        logits: float [N, C]; of the tuning set.
        truth: `labels.SparseLabels` of N rows.
        unlisted_is_absent: whether a label that is not stated is absent; otherwise only
            stated labels count, and a label never stated stays.
        slope: of a calibration, by which logits are multiplied first.
        offset: of a calibration, added then.

    Returns:
        `PriorShift`; `source` is the mean probability before.

    Raises:
        errors.DataError: no image shows a label.
    """
    positives, known, _ = _source_shares(truth, unlisted_is_absent)
    unseen = np.count_nonzero(positives == 0)
    once = np.count_nonzero(positives == 1)
    pseudo = min(0.5, max(once, 1) / unseen) if unseen else 0.5
    target = (positives + pseudo) / (known + 2 * pseudo)
    counts = histograms.count(logits, slope, None if unlisted_is_absent else truth)

    def missing(shift, label, centres):
        return target[label] - scipy.special.expit(centres + offset + shift)

    shift = histograms.solve(counts, missing, -40.0, 40.0)
    chances = scipy.special.expit(histograms.centres() + offset)
    source = counts @ chances / np.maximum(known, 1)
    unknown = known == 0
    kept = {"never stated": int(unknown.sum())} if unknown.any() else {}
    return PriorShift(
        np.where(unknown, 0.0, shift),
        source,
        np.where(unknown, source, target),
        kept,
        0,
    )


def _source_shares(truth, unlisted_is_absent):
    """Returns (positives [C], known [C], share [C] with half an image on each side)."""
    positives = truth.counts()
    if not positives.any():
        raise errors.DataError(
            "shares cannot be counted: no image shows any label",
            expected="labelled images",
        )
    if unlisted_is_absent:
        known = np.full(truth.num_classes, len(truth))
    else:
        known = np.bincount(truth.index, minlength=truth.num_classes)
    return positives, known, (positives + 0.5) / (known + 1.0)


def _require_target(target_logits, source_truth):
    if not len(target_logits) or target_logits.shape[1] != source_truth.num_classes:
        raise errors.DataError(
            "the target's logits do not fit the source",
            expected=f"images with {source_truth.num_classes} labels",
            received=str(target_logits.shape),
        )


def _least_share(images):
    return 0.5 / (images + 1)


def _break_even(logits, truth, positives, unlisted_is_absent):
    """Returns (given [C], hits [C], threshold [C]); as many are given as are shown."""
    classes = truth.num_classes
    threshold = np.full(classes, np.inf, logits.dtype)
    given, hits = np.zeros(classes, np.int64), np.zeros(classes, np.int64)
    shown = f2_steps.RowsByLabel(truth.present())
    stated = None if unlisted_is_absent else f2_steps.RowsByLabel(truth)
    for block in np.array_split(np.flatnonzero(positives), 1 + classes // 64):
        columns = np.ascontiguousarray(logits[:, block].T)
        for label, scores in zip(block, columns, strict=True):
            known = scores if stated is None else scores[stated.rows(label)]
            place = len(known) - positives[label]
            threshold[label] = np.partition(known, place)[place]
            given[label] = np.count_nonzero(known >= threshold[label])
            of_shown = scores[shown.rows(label)]
            hits[label] = np.count_nonzero(of_shown >= threshold[label])
    return given, hits, threshold


def _shift(source, target, reasons):
    kept, moves = {}, np.ones(len(source), bool)
    for reason, stays in reasons.items():
        if (stays & moves).any():
            kept[reason] = int(np.count_nonzero(stays & moves))
        moves &= ~stays
    shift = scipy.special.logit(target) - scipy.special.logit(source)
    shift = np.where(moves, shift, 0.0)
    clipped = np.abs(shift) > LARGEST_SHIFT
    shift = np.clip(shift, -LARGEST_SHIFT, LARGEST_SHIFT)
    target = scipy.special.expit(scipy.special.logit(source) + shift)
    return PriorShift(shift, source, target, kept, int(clipped.sum()))
