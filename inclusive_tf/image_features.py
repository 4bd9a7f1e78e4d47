"""Features that say which images are near: a model's, or small pixels."""

import sys

import pandas as pd

from data_pipelines import errors, pixel_features
from data_pipelines.resampling import mixing
from inclusive_tf import predictions


def of_predictions(table, folder):
    """Takes the features of a model's predictions, matched by id.

    Args:
        table: `labels.LabelTable` of N images.
        folder: predictions folder that has them all, such as of
            `tools.predict --predict_splits=train`.

    Returns:
        float32 [N, D], in the table's order.

    Raises:
        errors.DataError: not a predictions folder, or an image is not in it.
    """
    predicted = predictions.load(folder)
    rows = pd.Index(predicted.ids).get_indexer(table.ids)
    if (rows < 0).any():
        raise errors.DataError(
            "the predictions lack images of the data",
            expected="predictions of each, as with --predict_splits=train",
            received=f"{(rows < 0).sum():,} of {len(table):,} are missing, such as "
            f"{table.ids[rows < 0][0]}",
            file=folder,
        )
    return predicted.features[rows]


def measure(table, folder="", **settings):
    """Measures images by a model's predictions, or else by their pixels.

    Args:
        table: `labels.LabelTable` of N readable images.
        folder: predictions folder; empty: `pixel_features.measure`.
        **settings: what that takes beside the table.

    Returns:
        float32 [N, D], in the table's order.
    """
    if folder:
        return of_predictions(table, folder)
    return pixel_features.measure(table, progress=sys.stderr.isatty(), **settings)


def prepare_mixing(table, config, max_pixels):
    """Finds the partners of rare images.

    Args:
        table: `labels.LabelTable` of the training split.
        config: `mixing.MixingConfig`.
        max_pixels: of the `images.ImageConfig` that the images were scanned with.

    Returns:
        (`mixing.Mixing`, or None where nothing is to be mixed; a sentence about it,
        empty where none was asked for).

    Raises:
        errors.DataError: the predictions lack images.
    """
    if not config.below:
        return None, ""
    found = mixing.partners(
        lambda rows: measure(
            table.take(rows), config.predictions, max_pixels=max_pixels
        ),
        table.labels,
        config.below,
        config.partners,
    )
    counts = table.labels.counts()
    rare = ((counts > 0) & (counts < config.below)).sum()
    mixable = (found[:, 0] >= 0).sum()
    said = (
        f"mixing: {rare:,} labels are on fewer than {config.below:,} images; "
        f"{mixable:,} images have others to be mixed with when drawn again"
    )
    return (mixing.Mixing(found, config.max_share) if mixable else None), said
