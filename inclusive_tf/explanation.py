"""Explains a run's errors on one split: chooses, maps, checks and saves them."""

import numpy as np

from data_pipelines import batches, images
from inclusive_tf import experiment
from inclusive_tf.evaluation import bands
from inclusive_tf.explain import cases as explained_cases
from inclusive_tf.explain import gallery
from inclusive_tf.models import head

HALVES = ("left", "right")


def explain(run, table, split, predicted, threshold_logit, adaptation, config, counts,
            checkpoint="last"):  # fmt: skip
    """Writes RUN/explanations/SPLIT and returns what it holds.

    Args:
        run: `run.Run`.
        table: `labels.LabelTable` that holds the split.
        split: its name.
        predicted: `predictions.Predictions` of the split, adapted.
        threshold_logit: float or [C].
        adaptation: `adapted.Adaptation` whose last layer the model gets, or None.
        config: `cases.ExplainConfig`.
        counts: (errors to explain, images to check places on).
        checkpoint: as in `experiment.load_model`.

    Returns:
        (described cases, what `gallery.check_places` found or None).
    """
    model, stored, _ = experiment.load_model(run, checkpoint)
    if adaptation is not None and adaptation.kernel is not None:
        model.get_layer(head.LOGITS).set_weights([adaptation.kernel, adaptation.bias])
    part = table.select_split(split)
    image_config = images.ImageConfig.from_dict(stored["image"])
    tail = _tail(predicted)
    chosen = gallery.choose(predicted, threshold_logit, counts[0], tail)
    explained = explained_cases.explain_cases(
        model,
        stored["final_feature_map"],
        _pixels(part, [case.row for case in chosen], image_config),
        chosen,
        config,
    )
    described = gallery.describe(explained, predicted, split)
    places = None
    if all(half in table.columns for half in HALVES):
        places = _check_halves(
            model, stored, part, predicted, threshold_logit, config, counts[1]
        )
    gallery.save(run.path / "explanations" / split, described, places)
    return described, places


def _tail(predicted):
    for band in bands.bands(predicted.training_counts, predicted.vocabulary):
        if band.name == "tail":
            return list(band.labels)
    return None


def _pixels(part, rows, image_config):
    """Decodes the images of some rows, in their order."""
    chosen = part.take(np.asarray(rows, np.int64))
    found = batches.evaluation_batches(chosen, image_config, 256)
    pixels = [batch["image"].numpy() for batch in found]
    shape = (0, image_config.height, image_config.width, image_config.channels)
    return np.concatenate(pixels) if pixels else np.zeros(shape, np.float32)


def _check_halves(model, stored, part, predicted, threshold_logit, config, count):
    """Checks maps on images of two different garments, of which the left was found."""
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
        return None
    image_config = images.ImageConfig.from_dict(stored["image"])
    columns = np.arange(image_config.width) < image_config.width / 2
    masks = np.where(np.array(on_left)[:, None], columns, ~columns)
    masks = np.repeat(masks[:, None, :], image_config.height, axis=1)
    return gallery.check_places(
        model,
        stored["final_feature_map"],
        _pixels(part, rows, image_config),
        asked,
        masks,
        config,
    )
