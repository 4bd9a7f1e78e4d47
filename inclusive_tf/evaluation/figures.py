"""Figures of predictions, and paired differences between two, as JSON.

An interval is {"value", "low", "high", "n"}: the ends are a 95 % percentile bootstrap
over images, None stands where a figure is not available (an empty group is never 0),
and n is the number of images the figure rests on: all of them for mean and macro F2,
those that show a label of the band for a band, those that show the label for a class's
recall, F1 and F2, and those given it for its precision.
"""

import numpy as np

from data_pipelines import errors
from inclusive_tf import predictions as predictions_module
from inclusive_tf.evaluation import baselines, bootstrap, measures


def figures(predictions, threshold_logit, resamples=1000, seed=0):
    """Computes all figures of one set of predictions.

    How each is defined stands at `measures.Measures.statistics`; images of which no
    label is known are left out (`measures.with_known_labels`).

    Args:
        predictions: `predictions.Predictions` with truth.
        threshold_logit: float or [C]; a label is given from this logit on.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        {"n", "measures": {name: interval}, "worst_group": name, "groups": [{"name",
        "n", "mean_f2"}], "bands": [{"name", "labels", "recall", "f2"}], "classes":
        [{"id", "name", "training_count", "n", "precision", "recall", "f1", "f2"}]}.

    Raises:
        errors.DataError: there is no labelled image, or a logit is NaN.
    """
    predictions = measures.with_known_labels(predictions)
    found = measures.Measures(predictions, threshold_logit)
    point, resampled = bootstrap.distribution(
        [found.statistics], len(found), resamples, seed
    )
    ends = {name: bootstrap.interval_ends(values) for name, values in resampled.items()}

    def intervals(name, sizes):
        low, high = ends[name]
        columns = (point[name], low, high, sizes)
        return [bootstrap.interval(*row) for row in zip(*columns, strict=True)]

    sizes = _headline_sizes(found, point)
    names = predictions.group_names
    worst = int(np.nanargmin(point["groups"]))
    return {
        "n": len(found),
        "measures": {
            name: bootstrap.interval(point[name], *ends[name], sizes[name])
            for name in measures.NAMES
        },
        "worst_group": names[worst],
        "groups": [
            {"name": name, "n": int(size), "mean_f2": one}
            for name, size, one in zip(
                names,
                found.group_sizes,
                intervals("groups", found.group_sizes),
                strict=True,
            )
        ],
        "bands": _bands(predictions, found, intervals),
        "classes": _classes(predictions, found, intervals),
    }


def constant(predictions, chosen_from=None, resamples=1000, seed=0):
    """Computes the figures of the best constant answer.

    Args:
        predictions: `predictions.Predictions` to answer.
        chosen_from: `predictions.Predictions` whose truth chooses the answer, such as
            the tuning set's; None chooses on `predictions`, which flatters it.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        {"labels": ids, "positions": ints, "chosen_on": str, "figures": figures}.

    Raises:
        errors.DataError: the vocabularies differ, or no image shows a label.
    """
    chosen_on = "the same data: optimistic"
    if chosen_from is None:
        chosen_from = predictions
    else:
        predictions_module.require_same_vocabulary(predictions, chosen_from)
        chosen_on = str(chosen_from.source.get("split", "other data"))
    given = baselines.constant_answer(
        chosen_from.truth, unlisted_is_absent=chosen_from.unlisted_is_absent
    )
    answer = baselines.constant_predictions(predictions, given)
    return {
        "labels": [predictions.vocabulary.ids[label] for label in given],
        "positions": given.tolist(),
        "chosen_on": chosen_on,
        "figures": figures(answer, 0.0, resamples, seed),
    }


def _headline_sizes(found, point):
    sizes = dict.fromkeys(measures.NAMES, len(found))
    for band, size in zip(found.bands, found.band_sizes(), strict=True):
        sizes[f"{band.name}_recall"] = size
    sizes["worst_group_f2"] = found.group_sizes[np.nanargmin(point["groups"])]
    return sizes


def _bands(predictions, found, intervals):
    sizes = found.band_sizes()
    rows = zip(
        found.bands,
        intervals("band_recall", sizes),
        intervals("band_f2", sizes),
        strict=True,
    )
    ids = predictions.vocabulary.ids
    return [
        {
            "name": band.name,
            "labels": [ids[label] for label in band.labels],
            "recall": recall,
            "f2": f2,
        }
        for band, recall, f2 in rows
    ]


