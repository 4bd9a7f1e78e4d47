"""Which errors are worth a reader's time: functions of predictions and a threshold."""

import dataclasses

import numpy as np

from data_pipelines import errors, labels

_CHUNK = 4096


@dataclasses.dataclass(frozen=True)
class ErrorCase:
    """One image with a decision to explain, mostly a wrong one.

    Args:
        row: its row in the predictions.
        id: its id.
        loss: binary cross-entropy in nats, the mean over labels that are known.
        truth: indices of the labels that are present.
        decided: indices of the labels that were given.
        wrong: the label given against the truth (None when all given are right).
        missed: the present label not given (None when all present are given).
        right: a present label that was given, to compare an error with; mostly None.
    """

    row: int
    id: str
    loss: float
    truth: tuple
    decided: tuple
    wrong: int | None
    missed: int | None
    right: int | None = None


@dataclasses.dataclass(frozen=True)
class Examined:
    """What the rankings need of each image; -1 stands for "no such label".

    Args:
        loss: float64 [N].
        wrong: int [N], the wrongly given label of highest logit.
        wrong_logit: float64 [N].
        missed: int [N], the missed label of lowest logit.
        missed_logit: float64 [N].
    """

    loss: np.ndarray
    wrong: np.ndarray
    wrong_logit: np.ndarray
    missed: np.ndarray
    missed_logit: np.ndarray


def worst(predictions, threshold_logit, count):
    """Chooses the errors of highest loss.

    An image without a single stated label is unlabelled, so never an error. A label of
    unknown truth is neither wrong nor missed, nor part of the loss. Ties keep the order
    of the rows.

    Args:
        predictions: `predictions.Predictions`.
        threshold_logit: float or [C]; a label is given from this logit on.
        count: at most so many.

    Returns:
        List of `ErrorCase`, highest loss first; `wrong` is the highest-logit false
        positive, `missed` the lowest-logit false negative.

    Raises:
        errors.DataError: the threshold does not fit the labels, or a logit is not
            finite.
    """
    examined = examine(predictions, threshold_logit)
    erring = np.flatnonzero((examined.wrong >= 0) | (examined.missed >= 0))
    order = erring[np.argsort(-examined.loss[erring], kind="stable")][:count]
    return as_cases(predictions, threshold_logit, examined, order)


def confident_wrong(predictions, threshold_logit, count):
    """Chooses the wrongly given labels of highest logit, one an image.

    Arguments, returns, errors and rules as in `worst`.
    """
    examined = examine(predictions, threshold_logit)
    erring = np.flatnonzero(examined.wrong >= 0)
    order = erring[np.argsort(-examined.wrong_logit[erring], kind="stable")][:count]
    return as_cases(predictions, threshold_logit, examined, order)


def missed_rare(predictions, threshold_logit, count, tail=None):
    """Chooses missed labels that training showed least, one an image.

    Fewest training images first, then lowest logit.

    Args:
        predictions: `predictions.Predictions`.
        threshold_logit: float or [C].
        count: at most so many.
        tail: indices of the labels to look for; default all.

    Returns:
        List of `ErrorCase` whose `missed` is the image's rarest missed label in `tail`.

    Raises:
        errors.DataError: as in `worst`.
    """
    num_labels = len(predictions.vocabulary)
    tail = np.arange(num_labels) if tail is None else np.asarray(tail, np.int64)
    in_tail = np.zeros(num_labels, bool)
    in_tail[tail] = True
    # rank of each label by rarity, so that one argmin finds the rarest missed label
    rarity = np.where(in_tail, predictions.training_counts, np.inf).astype(np.float64)
    examined = examine(predictions, threshold_logit, missed_order=rarity)
    erring = np.flatnonzero(examined.missed >= 0)
    keys = (examined.missed_logit[erring], rarity[examined.missed[erring]])
    return as_cases(
        predictions, threshold_logit, examined, erring[np.lexsort(keys)][:count]
    )


