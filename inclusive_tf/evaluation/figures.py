"""Figures of predictions, and paired differences between two, as JSON.

An interval is {"value", "low", "high", "n"}: the ends are a 95 % percentile bootstrap
over images, None stands where a figure is not available (an empty group is never 0),
and n is the number of images the figure rests on (`measures.Measures.images`). Where
the predictions say which images belong together, whole clusters are resampled, and
"clusters" stands beside n. A figure that rests on fewer than `bootstrap.MIN` images or
clusters keeps its value, and its ends are None.
"""

import numpy as np

from data_pipelines import errors
from inclusive_tf import predictions as predictions_module
from inclusive_tf.evaluation import baselines, bootstrap, measures

WORST_GROUP_CHOICE = (
    "after looking: the lowest mean F2 on these images, among groups of at least "
    f"{measures.MIN_WORST_GROUP} images unless all are smaller; its interval holds the "
    "group fixed and leaves the choice out"
)
"""Stands in the JSON beside the worst group's name."""


def figures(predictions, threshold_logit, resamples=1000, seed=0):
    """Computes all figures of one set of predictions.

    How each is defined stands at `measures.Measures.statistics`; images of which no
    label is known are left out (`measures.with_known_labels`). The worst group is
    chosen after looking at the scores, and its interval is that group's own.

    Args:
        predictions: `predictions.Predictions` with truth.
        threshold_logit: float or [C]; a label is given from this logit on.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        {"n", "clusters": how many, or None where images stand alone, "measures": {name:
        interval}, "worst_group": name, "worst_group_choice": `WORST_GROUP_CHOICE`,
        "groups": [{"name", "n", "mean_f2"}], "bands": [{"name", "labels", "recall",
        "f2"}], "classes": [{"id", "name", "training_count", "n", "precision", "recall",
        "f1", "f2"}]}.

    Raises:
        errors.DataError: there is no labelled image, or a logit is NaN.
    """
    predictions = measures.with_known_labels(predictions)
    found = measures.Measures(predictions, threshold_logit)
    intervals = _intervals(
        [found.statistics], [found], predictions.cluster, resamples, seed
    )
    names = predictions.group_names
    group_rows = zip(
        names, found.images["groups"].tolist(), intervals["groups"], strict=True
    )
    return {
        "n": len(found),
        "clusters": _number_of_clusters(found),
        "measures": {name: intervals[name] for name in measures.NAMES},
        "worst_group": names[found.worst_group],
        "worst_group_choice": WORST_GROUP_CHOICE,
        "groups": [
            {"name": name, "n": size, "mean_f2": one} for name, size, one in group_rows
        ],
        "bands": _bands(predictions, found, intervals),
        "classes": _classes(predictions, found, intervals),
    }


def _intervals(statistics, sides, cluster, resamples, seed, key="value"):
    """Returns {name: interval, or a list of them} of what `statistics` compute.

    Each rests on the fewest images and clusters that it rests on in one of `sides`.
    """
    point, resampled = bootstrap.distribution(
        statistics, len(sides[0]), resamples, seed, cluster
    )
    found = {}
    for name, values in point.items():
        columns = [values, *bootstrap.interval_ends(resampled[name])]
        columns.append(np.min([side.images[name] for side in sides], axis=0))
        if cluster is not None:
            columns.append(np.min([side.clusters[name] for side in sides], axis=0))
        if np.ndim(values):
            rows = zip(*columns, strict=True)
            found[name] = [bootstrap.interval(*row, key=key) for row in rows]
        else:
            found[name] = bootstrap.interval(*columns, key=key)
    return found


def _number_of_clusters(found):
    return None if found.clusters is None else int(found.clusters["mean_f2"])


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
        errors.DataError: the vocabularies differ, the two share images, or no image
            shows a label.
    """
    chosen_on = "the same data: optimistic"
    if chosen_from is None:
        chosen_from = predictions
    else:
        predictions_module.require_same_vocabulary(predictions, chosen_from)
        shared = np.intersect1d(predictions.ids, chosen_from.ids)
        if len(shared):
            raise errors.DataError(
                "the constant answer would be chosen on images that it is scored on",
                expected="other images; leave these out first",
                received=f"{len(shared)} shared, first {', '.join(shared[:3])}",
            )
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


def _bands(predictions, found, intervals):
    rows = zip(found.bands, intervals["band_recall"], intervals["band_f2"], strict=True)
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
        "n": found.images["recall"].tolist(),
    }
    columns |= {name: intervals[name] for name in ("precision", "recall", "f1", "f2")}
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

    Each side has its own worst group, chosen after looking at its scores and held fixed
    in the resamples; "worst_group_f2" is the difference between the two.

    Args:
        before_predictions: `predictions.Predictions` with truth.
        before_threshold: logit from which a label is given; float or [C].
        after_predictions: as before, of the same images in the same order.
        after_threshold: as before.
        resamples: of the bootstrap; both sides share each resample.
        seed: of the bootstrap.

    Returns:
        {"measures": {name: {"difference", "low", "high", "n"}}, "worst_groups": a
        list, one a seed, of {"before": name, "after": name}, "worst_group_choice":
        `WORST_GROUP_CHOICE`, "clusters": how many or None}; None where a measure is
        not available on one side. The worst group's n is the smaller one's.

    Raises:
        errors.DataError: images, truth, groups, clusters, training counts or
            vocabularies differ, or there is no labelled image.
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

    cluster = measures.with_known_labels(first).cluster
    names = first.group_names
    return {
        "measures": _intervals(
            [difference_of(pair) for pair in pairs],
            [side for pair in pairs for side in pair],
            cluster,
            resamples,
            seed,
            key="difference",
        ),
        "worst_groups": [
            {"before": names[earlier.worst_group], "after": names[later.worst_group]}
            for earlier, later in pairs
        ],
        "worst_group_choice": WORST_GROUP_CHOICE,
        "clusters": _number_of_clusters(pairs[0][0]),
    }


def headline_of_seeds(runs, resamples=1000, seed=0):
    """Computes the headline figures of several runs of one recipe, a seed each.

    Args:
        runs: a list, one a seed, of (predictions, threshold_logit) on the same images.
        resamples: of the bootstrap over images nested in seeds
            (`bootstrap.distribution`).
        seed: of the bootstrap.

    Returns:
        {name of `measures.NAMES`: interval of its mean over seeds}.

    Raises:
        errors.DataError: as `compare`, or there is no run.
    """
    if not runs:
        raise errors.DataError("there is no run to compute figures of")
    for predictions, _ in runs:
        require_same_images(runs[0][0], predictions)
    sides = [_prepared(*run) for run in runs]
    return _intervals(
        [side.headline for side in sides],
        sides,
        measures.with_known_labels(runs[0][0]).cluster,
        resamples,
        seed,
    )


def _prepared(predictions, threshold_logit):
    predictions = measures.with_known_labels(predictions)
    return measures.Measures(predictions, threshold_logit)


def require_same_images(first, second):
    """Raises `errors.DataError` unless two predictions answer the same questions.

    That is: one vocabulary, the same ids in the same order, and for them the same
    truth, groups and clusters. The message names the first image that differs. Training
    counts must agree too, since they define head, middle and tail.
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
    if not np.array_equal(first.cluster, second.cluster):
        raise errors.DataError(
            "the predictions carry different clusters",
            expected="the same on both sides; predict both again",
        )
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