def _classes(predictions, found, intervals):
    columns = {
        "id": predictions.vocabulary.ids,
        "name": predictions.vocabulary.names,
        "training_count": np.asarray(predictions.training_counts).tolist(),
        "n": found.support.tolist(),
        "precision": intervals("precision", found.given_counts),
        "recall": intervals("recall", found.support),
        "f1": intervals("f1", found.support),
        "f2": intervals("f2", found.support),
    }
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def compare(
    before_predictions,
    before_threshold,
    after_predictions,
    after_threshold,
    resamples=1000,
    seed=0,
):
    """Computes after minus before on the same images, with paired intervals.

    Args:
        before_predictions: `predictions.Predictions` with truth.
        before_threshold: logit from which a label is given; float or [C].
        after_predictions: as before, of the same images in the same order.
        after_threshold: as before.
        resamples: of the bootstrap; both sides share each resample.
        seed: of the bootstrap.

    Returns:
        {"measures": {name: {"difference", "low", "high", "n"}}}; None where a measure
        is not available on one side.

    Raises:
        errors.DataError: images, truth, groups, training counts or vocabularies
            differ, or there is no labelled image.
    """
    return compare_seeds(
        [(before_predictions, before_threshold)],
        [(after_predictions, after_threshold)],
        resamples,
        seed,
    )


def compare_seeds(before, after, resamples=1000, seed=0):
    """Like `compare`, for several runs a side, paired seed by seed.

    Args:
        before: a list, one a seed, of (predictions, threshold_logit).
        after: such a list of the same length.
        resamples: of the bootstrap over images nested in seeds
            (`bootstrap.distribution`).
        seed: of the bootstrap.

    Returns:
        As `compare`; a difference is the mean over seeds.

    Raises:
        errors.DataError: as `compare`, or the lists differ in length or are empty.
    """
    if len(before) != len(after) or not before:
        raise errors.DataError(
            "a paired comparison needs one run before for each run after",
            expected="lists of equal length, not empty",
            received=f"{len(before)} and {len(after)}",
        )
    first = before[0][0]
    for predictions, _ in [*before, *after]:
        require_same_images(first, predictions)
    pairs = [
        [_prepared(*run) for run in pair] for pair in zip(before, after, strict=True)
    ]

    def difference_of(pair):
        def difference(weights):
            earlier, later = (side.headline(weights) for side in pair)
            return {name: later[name] - earlier[name] for name in measures.NAMES}

        return difference

    found = pairs[0][1]
    point, resampled = bootstrap.distribution(
        [difference_of(pair) for pair in pairs], len(found), resamples, seed
    )
    sizes = _headline_sizes(found, found.statistics(np.ones((1, len(found)))))
    return {
        "measures": {
            name: bootstrap.interval(
                point[name],
                *bootstrap.interval_ends(resampled[name]),
                sizes[name],
                key="difference",
            )
            for name in measures.NAMES
        }
    }


def _prepared(predictions, threshold_logit):
    predictions = measures.with_known_labels(predictions)
    return measures.Measures(predictions, threshold_logit)


def require_same_images(first, second):
    """Raises `errors.DataError` unless two predictions answer the same questions.

    That is: one vocabulary, the same ids in the same order, and for them the same
    truth and groups. The message names the first image that differs. Training counts
    must agree too, since they define head, middle and tail.
    """
    predictions_module.require_same_vocabulary(first, second)
    if len(first) != len(second):
        raise errors.DataError(
            "the predictions are of different images",
            expected=f"{len(first)} images",
            received=f"{len(second)}",
        )
    differing = np.flatnonzero(first.ids != second.ids)
    if len(differing):
        row = differing[0]
        raise errors.DataError(
            "the predictions are of different images, or in another order",
            expected=f"image {first.ids[row]} at position {row}",
            received=f"{second.ids[row]}",
        )
    if first.unlisted_is_absent != second.unlisted_is_absent:
        raise errors.DataError(
            "one side takes labels that are not stated as absent, the other as unknown"
        )
    row = _first_differing_truth(first.truth, second.truth)
    if row is not None:
        raise errors.DataError(
            "the predictions carry different truth", received=f"image {first.ids[row]}"
        )
    same_names = tuple(first.group_names) == tuple(second.group_names)
    if not same_names or np.any(first.group != second.group):
        raise errors.DataError("the predictions carry different groups")
    if np.any(first.training_counts != second.training_counts):
        raise errors.DataError(
            "the predictions carry different training counts, so head, middle and "
            "tail are not the same labels"
        )


def _first_differing_truth(first, second):
    differing = np.flatnonzero(np.diff(first.offsets) != np.diff(second.offsets))
    if len(differing):
        return differing[0]
    changed = (first.index != second.index) | (first.confidence != second.confidence)
    return first.rows()[np.argmax(changed)] if changed.any() else None
