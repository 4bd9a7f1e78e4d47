"""Which classes could be merged, and what that would do to the figures.

Classes that cannot be told apart hang together: where a is confused with b and b with
c, the three are one cluster, of which all pairs or some are inseparable. A merge makes
one class of several: shown where any is, given where any is. It removes their confusion
from the figures and every distinction between them from the model's answers; that some
figure rises is no argument for it by itself, which is why both are shown.
"""

import dataclasses

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from data_pipelines import errors, labels
from inclusive_tf.evaluation import bootstrap, measures

FIGURES = ("mean_f2", "macro_f2")
"""What is said of a merge."""


@dataclasses.dataclass(frozen=True)
class Proposal:
    """Classes that might become one.

    Args:
        classes: their positions; all become the first, that of most training images.
        not_apart: pairs of them that cannot be told apart.
    """

    classes: tuple
    not_apart: int

    @property
    def pairs(self):
        """How many pairs of them there are."""
        return len(self.classes) * (len(self.classes) - 1) // 2


def proposals(pairs, training_counts, most_pairs):
    """Proposes merges: the first pairs that cannot be told apart, and all clusters.

    Args:
        pairs: what `confusions.pairs` returned.
        training_counts: int [C].
        most_pairs: pairs proposed, at most; clusters are made of all pairs.

    Returns:
        list of `Proposal`: pairs in their order, then clusters of three or more
        classes, of most pairs that cannot be told apart first.
    """
    joined = [
        (pair["a"]["position"], pair["b"]["position"])
        for pair in pairs
        if not pair["apart"]
    ]
    found = [_proposal(pair, 1, training_counts) for pair in joined[:most_pairs]]
    if not joined:
        return found
    size = len(training_counts)
    first, second = np.array(joined).T
    graph = sparse.coo_array((np.ones(len(joined)), (first, second)), (size, size))
    _, cluster = csgraph.connected_components(graph, directed=False)
    clusters = [
        _proposal(
            np.flatnonzero(cluster == name).tolist(),
            int(np.count_nonzero(cluster[first] == name)),
            training_counts,
        )
        for name in np.unique(cluster[first])
        if np.count_nonzero(cluster == name) > 2
    ]
    return found + sorted(clusters, key=lambda one: -one.not_apart)


def _proposal(positions, not_apart, training_counts):
    order = sorted(positions, key=lambda label: (-training_counts[label], label))
    return Proposal(tuple(order), not_apart)


def merged(predictions, threshold_logit, classes):
    """Makes one class of several.

    Args:
        predictions: `predictions.Predictions`.
        threshold_logit: float or [C].
        classes: positions of different labels; all become the first, to whose count of
            training images theirs are added, though some images may have shown several.

    Returns:
        `predictions.Predictions` without the other labels, whose logits are how far
        each is above its threshold, so that 0 is the threshold of all of them.

    Raises:
        errors.DataError: a label stands twice.
    """
    into, *others = classes = list(classes)
    vocabulary = predictions.vocabulary
    if len(set(classes)) < len(classes):
        raise errors.DataError(
            "a label cannot be merged with itself",
            received=", ".join(vocabulary.ids[label] for label in classes),
        )
    above = np.asarray(predictions.logits, np.float64) - threshold_logit
    above[:, into] = above[:, classes].max(axis=1)
    targets = predictions.truth.targets(unlisted_is_absent=False)
    any_shown = targets[:, classes].max(axis=1)
    # absent is only what all are
    unknown = (any_shown < labels.PRESENT) & (
        targets[:, classes].min(axis=1) == labels.UNKNOWN
    )
    targets[:, into] = np.where(unknown, labels.UNKNOWN, any_shown)
    kept = np.ones(len(vocabulary), bool)
    kept[others] = False
    counts = np.array(predictions.training_counts)
    counts[into] = counts[classes].sum()
    ids, names = (
        [name for name, keep in zip(all_, kept, strict=True) if keep]
        for all_ in (vocabulary.ids, vocabulary.names)
    )
    return dataclasses.replace(
        predictions,
        logits=above[:, kept].astype(np.float32),
        truth=_sparse(targets[:, kept]),
        training_counts=counts[kept],
        vocabulary=labels.Vocabulary(ids, names),
        kernel=None,
        bias=None,
    )


def _sparse(targets):
    """`labels.SparseLabels` of what is stated in dense targets."""
    stated = targets != labels.UNKNOWN
    rows, index = np.nonzero(stated)
    return labels.SparseLabels(
        np.concatenate([[0], np.cumsum(stated.sum(axis=1))]).astype(np.int64),
        index.astype(np.int32),
        targets[rows, index].astype(np.float32),
        targets.shape[1],
    )


def effect(predictions, threshold_logit, classes, resamples=1000, seed=0):
    """Computes figures with the merged class minus those without, paired.

    Args:
        predictions: `predictions.Predictions` with truth.
        threshold_logit: float or [C].
        classes: positions, as for `merged`.
        resamples: of the bootstrap; both sides share each resample.
        seed: of the bootstrap.

    Returns:
        {name of `FIGURES`: {"before", "after", "difference", "low", "high", "n"}}.

    Raises:
        errors.DataError: as `merged`, or there is no labelled image.
    """
    predictions = measures.with_known_labels(predictions)
    before = measures.Measures(predictions, threshold_logit)
    after = measures.Measures(merged(predictions, threshold_logit, classes), 0.0)
    sides = (before, after)

    def statistics(weights):
        found = [side.headline(weights) for side in sides]
        differences = {name: found[1][name] - found[0][name] for name in FIGURES}
        values = {
            f"{when} {name}": one[name]
            for when, one in zip(("before", "after"), found, strict=True)
            for name in FIGURES
        }
        return differences | values

    point, resampled = bootstrap.distribution(
        [statistics], len(before), resamples, seed, predictions.cluster
    )
    clusters = None
    if before.clusters is not None:
        clusters = int(before.clusters["mean_f2"])
    return {
        name: {
            "before": float(point[f"before {name}"]),
            "after": float(point[f"after {name}"]),
        }
        | bootstrap.interval(
            point[name],
            *bootstrap.interval_ends(resampled[name]),
            len(before),
            clusters,
            key="difference",
        )
        for name in FIGURES
    }
