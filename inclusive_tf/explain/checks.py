"""Checks of maps as rows that a script prints and a page shows."""

import numpy as np

from inclusive_tf.evaluation import bootstrap
from inclusive_tf.explain import (
    cases,
    errors_by_part,
    faithfulness,
    maps,
    methods,
    pointing,
)

HALVES = ("left", "right")
"""Columns of a label table that name the label each half of an image shows."""


def row(method, values, baseline, flat):
    """Returns a row of a check.

    Args:
        method: a name in `methods.METHODS`.
        values: float [B]; NaN where a map has no value.
        baseline: what a map without meaning would have.
        flat: how many maps were the same everywhere.

    Returns:
        {"method": title, "hits": interval of the mean, "baseline", "degenerate"}.
    """
    values = np.asarray(values, np.float64)
    return {
        "method": methods.METHODS[method].title,
        "hits": bootstrap.mean_interval(values[~np.isnan(values)]),
        "baseline": baseline,
        "degenerate": int(flat),
    }


def check_places(taken, places):
    """Measures whether maps of rightly given labels point where the label is.

    Args:
        taken: {method: float [N, H, W]}, the labels' maps.
        places: bool [N, H, W] or boxes [N, 4], where the images show them.

    Returns:
        {"pointing": [`row` a method], "energy": [...]}; the baseline is the share of
        the area.
    """
    size = next(iter(taken.values())).shape[1:]
    baseline = float(pointing.area(places, size).mean())
    found = {"pointing": [], "energy": []}
    for method, one in taken.items():
        energy = pointing.energy_inside(one, places)
        # a flat map points nowhere, which is a miss, and has no share to speak of
        flat = np.isnan(energy).sum()
        hits = pointing.pointing(one, places).astype(float)
        found["pointing"].append(row(method, hits, baseline, flat))
        found["energy"].append(row(method, energy, baseline, flat))
    return found


def check_curves(model, images, label_index, taken, config):
    """Measures whether maps name what the model uses: deletion and insertion.

    Args:
        model: flat functional Keras model that gives logits.
        images: float32 [N, H, W, C] in 0..1.
        label_index: int [N], labels that were given.
        taken: {method: float [N, H, W]}, their maps.
        config: `faithfulness.CurveConfig`.

    Returns:
        {"deletion": [`row` a method], "insertion": [...]}, in logits, with baseline 0.
    """
    gains = faithfulness.Curves(model, config).gains(images, label_index, taken)
    found = {"deletion": [], "insertion": []}
    for method, one in taken.items():
        flat = _flat(method, one)
        for curve, values in gains[method].items():
            # a flat map names nothing, in the order of rows
            known = np.where(flat, np.nan, values)
            found[curve].append(row(method, known, 0.0, flat.sum()))
    return found


def check_redrawn(model, final_feature_map, images, label_index, taken, config):
    """Measures how alike maps are to those of the model with weights drawn again.

    Args:
        model: flat functional Keras model that gives logits; not changed.
        final_feature_map: name of its final feature map's layer.
        images: float32 [N, H, W, C] in 0..1.
        label_index: int [N].
        taken: {method: float [N, H, W]}, the model's maps.
        config: `cases.ExplainConfig` they were taken with.

    Returns:
        {"redrawn": [`row` a method]}, rank correlations with baseline 0.
    """
    other = faithfulness.with_drawn_weights(model, config.seed)
    images = np.asarray(images, np.float32)
    others = cases.maps_of(
        other, final_feature_map, images, np.arange(len(images)), label_index, config
    )
    rows = []
    for method, one in taken.items():
        alike = faithfulness.rank_correlations(one, others[method])
        rows.append(row(method, alike, 0.0, np.isnan(alike).sum()))
    return {"redrawn": rows}


def _flat(method, taken):
    signed = methods.METHODS[method].signed
    return np.array([maps.scaled(one, signed).degenerate for one in taken], bool)


def check_errors(subject, explained, count, seed=0):
    """Checks the maps of wrongly given labels: do they name what the model uses?

    Args:
        subject: `subject.Subject` that they are of.
        explained: what `cases.explain_cases` returned.
        count: errors to check at most.
        seed: of random orders.

    Returns:
        {"deletion", "insertion", "redrawn": list of `row`}; {} without such errors.
    """
    given = [one for one in explained if "wrong" in one["maps"]][:count]
    if not given:
        return {}
    pixels = np.stack([one["image"] for one in given])
    label_index = np.array([one["maps"]["wrong"]["label"] for one in given])
    taken = {
        method: np.stack([one["maps"]["wrong"][method] for one in given])
        for method in subject.config.methods
    }
    curves = faithfulness.CurveConfig(
        cell=subject.config.stride, fill=subject.config.fill, seed=seed
    )
    return {
        **check_curves(subject.model, pixels, label_index, taken, curves),
        **check_redrawn(
            subject.model, subject.layer, pixels, label_index, taken, subject.config
        ),
    }


