"""Labels that are probably wrong or missing, the surest first.

*Which* entries are doubted is said by confident learning (Northcutt, Jiang and Chuang
2021, "Confident Learning", JAIR 70) label by label, as cleanlab does for multi-label
data (Thyagarajan et al. 2022, arXiv 2211.13895): it estimates from out-of-sample
probabilities how many of the given and of the other ones are wrong, with a threshold of
confidence of each label's own, so that a rare label is not doubted for being rare.

*In what order* is ours, since cleanlab's order of images puts what is merely hard
before what is wrong (figures: docs/audit.md). A label g that is given and a label r
that seems to be shown in its place are one suspicion:

    score = sigmoid((w z_r - z_g) / 2),    w = 1/4,

with z the out-of-sample logits and r the likeliest label that is not given. r counts
less than g, since a rare label that is truly shown has a low logit itself: with w = 1
errors that hide rare labels are found less, with w = 0 all others. A label that is
missing beside right ones is judged by its own odds alone, sigmoid(z_r / 2).
"""

import dataclasses

import numpy as np
from scipy import special

from data_pipelines import errors, labels, suspects

MIN_IMAGES = 5
"""Images that show a label, and that do not, before it can be doubted."""

ALTERNATIVES = 0.1
"""Labels are alternatives when they are given together in less than this share of the
images in which they would be by chance."""

_MIN_EXPECTED = 5.0

_REPLACEMENT = 0.25
"""w above."""


@dataclasses.dataclass(frozen=True)
class Doubts:
    """What may be wrong with the labels of N images over C classes.

    Args:
        suspects: list of `suspects.Suspect`, the surest first.
        wrong: int64 [C]; images that are given a label which is doubted.
        missing: int64 [C]; images that may show a label and are not given it.
        judged: bool [C]; whether a label has enough images to be doubted.
    """

    suspects: list
    wrong: np.ndarray
    missing: np.ndarray
    judged: np.ndarray


def require():
    """Returns cleanlab's `filter`.

    Raises:
        errors.MissingExtraError: cleanlab is not installed.
    """
    try:
        from cleanlab import filter as cleanlab_filter
    except ImportError as error:
        raise errors.MissingExtraError("an audit of labels", "audit") from error
    return cleanlab_filter


def doubted(targets, logits):
    """Says which entries confident learning takes for wrong.

    Label by label what `cleanlab.multilabel_classification.filter
    .find_multilabel_issues_per_class` does, on the images of which it is known.

    Args:
        targets: float [N, C]; present from `labels.PRESENT` on, `labels.UNKNOWN` where
            nothing is known.
        logits: float [N, C]; out-of-sample.

    Returns:
        (bool [N, C], bool [C]: labels with enough images of both kinds to be judged).

    Raises:
        errors.DataError: no label has enough.
        errors.MissingExtraError: cleanlab is not installed.
    """
    cleanlab_filter = require()
    found = np.zeros(targets.shape, bool)
    judged = np.zeros(targets.shape[1], bool)
    for label in range(targets.shape[1]):
        known = np.flatnonzero(targets[:, label] != labels.UNKNOWN)
        given = targets[known, label] >= labels.PRESENT
        judged[label] = min(given.sum(), (~given).sum()) >= MIN_IMAGES
        if judged[label]:
            present = special.expit(np.asarray(logits[known, label], np.float64))
            found[known, label] = cleanlab_filter.find_label_issues(
                given.astype(np.int64),
                np.stack([1 - present, present], axis=1),
                filter_by="prune_by_noise_rate",
                # forked processes would not know what a test or a caller has set
                n_jobs=1,
            )
    if not judged.any():
        raise errors.DataError(
            "no label can be doubted",
            expected=f"a label with at least {MIN_IMAGES} images that show it and as "
            "many that do not",
            received=f"{targets.shape[0]:,} images, {targets.shape[1]:,} labels",
        )
    return found, judged


def find(predictions, logits):
    """Finds suspects among the labels of images.

    Args:
        predictions: `predictions.Predictions` of N images with truth.
        logits: float [N, C]; out-of-sample (`out_of_sample.logits`).

    Returns:
        `Doubts`.

    Raises:
        errors.DataError: as `doubted`.
        errors.MissingExtraError: cleanlab is not installed.
    """
    targets = predictions.truth.targets(predictions.unlisted_is_absent)
    present = targets >= labels.PRESENT
    entries, judged = doubted(targets, logits)
    apart, counts = alternatives(present), present.sum(axis=0)
    found = []
    for row in np.flatnonzero(entries.any(axis=1)).tolist():
        found += _of_image(
            predictions, row, logits[row], present[row], entries[row], apart, counts
        )
    # of equal scores the image that comes first, whatever the platform's sort
    found.sort(key=lambda suspect: -suspect.score)
    return Doubts(
        found,
        np.sum(entries & present, axis=0),
        np.sum(entries & ~present, axis=0),
        judged,
    )


def alternatives(present):
    """Finds labels that are hardly ever given together.

    Args:
        present: bool [N, C].

    Returns:
        bool [C, C]; False where chance would bring them together in fewer than 5
        images, so that nothing follows from their not being together.
    """
    shown = present.astype(np.float64)
    together = shown.T @ shown
    counts = np.diag(together)
    expected = np.outer(counts, counts) / max(1, len(present))
    return (expected >= _MIN_EXPECTED) & (together < ALTERNATIVES * expected)


def _of_image(predictions, row, z, present, entries, apart, counts):
    """Returns the suspects of one image."""
    names, ids = predictions.vocabulary.names, predictions.vocabulary.ids
    image = str(predictions.ids[row])
    wrong = sorted(np.flatnonzero(entries & present).tolist(), key=lambda g: z[g])
    others = sorted(np.flatnonzero(~present).tolist(), key=lambda r: -z[r])
    preferred = [r for r in others if entries[r] or z[r] > 0]
    replaced = _paired(wrong, preferred, counts)
    found = []
    for g in wrong:
        r = replaced.get(g)
        evidence = (_REPLACEMENT * z[others[0]] if others else 0.0) - z[g]
        detail = f"{names[g]} {_share(z[g])}"
        if r is not None:
            detail += f", {names[r]} {_share(z[r])}"
        found.append(suspects.Suspect(
            image, "wrong_label", ids[g], "" if r is None else ids[r],
            _score(evidence), detail,
        ))  # fmt: skip
    for r in [r for r in preferred[len(wrong) :] if entries[r]]:
        beside = np.flatnonzero(present & ~entries & apart[r])
        detail = f"{names[r]} {_share(z[r])}"
        kind, label = "missing_label", ""
        if len(beside):
            g = int(beside[np.argmin(z[beside])])
            kind, label = "several_fit", ids[g]
            detail += f" beside {names[g]} {_share(z[g])}"
        found.append(suspects.Suspect(image, kind, label, ids[r], _score(z[r]), detail))
    return found


def _paired(wrong, preferred, counts):
    """Returns {wrong label: its replacement}.

    What is general replaces what is general, so that "ankle boot, footwear" in place of
    "coat, topwear" is not told as footwear in place of a coat.
    """
    taken = min(len(wrong), len(preferred))
    return dict(
        zip(
            sorted(wrong[:taken], key=lambda g: counts[g]),
            sorted(preferred[:taken], key=lambda r: counts[r]),
            strict=True,
        )
    )


def _score(evidence):
    return float(special.expit(evidence / 2))


def _share(logit):
    return f"{special.expit(logit):.2f}"
