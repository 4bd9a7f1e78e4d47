"""A whole audit: label suspects, classes, shortcuts and what to collect, as JSON."""

import collections
import dataclasses

import numpy as np

from data_pipelines import errors
from inclusive_tf.audit import (
    collecting,
    confusions,
    inputs,
    label_suspects,
    merging,
    out_of_sample,
    shortcuts,
)
from inclusive_tf.evaluation import bands, f2, measures

MOST_MERGES = 8
"""Merges of two whose effect is computed: of the first pairs not told apart."""


@dataclasses.dataclass(frozen=True)
class AuditConfig:
    """How an audit is made.

    Args:
        way: one of `out_of_sample.WAYS`, or "auto": a refit for images that the network
            was trained on and for several networks that have features, else the logits
            as they are.
        folds, neighbours: as for `out_of_sample.WayConfig`.
        pairs: pairs of classes that are listed.
        collect: cells that are listed to collect next.
        resamples: of the bootstrap.
        seed: of the bootstrap and of the folds.
    """

    way: str = "auto"
    folds: int = 5
    neighbours: int = 20
    pairs: int = 30
    collect: int = 30
    resamples: int = 1000
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Context:
    """What is known beside the predictions; every part may be missing.

    Args:
        attributes: `image_attributes.Attributes` of all images of the predictions that
            are judged, in their order.
        training: `shortcuts.Training`.
        training_cells: int [C, G]; training images of each class, by group of the
            predictions that are judged.
        unread: ids of training images that could not be measured.
        exposure: {label id: draws an epoch that show it}, after resampling.
    """

    attributes: object = None
    training: shortcuts.Training | None = None
    training_cells: np.ndarray | None = None
    unread: tuple = ()
    exposure: dict | None = None


def label_logits(parts, config):
    """Computes the logits that labels are doubted with.

    Args:
        parts: list of `predictions.Predictions`; of several networks each is judged by
            itself, since their features cannot be compared.
        config: `AuditConfig`.

    Returns:
        (float64 [N, C] for the images of all parts, the `WayConfig` that made them).

    Raises:
        errors.DataError: as `out_of_sample.logits`, and with "auto" as
            `inputs.learnt_from`.
    """
    whole = inputs.stacked(parts)
    several = len(parts) > 1 and not whole.features.shape[1]
    name = config.way
    if name == "auto":
        networks = several and all(part.features.shape[1] for part in parts)
        refitted = networks or inputs.learnt_from(whole)
        name = "refit" if refitted else "held_out"
    way = out_of_sample.WayConfig(name, config.folds, config.neighbours, config.seed)
    if not several:
        return out_of_sample.logits(whole, way), way
    return np.concatenate([out_of_sample.logits(part, way) for part in parts]), way


def audit(parts, judged, threshold_logit, config, context=None):
    """Makes an audit.

    Args:
        parts: list of `predictions.Predictions` of different images, whose labels are
            doubted.
        judged: `predictions.Predictions` whose errors are looked at; None takes the
            same images, by their out-of-sample logits.
        threshold_logit: float or [C]; a label of `judged` is given from it on.
        config: `AuditConfig`.
        context: `Context`.

    Returns:
        (figures that JSON can hold, list of `suspects.Suspect`).

    Raises:
        errors.DataError: there are fewer than two labels, the attributes are of other
            images, and as the modules of this package say.
        errors.MissingExtraError: cleanlab is not installed.
    """
    context = context or Context()
    label_suspects.require()
    predictions = inputs.stacked(parts)
    _require_classes(predictions)
    logits, way = label_logits(parts, config)
    doubts = label_suspects.find(predictions, logits)
    same = judged is None
    if same:
        judged = dataclasses.replace(
            predictions, logits=logits.astype(np.float32), kernel=None, bias=None
        )
    _require_classes(judged)
    judged, context = _known(judged, context)
    figures = {
        "images": len(predictions),
        "labels": len(predictions.vocabulary),
        "way": dataclasses.asdict(way),
        "doubts": _doubts(predictions, doubts),
        "judged": {
            "images": len(judged),
            "same": same,
            "source": judged.source,
            "clusters": _clusters(judged),
        },
    }
    return figures | _errors(judged, threshold_logit, config, context), doubts.suspects