def check_halves(subject, part, predicted, threshold_logit, count):
    """Checks maps on images of two different things, of which one was found.

    Args:
        subject: `subject.Subject`.
        part: `labels.LabelTable`; its columns `HALVES` name what each half shows.
        predicted: `predictions.Predictions` of the same images.
        threshold_logit: float or [C].
        count: images at most.

    Returns:
        As `check_places`; {} where no half is known, or nothing on it was found.
    """
    if not all(half in part.columns for half in HALVES):
        return {}
    position = part.vocabulary.index()
    left, right = (
        np.array([position.get(name, -1) for name in part.columns[half]])
        for half in HALVES
    )
    asked, rows, on_left = [], [], []
    threshold = np.broadcast_to(threshold_logit, len(predicted.vocabulary))
    for row in np.flatnonzero((left >= 0) & (right >= 0) & (left != right)):
        # alternate, so that a map that always looks left scores one half
        is_left = len(rows) % 2 == 0
        label = left[row] if is_left else right[row]
        if predicted.logits[row, label] >= threshold[label]:
            rows.append(row)
            asked.append(label)
            on_left.append(is_left)
        if len(rows) == count:
            break
    if not rows:
        return {}
    config = subject.image_config
    columns = np.arange(config.width) < config.width / 2
    masks = np.where(np.array(on_left)[:, None], columns, ~columns)
    masks = np.repeat(masks[:, None, :], config.height, axis=1)
    pixels = subject.pixels(part, rows)
    taken = subject.maps_of(pixels, np.arange(len(rows)), np.array(asked))
    return check_places(taken, masks)


def check_boxes(subject, part, predicted, threshold_logit, boxes, count):
    """Checks maps of rightly given labels on images whose boxes of them are known.

    Labels come in turn, so that the commonest does not stand for all; an image counts
    once. What several boxes of one label cover is one place.

    Args:
        subject: `subject.Subject`.
        part: `labels.LabelTable`.
        predicted: `predictions.Predictions` of the same images.
        threshold_logit: float or [C].
        boxes: `label_boxes.Boxes` of `part`.
        count: images at most.

    Returns:
        {"box_pointing", "box_energy": [`row` a method]}; {} where no label that has a
        box was rightly given.
    """
    row, label = _rightly_given(predicted, threshold_logit, boxes)
    order = np.lexsort((label, errors_by_part.ranks_within(label)))
    _, first = np.unique(row[order], return_index=True)
    chosen = np.sort(order[np.sort(first)][:count])
    row, label = row[chosen], label[chosen]
    if not len(row):
        return {}
    masks = _box_masks(subject, part, row, label, boxes)
    # a crop may have cut all boxes of an image away
    shown = masks.any(axis=(1, 2))
    row, label, masks = row[shown], label[shown], masks[shown]
    if not len(row):
        return {}
    pixels = subject.pixels(part, row)
    taken = subject.maps_of(pixels, np.arange(len(row)), label)
    found = check_places(taken, masks)
    return {"box_pointing": found["pointing"], "box_energy": found["energy"]}


def _rightly_given(predicted, threshold_logit, boxes):
    """Returns (row, label) of boxes, each once, by row, that are shown and given."""
    classes = len(predicted.vocabulary)
    present = predicted.truth.present()
    shown = present.rows() * classes + present.index
    key = np.intersect1d(boxes.row * classes + boxes.label, shown)
    row, label = key // classes, key % classes
    threshold = np.broadcast_to(threshold_logit, classes)
    given = np.asarray(predicted.logits)[row, label] >= threshold[label]
    return row[given], label[given]


def _box_masks(subject, part, row, label, boxes):
    """Returns bool [M, H, W]: pixels that a box of each image and label touches."""
    config = subject.image_config
    masks = np.zeros((len(row), config.height, config.width), bool)
    for place, extent in enumerate(subject.extents(part, row)):
        its = (boxes.row == row[place]) & (boxes.label == label[place])
        begin, sides = np.tile(extent[:2], 2), np.tile(extent[2:] - extent[:2], 2)
        pixels = begin + boxes.corners[its] * sides
        whole = np.concatenate(
            [np.floor(pixels[:, :2]), np.ceil(pixels[:, 2:])], axis=1
        )
        masks[place] = pointing.masks_from_boxes(whole, masks.shape[1:]).any(axis=0)
    return masks
