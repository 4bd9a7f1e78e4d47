"""The training images nearest to an error, of each label in question."""

import numpy as np
import pandas as pd

from data_pipelines import neighbours
from inclusive_tf import inference, predictions
from inclusive_tf.explain import gallery


def candidates(truth, wanted, most, seed=0):
    """Chooses training images to look for neighbours among.

    Args:
        truth: `labels.SparseLabels` of the training images.
        wanted: labels to find images of.
        most: images a label, drawn where more show it.
        seed: of the draw.

    Returns:
        int64 rows in order, each once.
    """
    found = [np.zeros(0, np.int64)]
    present = truth.present()
    rows = present.rows()
    for label in sorted(set(wanted)):
        showing = rows[present.index == label]
        if len(showing) > most:
            generator = np.random.default_rng([seed, label])
            showing = generator.choice(showing, most, replace=False)
        found.append(showing)
    return np.unique(np.concatenate(found))


def nearest(queries, asked, truth, features, k=1):
    """Finds for each image the nearest training images that show a label.

    Args:
        queries: float32 [N, D], penultimate features of the images.
        asked: list of (image, label).
        truth: `labels.SparseLabels` of M training images.
        features: float32 [M, D], theirs.
        k: how many.

    Returns:
        {(image, label): [(training row, Euclidean distance), nearest first]}; the list
        is shorter where fewer images show the label.
    """
    present = truth.present()
    rows = present.rows()
    by_label = {}
    for image, label in asked:
        by_label.setdefault(label, []).append(image)
    found = {}
    for label, images in by_label.items():
        showing = rows[present.index == label]
        index, distance = neighbours.nearest(queries[images], features[showing], k)
        for image, places, far in zip(images, index, distance, strict=True):
            found[image, label] = [
                (int(showing[place]), float(one))
                for place, one in zip(places, far, strict=True)
                if place >= 0
            ]
    return found


def add(described, asked, queries, training, features, subject, k=1):
    """Adds the nearest training examples of the labels in question to cases.

    Args:
        described: N dicts of `gallery.describe`; changed.
        asked: list of (number of the case, role, label).
        queries: float32 [N, D], features of the cases' images.
        training: `labels.LabelTable` of M images to look among.
        features: float32 [M, D], theirs.
        subject: `subject.Subject`, which reads images.
        k: examples a label.
    """
    pairs = [(number, label) for number, _, label in asked]
    found = nearest(queries, pairs, training.labels, features, k)
    rows = sorted({row for near in found.values() for row, _ in near})
    pixels = dict(zip(rows, subject.pixels(training, rows), strict=True))
    names = training.vocabulary.names
    present = training.labels.present()
    for number, role, label in asked:
        for row, distance in found[number, label]:
            entries = slice(present.offsets[row], present.offsets[row + 1])
            gallery.add_example(
                described[number],
                role,
                str(training.ids[row]),
                pixels[row],
                [names[other] for other in present.index[entries]],
                distance,
            )


def _showing(stated, wanted):
    """Returns int64: the rows that show any of some labels."""
    present = stated.present()
    return np.unique(present.rows()[np.isin(present.index, list(wanted))])


def with_features(folder, step, subject, training, wanted, most, seed=0):
    """Chooses the training images to look among, and measures them.

    All that show a label in question where the run has predicted them; else
    `candidates` of the labels, whose features are computed now.

    Args:
        folder: where predictions of the training split would lie.
        step: the checkpoint that counts.
        subject: `subject.Subject` whose features are compared.
        training: `labels.LabelTable` of the training split; images that cannot be
            read are left out.
        wanted: labels in question.
        most: candidates a label.
        seed: of their draw.

    Returns:
        (`labels.LabelTable` of M images, float32 [M, D]).
    """
    if folder.is_dir():
        stored = predictions.load(folder)
        if stored.source.get("step") == step and not stored.variant:
            showing = _showing(training.labels, wanted)
            place = pd.Index(stored.ids).get_indexer(training.ids[showing])
            if (place >= 0).any():
                training = training.take(showing[place >= 0])
                features = stored.features[place[place >= 0]]
                return training, np.asarray(features, np.float32)
    rows = candidates(training.labels, wanted, most, seed)
    training = training.take(rows)
    # training left these out, and named them
    faults = training.storage.faults(training.locations, subject.image_config)
    readable = np.ones(len(training), bool)
    readable[[fault.row for fault in faults]] = False
    training = training.take(readable)
    counts = np.zeros(len(training.vocabulary), np.int64)
    found = inference.predict(subject.model, training, subject.image_config, counts)
    return training, found.features
