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

MIN_WORST_GROUP = 10
"""A smaller group is not named the worst, unless all are smaller: among many groups the
lowest mean would else be that of the smallest, by chance. An interval needs as many
(`bootstrap.MIN`)."""


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
        per_image: float64 [N]; F2 of each image.
        worst_group: the position of the group with the lowest mean F2 among those of at
            least `MIN_WORST_GROUP` images (among all that have one, when all are
            smaller), the first on ties. It is chosen after looking at the scores.
        images: {name: int64, of the shape of a figure of `statistics`}: the images it
            rests on. These are all for mean and macro F2, those of the group for a
            group, those that show a label of the band for a band, those that show the
            label for recall, F1 and F2, and for precision those that are given it and
            of which it is known whether they show it.
        clusters: the same, of the clusters that these images form, or None where the
            predictions have none.
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
        group_sizes = _sums(self._group, 0)
        self.worst_group = _worst(_sums(self._group_f2, 0), group_sizes)
        self.images = self._extents(scipy.sparse.eye_array(len(predictions)))
        self.clusters = None
        if predictions.cluster is not None:
            self.clusters = self._extents(_membership(predictions.cluster))

    def __len__(self):
        return len(self.per_image)

    def _extents(self, units):
        """How many units (sparse [K, N]) have an image that each figure rests on."""
        in_band = np.stack(
            [_sums(self._present[:, band.labels], 1) > 0 for band in self.bands], axis=1
        )
        groups, bands_, given, support = (
            _sums(units @ counting > 0, 0).astype(np.int64)
            for counting in (
                self._group,
                scipy.sparse.csr_array(in_band.astype(float)),
                self._given,
                self._present,
            )
        )
        extents = dict.fromkeys(("mean_f2", "macro_f2"), np.int64(units.shape[0]))
        extents |= {"groups": groups, "worst_group_f2": groups[self.worst_group]}
        extents |= {"band_recall": bands_, "band_f2": bands_, "precision": given}
        extents |= dict.fromkeys(("recall", "f1", "f2"), support)
        for position, name in enumerate(bands.NAMES):
            extents[f"{name}_recall"] = bands_[position]
        return extents

    def statistics(self, weights):
        """Computes every figure for each weighting of the images.

        macro_f2 is the mean over labels with support of each label's F2, 5 TP /
        (4 support + given); band recall and band F2 are such means over a band's
        labels. A label without support, a precision of a label never given, and an
        empty group are not available (NaN), and means leave them out. The worst group
        is `worst_group` for every weighting. Were it the lowest of each resample, its
        figures would lie below the lowest of the data, since the minimum of noisy means
        is lower the noisier they are. Held fixed, its interval is that of the group,
        and that it was chosen after looking is not in it: in simulations it holds the
        group's true mean in 95 of 100 cases where one group is clearly the worst, in 93
        where three are as bad, in 83 where eight are, and is then too low.

        Args:
            weights: float64 [r, N].

        Returns:
            {name: float64 [r]} for `NAMES`; "groups" [r, G]; "band_recall" and
            "band_f2" [r, bands]; "precision", "recall", "f1" and "f2" [r, C].
        """
        found = {"mean_f2": weights @ self.per_image / weights.sum(axis=1)}
        found["groups"] = _ratio(weights @ self._group_f2, weights @ self._group)
        found["worst_group_f2"] = found["groups"][:, self.worst_group]
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


def _membership(clusters):
    """Clusters as a sparse matrix [K, N]."""
    _, cluster_of = np.unique(np.asarray(clusters), return_inverse=True)
    images = np.arange(len(cluster_of))
    return scipy.sparse.csr_array((np.ones(len(images)), (cluster_of, images)))


def _worst(sums, sizes):
    candidates = sizes >= MIN_WORST_GROUP
    if not candidates.any():
        candidates = sizes > 0
    return int(np.nanargmin(np.where(candidates, _ratio(sums, sizes), np.nan)))


def _sums(matrix, axis):
    return np.asarray(matrix.sum(axis=axis)).ravel()


def _ratio(numerator, denominator):
    nothing = np.full(numerator.shape, np.nan)
    return np.divide(numerator, denominator, out=nothing, where=denominator > 0)


def _mean_available(values):
    """Mean over the last axis of what is not NaN; NaN where all is."""
    available = np.sum(~np.isnan(values), axis=-1)
    return _ratio(np.nansum(values, axis=-1), available)
