"""Predictions folders brought together for an audit."""

import dataclasses

import numpy as np
import pandas as pd

from data_pipelines import errors, labels
from inclusive_tf import predictions as predictions_module


def load(folders):
    """Returns a list of the `predictions.Predictions` of these folders.

    Raises:
        errors.DataError: a folder cannot be read, or there is none.
    """
    if not folders:
        raise errors.DataError("there are no predictions to audit")
    return [predictions_module.load(folder) for folder in folders]


def stacked(found):
    """Makes one of predictions of different images.

    Args:
        found: list of `predictions.Predictions`, of one model or of several, such as
            one a fold of a cross-validation.

    Returns:
        `predictions.Predictions`. Features of several models cannot be compared, so
        they are left out (width 0) with the last layer. Training counts are the largest
        of each label.

    Raises:
        errors.DataError: vocabularies differ, an image stands in two of them, or some
            have clusters and some not.
    """
    first = found[0]
    if len(found) == 1:
        return first
    for one in found[1:]:
        predictions_module.require_same_vocabulary(first, one)
        if one.unlisted_is_absent != first.unlisted_is_absent:
            raise errors.DataError(
                "one side takes labels that are not stated as absent, the other as "
                "unknown"
            )
        if (one.cluster is None) != (first.cluster is None):
            raise errors.DataError(
                "some predictions say which images belong together, and some do not"
            )
    ids = np.concatenate([one.ids for one in found])
    unique, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise errors.DataError(
            "an image stands in two of the predictions",
            expected="folders of different images",
            received=str(unique[np.argmax(counts > 1)]),
        )
    models = {(one.layer_hash, one.variant) for one in found}
    alike = len(models) == 1 and first.kernel is not None
    names = tuple(dict.fromkeys(name for one in found for name in one.group_names))
    place = {name: number for number, name in enumerate(names)}
    return dataclasses.replace(
        first,
        ids=ids,
        logits=np.concatenate([one.logits for one in found]),
        features=(
            np.concatenate([one.features for one in found])
            if alike
            else np.zeros((len(ids), 0), np.float32)
        ),
        truth=_joined([one.truth for one in found]),
        group=np.concatenate(
            [
                np.array([place[name] for name in one.group_names], np.int32)[one.group]
                for one in found
            ]
        ),
        group_names=names,
        training_counts=np.max([one.training_counts for one in found], axis=0),
        source={"several": [one.source for one in found]},
        kernel=first.kernel if alike else None,
        bias=first.bias if alike else None,
        cluster=_clusters(found),
    )


def _clusters(found):
    """Cluster numbers are those of one data set, so they agree between its splits."""
    if found[0].cluster is None:
        return None
    return np.concatenate([one.cluster for one in found])


def _joined(parts):
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    return labels.SparseLabels(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.concatenate([part.index for part in parts]),
        np.concatenate([part.confidence for part in parts]),
        parts[0].num_classes,
    )


def learnt_from(predictions):
    """Returns whether some of these images are those that a network was trained on.

    Raises:
        errors.DataError: some predictions do not say of which split they are.
    """
    splits = predictions_module.splits(predictions.source)
    if "" in splits:
        raise errors.DataError(
            "the predictions do not say of which split they are, so the network may "
            "have been trained on these images",
            expected="--way=held_out if it was not, or another --way",
            received="predictions without a split",
        )
    return "train" in splits


def rows_of(table, ids):
    """Returns int64: where images stand in a label table.

    Args:
        table: `labels.LabelTable`.
        ids: str [N].

    Raises:
        errors.DataError: one is not in it; the first is named.
    """
    rows = places(table.ids, ids)
    missing = np.flatnonzero(rows < 0)
    if len(missing):
        raise errors.DataError(
            "a predicted image is not in the data",
            expected="the data set that was predicted",
            received=str(ids[missing[0]]),
        )
    return rows


def places(known, ids):
    """Returns int64: the position of each id among `known`, -1 of one that is not."""
    return pd.Index(known).get_indexer(pd.Index(ids))
