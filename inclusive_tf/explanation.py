"""Explains a run's errors on one split: chooses, maps, checks and saves them."""

import numpy as np

from data_pipelines import batches, errors, images
from inclusive_tf import trained
from inclusive_tf.evaluation import bands
from inclusive_tf.explain import cases as explained_cases
from inclusive_tf.explain import gallery
from inclusive_tf.models import head

HALVES = ("left", "right")


def explain(run, table, split, predicted, threshold_logit, config, counts, row,
            checkpoint="last"):  # fmt: skip
    """Writes RUN/explanations/SPLIT and returns what it holds.

    Args:
        run: `run.Run`.
        table: `labels.LabelTable` that holds the split.
        split: its name.
        predicted: `predictions.Predictions` of the split, adapted or not; the model
            gets their last layer.
        threshold_logit: float or [C].
        config: `cases.ExplainConfig`.
        counts: (errors to explain, images to check places on).
        row: how the report calls what is explained.
        checkpoint: as in `trained.load_model`.

    Returns:
        (described cases, the facts of `gallery.save`).

    Raises:
        errors.DataError: the predictions are of another checkpoint, of several views,
            or of other images than the split holds now.
    """
    model, stored, step = trained.load_model(run, checkpoint)
    _require_same(predicted, table.select_split(split), step)
    model.get_layer(head.LOGITS).set_weights([predicted.kernel, predicted.bias])
    part = table.select_split(split)
    image_config = images.ImageConfig.from_dict(stored["image"])
    tail = _tail(predicted)
    chosen = gallery.choose(predicted, threshold_logit, counts[0], tail)
    errors_chosen = [case for case, _ in chosen]
    explained = explained_cases.explain_cases(
        model,
        stored["final_feature_map"],
        _pixels(part, [case.row for case in errors_chosen], image_config),
        errors_chosen,
        config,
    )
    reasons = [why for _, why in chosen]
    described = gallery.describe(explained, reasons, predicted, split)
    facts = {"row": row, "split": split, "given_from": _probability(threshold_logit)}
    if all(half in table.columns for half in HALVES):
        facts |= _check_halves(
            model, stored, part, predicted, threshold_logit, config, counts[1]
        )
    gallery.save(run.path / "explanations" / split, described, facts)
    return described, facts


def _require_same(predicted, part, step):
    """Refuses maps of other images, or another model, than the predictions are of."""
    if predicted.source.get("step") != step:
        raise errors.DataError(
            "the predictions are of another checkpoint",
            expected=f"step {step}",
            received=f"step {predicted.source.get('step')}",
        )
    if predicted.variant or predicted.kernel is None:
        raise errors.DataError(
            "maps show one view of the trained model, which did not make these answers",
            expected="predictions of one view, and no decision that changes an image's "
            "logits together",
            received=predicted.variant or "logits that no last layer makes",
        )
    if predicted.ids.tolist() != part.ids.tolist():
        raise errors.DataError(
            "the data have changed since they were predicted",
            expected=f"the same {len(predicted):,} images in the same order",
            received=f"{len(part):,} images; predict again",
        )


def _probability(threshold_logit):
    """The probability a label is given from, None where labels differ."""
    if np.ndim(threshold_logit):
        return None
    return float(0.5 * (1 + np.tanh(0.5 * threshold_logit)))


def _tail(predicted):
    for band in bands.bands(predicted.training_counts, predicted.vocabulary):
        if band.name == "tail":
            return list(band.labels)
    return None


def _pixels(part, rows, image_config):
    """Decodes the images of some rows, in their order."""
    # a stream is read in the order it has
    ascending, places = np.unique(np.asarray(rows, np.int64), return_inverse=True)
    found = batches.evaluation_batches(part.take(ascending), image_config, 256)
    pixels = [batch["image"].numpy() for batch in found]
    shape = (0, image_config.height, image_config.width, image_config.channels)
    return np.concatenate([np.zeros(shape, np.float32), *pixels])[places]


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
        return {}
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