def examine(predictions, threshold_logit, missed_order=None):
    """Finds loss, wrong and missed label of each image, in chunks of rows.

    Args:
        predictions: `predictions.Predictions`.
        threshold_logit: float or [C].
        missed_order: float [C] that ranks missed labels before their logits do, lowest
            first; infinite: ignored. None ranks by logits alone.

    Returns:
        `Examined`.

    Raises:
        errors.DataError: as in `worst`.
    """
    threshold = checked_threshold(threshold_logit, len(predictions.vocabulary))
    count = len(predictions)
    parts = [
        _examine_rows(
            np.asarray(predictions.logits[start : start + _CHUNK], np.float64),
            predictions.truth.take(np.arange(start, min(start + _CHUNK, count))),
            predictions.unlisted_is_absent,
            threshold,
            missed_order,
        )
        # once even without rows, so that there is something to join
        for start in range(0, max(count, 1), _CHUNK)
    ]
    return Examined(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in dataclasses.fields(Examined)
        }
    )


def _examine_rows(logits, truth, unlisted_is_absent, threshold, missed_order):
    if not np.isfinite(logits).all():
        raise errors.DataError("a logit is NaN or infinite", expected="numbers")
    targets = truth.targets(unlisted_is_absent)
    labelled = np.diff(truth.offsets) > 0
    known = (targets != labels.UNKNOWN) & labelled[:, None]
    given = logits >= threshold
    present = targets >= labels.PRESENT
    # max(z, 0) - z t + log(1 + exp(-|z|)) is the stable form of the cross-entropy
    loss = np.maximum(logits, 0) - logits * targets
    loss += np.log1p(np.exp(-np.abs(logits)))
    loss = np.where(known, loss, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    wrong, wrong_logit = _lowest(-logits, given & known & ~present)
    is_missed = ~given & known & present
    if missed_order is not None:
        is_missed &= np.isfinite(missed_order)
        # only the rarest missed labels of an image stay in the choice
        ranks = np.where(is_missed, missed_order, np.inf)
        is_missed &= ranks == ranks.min(axis=1, keepdims=True)
    missed, missed_logit = _lowest(logits, is_missed)
    return Examined(loss, wrong, -wrong_logit, missed, missed_logit)


def _lowest(values, chosen):
    """Returns the column of the lowest chosen value by row, or -1, and the value."""
    column = np.argmin(np.where(chosen, values, np.inf), axis=1)
    lowest = np.take_along_axis(values, column[:, None], 1)[:, 0]
    return np.where(chosen.any(axis=1), column, -1), lowest


def as_cases(predictions, threshold_logit, examined, rows):
    """Returns the list of `ErrorCase` of int rows, in their order."""
    threshold = checked_threshold(threshold_logit, len(predictions.vocabulary))
    present = predictions.truth.present()
    cases = []
    for row in rows.tolist():
        entries = slice(present.offsets[row], present.offsets[row + 1])
        given = np.flatnonzero(np.asarray(predictions.logits[row]) >= threshold)
        wrong, missed = int(examined.wrong[row]), int(examined.missed[row])
        cases.append(
            ErrorCase(
                row=row,
                id=str(predictions.ids[row]),
                loss=float(examined.loss[row]),
                truth=tuple(sorted(present.index[entries].tolist())),
                decided=tuple(given.tolist()),
                wrong=None if wrong < 0 else wrong,
                missed=None if missed < 0 else missed,
            )
        )
    return cases


def checked_threshold(threshold_logit, num_labels):
    """Returns the threshold as float64 [] or [C].

    Raises:
        errors.DataError: it does not fit the labels, or is NaN.
    """
    threshold = np.asarray(threshold_logit, np.float64)
    if threshold.shape not in ((), (num_labels,)) or np.isnan(threshold).any():
        raise errors.DataError(
            "a threshold does not fit the labels",
            expected=f"one number or {num_labels}, none of them NaN",
            received=str(threshold_logit),
        )
    return threshold