def _clusters(judged):
    """How many there are, where one has several images; else None."""
    if judged.cluster is None:
        return None
    count = len(np.unique(judged.cluster))
    return count if count < len(judged) else None


def _known(judged, context):
    """Leaves out images of which nothing is known, and their attributes with them."""
    known = measures.with_known_labels(judged)
    attributes = context.attributes
    if attributes is None:
        return known, context
    if len(attributes) != len(judged):
        raise errors.DataError(
            "the attributes are of other images than the predictions",
            expected=f"attributes of {len(judged):,} images",
            received=f"{len(attributes):,}",
        )
    kept = inputs.places(judged.ids, known.ids)
    return known, dataclasses.replace(context, attributes=attributes.take(kept))


def _require_classes(predictions):
    shown = np.count_nonzero(predictions.truth.counts())
    if shown < 2:
        raise errors.DataError(
            "an audit compares classes",
            expected="images that show at least 2 different labels",
            received=f"{shown}",
        )


def _doubts(predictions, doubts):
    """Counts of the suspects."""
    vocabulary = predictions.vocabulary
    band_of = {
        int(label): band.name
        for band in bands.bands(predictions.truth.counts(), vocabulary)
        for label in band.labels
    }
    given = predictions.truth.counts().tolist()
    return {
        "rows": len(doubts.suspects),
        "images": len({suspect.id for suspect in doubts.suspects}),
        "kinds": dict(collections.Counter(one.kind for one in doubts.suspects)),
        "classes": [
            {
                "id": identity,
                "name": vocabulary.names[label],
                "band": band_of[label],
                "given": given[label],
                "wrong": int(doubts.wrong[label]),
                "missing": int(doubts.missing[label]),
                "judged": bool(doubts.judged[label]),
            }
            for label, identity in enumerate(vocabulary.ids)
        ],
    }


def _errors(judged, threshold_logit, config, context):
    counts = f2.counts(
        judged.logits, threshold_logit, judged.truth, judged.unlisted_is_absent
    )
    wrong = (counts.given - counts.hits).sum() + (counts.present - counts.hits).sum()
    missing = ""
    if not wrong:
        missing = (
            f"all answers of {len(judged):,} images are right; where the network was "
            "trained on them, judge others"
        )
    pairs = confusions.pairs(judged, threshold_logit, config.pairs)
    cells = collecting.cells(judged, threshold_logit, context.training_cells)
    return {
        "no_errors": missing,
        "unread": {
            "images": len(context.unread),
            "first": context.unread[0] if context.unread else None,
        },
        "pairs": pairs,
        "merges": _merges(judged, threshold_logit, config, pairs),
        "shortcuts": (
            {"missing": missing}
            if missing
            else _shortcuts(judged, threshold_logit, context)
        ),
        "classes": _classes(judged, context),
        "cells": cells,
        "collect": collecting.next_(cells, config.collect),
    }


def _merges(judged, threshold_logit, config, pairs):
    """What each proposed merge would do; clusters of classes after pairs."""

    def class_(label):
        return {
            "id": judged.vocabulary.ids[label], "name": judged.vocabulary.names[label]
        }  # fmt: skip

    proposed = merging.proposals(pairs, judged.training_counts, MOST_MERGES)
    return [
        {
            "into": class_(one.classes[0]),
            "from": [class_(label) for label in one.classes[1:]],
            "not_apart": one.not_apart,
            "pairs": one.pairs,
        }
        | merging.effect(
            judged, threshold_logit, one.classes, config.resamples, config.seed
        )
        for one in proposed
    ]


def _shortcuts(judged, threshold_logit, context):
    attributes = shortcuts.columns(context.attributes, judged.group, judged.group_names)
    if not attributes:
        return {"missing": "all images are of one group, and no image was measured"}
    return shortcuts.find(judged, threshold_logit, attributes, context.training)


def _classes(judged, context):
    """Exposure and count of every class."""
    exposure = context.exposure or {}
    shown = judged.truth.counts().tolist()
    return [
        {
            "id": identity,
            "name": judged.vocabulary.names[label],
            "training": int(judged.training_counts[label]),
            "exposure": exposure.get(identity),
            "n": shown[label],
        }
        for label, identity in enumerate(judged.vocabulary.ids)
    ]
