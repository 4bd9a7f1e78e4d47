"""Classes that a model cannot tell apart, and what merging them would do.

Of the images that show a and not b, those that are given b and not a are confused with
b; the other way round likewise. Two classes cannot be told apart where the 95 % Wilson
intervals of both shares lie above `LEAST`. A merge makes one class of the two: shown
where either is, given where either is. It removes their confusion from the figures and
every distinction between them from the model's answers; that some figure rises is no
argument for it by itself, which is why both are shown.
"""

import dataclasses

import numpy as np

from data_pipelines import errors, labels
from inclusive_tf.evaluation import bootstrap, f2, measures
from inclusive_tf.exploration import intervals

LEAST = 0.1
"""Share of confused images that both intervals lie above."""

FIGURES = ("mean_f2", "macro_f2")
"""What is said of a merge."""


def pairs(predictions, threshold_logit, most=50):
    """Finds the pairs that are confused most.

    Args:
        predictions: `predictions.Predictions` with truth.
        threshold_logit: float or [C]; a label is given from this logit on.
        most: pairs, at most.

    Returns:
        A list of dicts, those that cannot be told apart first, of these and of the
        others the pair with the larger smaller share first: "a" and "b", {"id", "name",
        "position"}; "as_b" and "as_a", the share of a's images that are confused with b
        and the other way round, each {"value", "low", "high", "n", "images"}; "apart",
        whether they can be told apart.
    """
    given, shown, known = _decided(predictions, threshold_logit)
    size = given.shape[1]
    confused = np.empty((size, size), np.int64)
    images = np.empty((size, size), np.int64)
    for label in range(size):
        # images that show the label, and of which it is known that not the other
        only = shown[:, label, None] & ~shown & known
        images[label] = only.sum(axis=0)
        wrongly = only & ~given[:, label, None] & given
        confused[label] = wrongly.sum(axis=0)
    share = confused / np.maximum(images, 1)
    low, high = (np.where(images > 0, end, 0.0) for end in _wilson(confused, images))
    first, second = np.triu_indices(size, 1)
    both_low = np.minimum(low[first, second], low[second, first])
    both = np.minimum(share[first, second], share[second, first])
    some = np.flatnonzero(
        (confused[first, second] + confused[second, first] > 0)
        & (images[first, second] > 0)
        & (images[second, first] > 0)
    )
    order = some[np.lexsort((-both[some], both_low[some] < LEAST))][:most]

    def side(a, b):
        return {
            "value": float(share[a, b]), "low": float(low[a, b]),
            "high": float(high[a, b]), "n": int(images[a, b]),
            "images": int(confused[a, b]),
        }  # fmt: skip

    def class_(label):
        return {"id": predictions.vocabulary.ids[label],
                "name": predictions.vocabulary.names[label],
                "position": int(label)}  # fmt: skip

    return [
        {
            "a": class_(a),
            "b": class_(b),
            "as_b": side(a, b),
            "as_a": side(b, a),
            "apart": bool(min(low[a, b], low[b, a]) < LEAST),
        }
        for a, b in zip(first[order].tolist(), second[order].tolist(), strict=True)
    ]


def _decided(predictions, threshold_logit):
    given = f2.decisions(predictions.logits, threshold_logit).multi_hot()
    targets = predictions.truth.targets(predictions.unlisted_is_absent)
    return given, targets >= labels.PRESENT, targets != labels.UNKNOWN


def _wilson(successes, trials):
    # without trials nothing is known; the caller leaves these out
    return intervals.wilson(successes, np.maximum(trials, 1))


def merged(predictions, threshold_logit, a, b):
    """Makes one class of two.

    Args:
        predictions: `predictions.Predictions`.
        threshold_logit: float or [C].
        a: position of the label that stays.
        b: position of the label that becomes it; its count of training images is added,
            though some images may have shown both.

    Returns:
        `predictions.Predictions` over C - 1 labels, whose logits are how far each is
        above its threshold, so that 0 is the threshold of all of them.

    Raises:
        errors.DataError: the two are one label.
    """
    if a == b:
        raise errors.DataError(
            "a label cannot be merged with itself",
            received=predictions.vocabulary.ids[a],
        )
    above = np.asarray(predictions.logits, np.float64) - threshold_logit
    above[:, a] = np.maximum(above[:, a], above[:, b])
    targets = predictions.truth.targets(unlisted_is_absent=False)
    either = np.maximum(targets[:, a], targets[:, b])
    # absent is only what both are
    absent = (either < labels.PRESENT) & (
        np.minimum(targets[:, a], targets[:, b]) == labels.UNKNOWN
    )
    targets[:, a] = np.where(absent, labels.UNKNOWN, either)
    kept = np.arange(len(predictions.vocabulary)) != b
    counts = np.array(predictions.training_counts)
    counts[a] += counts[b]
    vocabulary = predictions.vocabulary
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


def effect_of_merging(predictions, threshold_logit, a, b, resamples=1000, seed=0):
    """Computes figures with the merged class minus those without, paired.

    Args:
        predictions: `predictions.Predictions` with truth.
        threshold_logit: float or [C].
        a, b: positions, as for `merged`.
        resamples: of the bootstrap; both sides share each resample.
        seed: of the bootstrap.

    Returns:
        {name of `FIGURES`: {"before", "after", "difference", "low", "high", "n"}}.

    Raises:
        errors.DataError: as `merged`, or there is no labelled image.
    """
    predictions = measures.with_known_labels(predictions)
    before = measures.Measures(predictions, threshold_logit)
    after = measures.Measures(merged(predictions, threshold_logit, a, b), 0.0)
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
