"""How many planted errors an audit finds, overall and by band."""

import numpy as np
from scipy import special

from data_pipelines import suspects
from inclusive_tf.evaluation import bands
from inclusive_tf.exploration import intervals


def found(rows, planted, training_counts, vocabulary):
    """Looks for planted images among the first as many suspicious images as planted.

    Args:
        rows: `suspects.Suspect`s, the surest first; an image counts once, where it
            stands first.
        planted: {image id: (label id that was shown, label id given instead)}.
        training_counts: int [C]; images that are given each label, for the bands.
        vocabulary: `labels.Vocabulary`.

    Returns:
        {"planted", "listed" (images), "precision": of the first as many as planted, a
        {"value", "low", "high", "n"} with Wilson's interval; "replacement": of those
        found, the share whose wrong and shown label are both named; "bands": [{"name",
        "given": share found of the planted ones whose wrong label is in the band,
        "shown": of those whose true label is}]}; value None where n is 0.
    """
    order = list(dict.fromkeys(row.id for row in rows))
    first = order[: len(planted)]
    hits = set(first) & set(planted)
    band_of = {
        vocabulary.ids[label]: band.name
        for band in bands.bands(training_counts, vocabulary)
        for label in band.labels
    }
    named = {}
    for row in rows:
        named.setdefault(row.id, (set(), set()))
        named[row.id][0].add(row.label)
        named[row.id][1].add(row.new_label)
    right = [
        planted[i][1] in named[i][0] and planted[i][0] in named[i][1] for i in hits
    ]

    def part(name, side):
        inside = [i for i, pair in planted.items() if band_of[pair[side]] == name]
        return intervals.share(sum(i in hits for i in inside), len(inside))

    return {
        "planted": len(planted),
        "listed": len(order),
        "precision": intervals.share(len(hits), len(planted)),
        "replacement": intervals.share(sum(right), len(right)),
        "bands": [
            {"name": name, "given": part(name, 1), "shown": part(name, 0)}
            for name in bands.NAMES
        ],
    }


def by_cleanlab(predictions, logits):
    """Orders images as cleanlab does, for comparison; names no label.

    Args:
        predictions: `predictions.Predictions` of N images, unlisted labels absent.
        logits: float [N, C]; out-of-sample.

    Returns:
        list of N `suspects.Suspect`s of kind "image", the lowest
        `get_label_quality_scores` first.
    """
    from cleanlab import multilabel_classification

    given = [np.flatnonzero(row).tolist() for row in predictions.truth.multi_hot()]
    scores = multilabel_classification.get_label_quality_scores(
        given, special.expit(np.asarray(logits, np.float64))
    )
    return [
        suspects.Suspect(str(predictions.ids[row]), "image", "", "", 1 - scores[row])
        for row in np.argsort(scores, kind="stable")
    ]
