"""Every figure of one set of predictions, for one or many weightings of its images.

The point value and each resample of the bootstrap go through the same code: a figure is
a function of weighted sums over images, and the weights are all 1 for the point value.
"""

import numpy as np
import scipy.sparse

from data_pipelines import errors
from inclusive_tf.evaluation import bands, f2

NAMES = (
    "mean_f2",
    "macro_f2",
    "head_recall",
    "middle_recall",
    "tail_recall",
    "worst_group_f2",
)


def with_known_labels(predictions):
    """Leaves out images of which nothing is known.

    Where labels that are not stated are unknown, an image without a stated label says
    nothing about a model. Where they are absent, every image counts.

    Args:
        predictions: `predictions.Predictions`.

    Returns:
        `predictions.Predictions`, the same when nothing is left out.

    Raises:
        errors.DataError: no image is left, or none shows any label.
    """
    if not predictions.unlisted_is_absent:
        stated = np.diff(predictions.truth.offsets) > 0
        if not stated.all():
            predictions = predictions.take(stated)
    if not len(predictions):
        raise errors.DataError("there is no labelled image to evaluate")
    if not predictions.truth.counts().any():
        raise errors.DataError(
            "no image shows any label, so there is nothing to score against",
            expected="predictions with truth",
        )
    return predictions


class Measures:
    """Sums over images from which all figures are made.

    Args:
        predictions: `predictions.Predictions` of N images, C labels and G groups.
        threshold_logit: float or [C]; a label is given from this logit on.

    Attributes:
        bands: the `bands.Band`s of the labels.
        group_sizes: int64 [G].
        support: int64 [C]; images that show each label.
        given_counts: int64 [C]; images, with the label known, that are given it.
        per_image: float64 [N]; F2 of each image.
    """

    def __init__(self, predictions, threshold_logit):
        truth = predictions.truth
        given = _matrix(f2.decisions(predictions.logits, threshold_logit))
        if not predictions.unlisted_is_absent:
            given = given.multiply(_matrix(truth)).tocsr()
        self._given = given
        self._present = _matrix(truth.present())
        self._hits = given.multiply(self._present).tocsr()
        sums = [_sums(m, 1) for m in (self._hits, self._given, self._present)]
        self.per_image = f2.f_beta(*sums)
        rows = np.arange(len(predictions) + 1)
        shape = (len(predictions), len(predictions.group_names))
        self._group = scipy.sparse.csr_array(
            (np.ones(shape[0]), np.asarray(predictions.group), rows), shape
        )
        self._group_f2 = scipy.sparse.csr_array(
            (self.per_image, np.asarray(predictions.group), rows), shape
        )
        self.bands = bands.bands(predictions.training_counts, predictions.vocabulary)
        self.group_sizes = _sums(self._group, 0).astype(np.int64)
        self.support = _sums(self._present, 0).astype(np.int64)
        self.given_counts = _sums(self._given, 0).astype(np.int64)

    def __len__(self):
        return len(self.per_image)

    def band_sizes(self):
        """Returns a list: for each band, the images that show a label of it."""
        return [
            int(np.count_nonzero(_sums(self._present[:, band.labels], 1)))
            for band in self.bands
        ]

    def statistics(self, weights):
        """Computes every figure for each weighting of the images.

        macro_f2 is the mean over labels with support of each label's F2, 5 TP /
        (4 support + given); band recall and band F2 are such means over a band's
        labels. A label without support, a precision of a label never given, and an
        empty group are not available (NaN), and means leave them out. The worst group
        is the lowest mean F2 among groups that have an image; in a resample it is the
        lowest there, which may be another group.

        Args:
            weights: float64 [r, N].

        Returns:
            {name: float64 [r]} for `NAMES`; "groups" [r, G]; "band_recall" and
            "band_f2" [r, bands]; "precision", "recall", "f1" and "f2" [r, C].
        """
        found = {"mean_f2": weights @ self.per_image / weights.sum(axis=1)}
        found["groups"] = _ratio(weights @ self._group_f2, weights @ self._group)
        found["worst_group_f2"] = np.fmin.reduce(found["groups"], axis=1)
        hits, given, support = (
            weights @ matrix for matrix in (self._hits, self._given, self._present)
        )
        found["precision"] = _ratio(hits, given)
        found["recall"] = _ratio(hits, support)
        for name, beta in (("f1", 1.0), ("f2", 2.0)):
            scores = f2.f_beta(hits, given, support, beta)
            found[name] = np.where(support > 0, scores, np.nan)
        found["macro_f2"] = _mean_available(found["f2"])
        for name in ("recall", "f2"):
            found[f"band_{name}"] = np.stack(
                [_mean_available(found[name][:, band.labels]) for band in self.bands],
                axis=1,
            )
        for position, name in enumerate(bands.NAMES):
            found[f"{name}_recall"] = found["band_recall"][:, position]
        return found

    def headline(self, weights):
        """Returns only the figures of `NAMES` from `statistics`."""
        found = self.statistics(weights)
        return {name: found[name] for name in NAMES}


def _matrix(sparse_labels):
    return scipy.sparse.csr_array(
        (
            np.ones(len(sparse_labels.index)),
            np.asarray(sparse_labels.index),
            np.asarray(sparse_labels.offsets),
        ),
        (len(sparse_labels), sparse_labels.num_classes),
    )


def _sums(matrix, axis):
    return np.asarray(matrix.sum(axis=axis)).ravel()


def _ratio(numerator, denominator):
    nothing = np.full(numerator.shape, np.nan)
    return np.divide(numerator, denominator, out=nothing, where=denominator > 0)


def _mean_available(values):
    """Mean over the last axis of what is not NaN; NaN where all is."""
    available = np.sum(~np.isnan(values), axis=-1)
    return _ratio(np.nansum(values, axis=-1), available)
