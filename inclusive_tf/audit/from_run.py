"""What a run's data add to an audit: images, their attributes, what training showed."""

import dataclasses

import numpy as np

from data_pipelines import datasets, errors, image_attributes, pixel_features
from inclusive_tf.audit import auditing, inputs, shortcuts
from inclusive_tf.exploration import pictures

_SIDE = 224
_COMPONENTS = 64


def read(run, data):
    """Returns the `labels.LabelTable` of a run's data; no image is read.

    Args:
        run: `run.Run`.
        data: `datasets.DataConfig`.

    Raises:
        errors.DataError: as `datasets.read_labels`.
    """
    vocabulary, _ = run.read_vocabulary()
    table, _ = datasets.read_labels(data, vocabulary)
    return table


def context(run, table, judged, sample=5000, seed=0, progress=False):
    """Measures images and counts what training showed.

    Args:
        run: `run.Run`.
        table: `labels.LabelTable` of its data.
        judged: `predictions.Predictions` whose errors are looked at.
        sample: training images that are measured, at most.
        seed: of that sample.
        progress: whether to show a bar on the standard error stream.

    Returns:
        `auditing.Context`.

    Raises:
        errors.DataError: vocabularies differ, or an image that was predicted is not in
            the data or cannot be read.
    """
    if table.vocabulary.hash != judged.vocabulary.hash:
        raise errors.DataError(
            "the predictions are of another run's labels",
            expected=f"vocabulary {table.vocabulary.hash[:12]}",
            received=f"vocabulary {judged.vocabulary.hash[:12]}",
        )
    rows = inputs.rows_of(table, judged.ids)
    found = image_attributes.measure(table.take(rows), progress=progress)
    if not found.read.all():
        raise errors.DataError(
            "an image that was predicted cannot be read",
            received=str(judged.ids[np.argmin(found.read)]),
        )
    if "train" not in table.split_names:
        return auditing.Context(attributes=found, exposure=_exposure(run))
    train = table.select_split("train")
    training, unread = _training(train, judged, sample, seed, progress)
    return auditing.Context(
        attributes=found,
        training=training,
        unread=unread,
        training_cells=_cells(train, judged.group_names),
        exposure=_exposure(run),
    )


def _training(train, judged, sample, seed, progress):
    """Returns (`shortcuts.Training`, ids of images that cannot be read)."""
    chosen = np.arange(len(train))
    if len(train) > sample:
        generator = np.random.default_rng(seed)
        chosen = np.sort(generator.choice(len(train), sample, replace=False))
    part = train.take(chosen)
    found = image_attributes.measure(part, progress=progress)
    unread = tuple(part.ids[~found.read].tolist())
    part, found = part.take(np.flatnonzero(found.read)), found.take(found.read)
    place = {name: number for number, name in enumerate(judged.group_names)}
    # groups that are not judged are one, which no question is about
    group = np.array(
        [place.get(name, len(place)) for name in part.group_names], np.int64
    )[part.group]
    names = (*judged.group_names, "")
    training = shortcuts.Training(
        part.labels.multi_hot(), shortcuts.columns(found, group, names, both=True)
    )
    return training, unread


def _cells(train, group_names):
    """int [C, G]: training images of each class, by groups of these names."""
    found = np.zeros((len(train.vocabulary), len(group_names)), np.int64)
    for place, name in enumerate(group_names):
        if name in train.group_names:
            inside = train.group == train.group_names.index(name)
            found[:, place] = train.labels.take(inside).counts()
    return found


def _exposure(run):
    rows = run.read_json("exposure.json")["rows"]
    return {row["id"]: row["after"] for row in rows}


def with_pixels(part, table, size, progress=False):
    """Lets images be judged by their pixels too, which no label had a say in.

    Principal components of the images at a small size stand beside the network's
    features, all of them standardised. What a network has hardly learnt, such as a
    label it saw a hundred times, its features do not tell apart.

    Args:
        part: `predictions.Predictions` of one network, with features.
        table: `labels.LabelTable` of its data.
        size: pixels a side.
        progress: whether to show a bar on the standard error stream.

    Returns:
        `predictions.Predictions` of more features, without the last layer, which knows
        the network's alone.

    Raises:
        errors.DataError: an image is not in the data, or there are no features.
        tf.errors.InvalidArgumentError, tf.errors.NotFoundError: an image is unreadable.
    """
    if not part.features.shape[1]:
        raise errors.DataError(
            "pixels stand beside a network's features, and there are none",
            expected="predictions of one network with a last layer",
        )
    rows = inputs.rows_of(table, part.ids)
    pixels = pixel_features.measure(table.take(rows), size, progress=progress)
    centred = (pixels - pixels.mean(axis=0)).astype(np.float64)
    variances, directions = np.linalg.eigh(centred.T @ centred / len(centred))
    # what does not vary, such as the third channel of grey images, says nothing
    varies = np.flatnonzero(variances > 1e-6 * variances[-1])[-_COMPONENTS:]
    components = centred @ directions[:, varies] / np.sqrt(variances[varies])
    features = np.asarray(part.features, np.float64)
    deviation = np.maximum(features.std(axis=0), 1e-12)
    standard = (features - features.mean(axis=0)) / deviation
    together = np.concatenate([standard, components], axis=1).astype(np.float32)
    return dataclasses.replace(part, features=together, kernel=None, bias=None)


def thumbnails(table, ids):
    """Reads small copies of images.

    Args:
        table: `labels.LabelTable`.
        ids: list of ids of images.

    Returns:
        {id: `pictures.Picture`} of those that are in the table and can be read.
    """
    if not ids:
        return {}
    rows = inputs.places(table.ids, np.array(ids))
    found, _ = pictures.read(table, rows[rows >= 0], _SIDE)
    return {
        name: found[row] for name, row in zip(ids, rows.tolist(), strict=True)
        if row in found
    }  # fmt: skip
