"""Whether the right label is among the most likely: top-1, top-5, a class at a time.

An image that shows label c counts for c; it is right at k where c is among its k most
likely labels. With one label an image, the mean over images is top-k accuracy; with
several it is the recall of labels. Macro figures are means over classes that at least
`MIN` images show, and say how many those are: one lucky image of a class of one is no
figure.
"""

import numpy as np
import scipy.sparse

from data_pipelines import errors
from inclusive_tf import chunks
from inclusive_tf.evaluation import bootstrap

KS = (1, 5)
MIN = 10
"""Images that must show a class for it to count in macro figures."""

NAMES = tuple(f"{part}top_{k}" for part in ("", "macro_") for k in KS)

_CHUNK_CELLS = 1 << 18
"""Logits ranked in one go: a few MB with their positions."""


class Ranked:
    """What the figures are made of.

    Args:
        ranking: int [N, k], the most likely labels of each image, best first; k at
            least 5, or all labels.
        truth: `labels.SparseLabels` of N rows.

    Attributes:
        support: int64 [C], images that show each label.

    Raises:
        errors.DataError: nothing is shown, or rows are missing.
    """

    def __init__(self, ranking, truth):
        ranking, shown = np.asarray(ranking), truth.present()
        if len(ranking) != len(truth):
            raise errors.DataError(
                "a ranking has a row for each image",
                expected=f"{len(truth)} rows",
                received=f"{len(ranking)}",
            )
        if not len(shown.index):
            raise errors.DataError("no image shows any label to rank")
        rows = shown.rows()
        same = ranking[rows] == shown.index[:, None]
        shape = (len(truth), truth.num_classes)
        self._present = scipy.sparse.csr_array(
            (np.ones(len(rows)), (rows, shown.index)), shape
        )
        self._hits = {
            k: scipy.sparse.csr_array(
                (same[:, :k].any(axis=1).astype(float), (rows, shown.index)), shape
            )
            for k in KS
        }
        self.support = truth.counts()

    def __len__(self):
        return self._present.shape[0]

    def statistics(self, weights):
        """Computes the figures for each weighting of the images.

        Args:
            weights: float64 [r, N].

        Returns:
            {name of `NAMES`: float64 [r]; "class_top_1", "class_top_5": [r, C]}; NaN
            where nothing shows a label.
        """
        support = weights @ self._present
        found = {}
        for k in KS:
            hits = weights @ self._hits[k]
            shares = np.divide(
                hits, support, out=np.full(hits.shape, np.nan), where=support > 0
            )
            found[f"top_{k}"] = hits.sum(axis=1) / support.sum(axis=1)
            counted = self.support >= MIN
            found[f"macro_top_{k}"] = (
                np.nanmean(shares[:, counted], axis=1)
                if counted.any()
                else np.full(len(weights), np.nan)
            )
            found[f"class_top_{k}"] = shares
        return found

    def headline(self, weights):
        """Returns only the figures of `NAMES` from `statistics`."""
        found = self.statistics(weights)
        return {name: found[name] for name in NAMES}


def of_logits(logits, most=KS[-1]):
    """Returns int64 [N, k]: the most likely labels, best first; ties by position."""
    logits = np.asarray(logits)
    size, classes = logits.shape
    ranking = np.empty((size, min(most, classes)), np.int64)
    for rows in chunks.rows(logits, _CHUNK_CELLS):
        ranking[rows] = _likeliest(-logits[rows], most)
    return ranking


def _likeliest(falling, most):
    """Positions of the smallest values of each row, as a stable sort has them."""
    if most >= falling.shape[1]:
        return np.argsort(falling, axis=1, kind="stable")
    found = np.argpartition(falling, most - 1, axis=1)[:, :most]
    found.sort(axis=1)
    values = np.take_along_axis(falling, found, axis=1)
    order = np.argsort(values, axis=1, kind="stable")
    found = np.take_along_axis(found, order, axis=1)
    # more values as small as the last of these, or NaN: which come first is open
    last = np.take_along_axis(falling, found[:, -1:], axis=1)
    unsure = np.count_nonzero(falling <= last, axis=1) != most
    found[unsure] = np.argsort(falling[unsure], axis=1, kind="stable")[:, :most]
    return found


def figures(rankings, truth, cluster=None, resamples=1000, seed=0):
    """Computes the figures of one recipe over seeds, with intervals.

    Args:
        rankings: list, one a seed, of int [N, k].
        truth: `labels.SparseLabels` of N rows.
        cluster: int [N] or None; what is resampled together.
        resamples: of the bootstrap over images nested in seeds.
        seed: of the bootstrap.

    Returns:
        {"measures": {name: interval}, "macro_classes": how many classes count in macro
        figures, "classes": [{"n", "top_1", "top_5"}] in the order of the labels}.
    """
    sides = [Ranked(ranking, truth) for ranking in rankings]
    return {
        "measures": _intervals(
            [side.headline for side in sides], sides[0], cluster, resamples, seed
        ),
        "macro_classes": int(np.count_nonzero(sides[0].support >= MIN)),
        "classes": _classes(sides),
    }


def differences(before, after, truth, cluster=None, resamples=1000, seed=0):
    """Computes after minus before, paired by seed and image.

    Args:
        before: list, one a seed, of int [N, k].
        after: such a list of the same length.
        truth: as in `figures`.
        cluster: as in `figures`.
        resamples: as in `figures`.
        seed: as in `figures`.

    Returns:
        {name of `NAMES`: interval with "difference"}.
    """
    pairs = [
        (Ranked(first, truth), Ranked(second, truth))
        for first, second in zip(before, after, strict=True)
    ]

    def difference_of(pair):
        def difference(weights):
            earlier, later = (side.headline(weights) for side in pair)
            return {name: later[name] - earlier[name] for name in NAMES}

        return difference

    return _intervals(
        [difference_of(pair) for pair in pairs],
        pairs[0][0],
        cluster,
        resamples,
        seed,
        "difference",
    )


def _intervals(statistics, side, cluster, resamples, seed, key="value"):
    point, resampled = bootstrap.distribution(
        statistics, len(side), resamples, seed, cluster
    )
    clusters = None if cluster is None else len(np.unique(cluster))
    return {
        name: bootstrap.interval(
            value, *bootstrap.interval_ends(resampled[name]), len(side), clusters, key
        )
        for name, value in point.items()
    }


def _classes(sides):
    every = np.ones((1, len(sides[0])))
    found = [side.statistics(every) for side in sides]
    rows = []
    for label, support in enumerate(sides[0].support.tolist()):
        row = {"n": support}
        for k in KS:
            value = float(np.mean([one[f"class_top_{k}"][0, label] for one in found]))
            row[f"top_{k}"] = value if support else None
        rows.append(row)
    return rows
