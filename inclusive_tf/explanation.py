"""Explains a run's errors on one split: chooses, maps, checks and saves them."""

import dataclasses

import numpy as np

from data_pipelines import datasets, errors, images
from inclusive_tf import trained
from inclusive_tf.evaluation import bands
from inclusive_tf.explain import cases as explained_cases
from inclusive_tf.explain import (
    checks,
    choosing,
    feature_visualisation,
    gallery,
    training_examples,
)
from inclusive_tf.explain import subject as explained_subject
from inclusive_tf.models import head

MOST_LABEL_PICTURES = 40


@dataclasses.dataclass(frozen=True)
class ShownConfig:
    """What is shown and checked.

    Args:
        count: errors to explain.
        choose: rankings that they come from, names in `choosing.KINDS`.
        examples: nearest training examples shown of each label in question.
        candidates: training images a label that these are looked for among, unless the
            run holds predictions of its training split.
        check: images to check maps on, where it is known what lies where.
        curves: errors whose maps are checked by deletion, insertion and re-drawn
            weights; 0: none.
        feature_steps: steps of activation maximisation, a picture a label; 0: none.
        seed: of what is drawn.
    """

    count: int = 24
    choose: tuple = choosing.DEFAULT
    examples: int = 1
    candidates: int = 64
    check: int = 200
    curves: int = 40
    feature_steps: int = 0
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Explained:
    """What was found.

    Args:
        cases: described cases, as `report.page.render` takes them.
        facts: those of `gallery.save`.
        label_pictures: list of `gallery.label_picture`.
    """

    cases: list
    facts: dict
    label_pictures: list


def read(run, data, split):
    """Reads a split, and the training split without opening its images.

    Args:
        run: `run.Run`.
        data: `datasets.DataConfig`.
        split: name of the split to explain.

    Returns:
        (`labels.LabelTable` of the split, that of training, or None without one).

    Raises:
        errors.DataError: as `datasets.read`, or labels unknown to the run.
    """
    vocabulary, _ = run.read_vocabulary()
    image_config = images.ImageConfig.from_dict(run.read_model()["image"])
    table, notes = datasets.read_labels(data, vocabulary)
    part, _ = datasets.without_bad_images(
        table.select_split(split), notes, image_config, data.max_bad_fraction
    )
    has_training = "train" in table.split_names and split != "train"
    return part, table.select_split("train") if has_training else None


def explain(run, part, training, predicted, threshold_logit, config, shown, row,
            checkpoint="last", boxes=None, most=None):  # fmt: skip
    """Writes RUN/explanations/SPLIT and returns what it holds.

    Args:
        run: `run.Run`.
        part: `labels.LabelTable` of one split.
        training: `labels.LabelTable` of the training split, to take examples from;
            None shows none. Its images need not have been looked at.
        predicted: `predictions.Predictions` of the split, adapted or not; the model
            gets their last layer.
        threshold_logit: float or [C].
        config: `cases.ExplainConfig`.
        shown: `ShownConfig`.
        row: how the report calls what is explained.
        checkpoint: as in `trained.load_model`.
        boxes: `label_boxes.Boxes` of `part`, to check maps on; None: none are known.
        most: errors that a page of them can hold; None: any number.

    Returns:
        `Explained`.

    Raises:
        errors.DataError: the predictions are of another checkpoint, of several views,
            or of other images than the split holds now.
        errors.SettingError: there is no such ranking, or more errors are found than the
            page can hold.
    """
    model, stored, step = trained.load_model(run, checkpoint)
    _require_same(predicted, part, step)
    model.get_layer(head.LOGITS).set_weights([predicted.kernel, predicted.bias])
    subject = explained_subject.Subject(
        model,
        stored["final_feature_map"],
        images.ImageConfig.from_dict(stored["image"]),
        config,
    )
    split = part.split_names[part.split[0]]
    chosen = choosing.choose(
        predicted, threshold_logit, shown.count, _tail(predicted), shown.choose
    )
    if most is not None and len(chosen) > most:
        raise errors.SettingError(
            "A page does not hold so many errors. Expected: --nopage, or --count of at "
            f"most {most}. Received: {len(chosen)} errors."
        )
    beside = [one for one in chosen if one.beside is not None]
    cases = [one.case for one in chosen] + [one.beside for one in beside]
    explained = explained_cases.explain_cases(
        model,
        subject.layer,
        subject.pixels(part, [case.row for case in cases]),
        cases,
        config,
    )
    reasons = [one.why for one in chosen] + ["found"] * len(beside)
    described = gallery.describe(explained, reasons, predicted, split)
    errors_described = described[: len(chosen)]
    for one, other in zip(beside, described[len(chosen) :], strict=True):
        errors_described[chosen.index(one)]["beside"] = other
    if training is not None and shown.examples and chosen:
        asked = _asked(chosen)
        training, features = training_examples.with_features(
            run.predictions("train"),
            step,
            subject,
            training,
            {label for _, _, label in asked},
            shown.candidates,
            shown.seed,
        )
        queries = predicted.features[[one.case.row for one in chosen]]
        training_examples.add(
            errors_described, asked, queries, training, features, subject,
            shown.examples,
        )  # fmt: skip
    facts = {
        "row": row,
        "split": split,
        "given_from": _probability(threshold_logit),
        "chosen": [choosing.KINDS[kind] for kind in shown.choose],
        "errors": len(chosen),
    }
    facts |= checks.check_errors(
        subject, explained[: len(chosen)], shown.curves, shown.seed
    )
    facts |= checks.check_halves(subject, part, predicted, threshold_logit, shown.check)
    if boxes is not None:
        facts |= checks.check_boxes(
            subject, part, predicted, threshold_logit, boxes, shown.check
        )
    pictures = _label_pictures(subject, predicted, chosen, shown)
    gallery.save(run.path / "explanations" / split, errors_described, facts, pictures)
    return Explained(errors_described, facts, pictures)


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


def _asked(chosen):
    """Returns (number of the error, role, label) of what is in question."""
    return [
        (number, role, getattr(one.case, role))
        for number, one in enumerate(chosen)
        for role in ("wrong", "missed")
        if getattr(one.case, role) is not None
    ]


def _label_pictures(subject, predicted, chosen, shown):
    """Grows a picture of each label, or of those most often in question."""
    if not shown.feature_steps:
        return []
    label_index = np.arange(len(predicted.vocabulary))
    if len(label_index) > MOST_LABEL_PICTURES:
        times = np.bincount(
            [label for _, _, label in _asked(chosen)], minlength=len(label_index)
        )
        order = np.argsort(-times, kind="stable")[:MOST_LABEL_PICTURES]
        label_index = np.sort(order[times[order] > 0])
    config = feature_visualisation.FeatureConfig(
        steps=shown.feature_steps, seed=shown.seed
    )
    pictures, logits = feature_visualisation.label_pictures(
        subject.model, label_index, config
    )
    return [
        gallery.label_picture(
            predicted.vocabulary.names[label], picture, _probability(logit)
        )
        for label, picture, logit in zip(label_index, pictures, logits, strict=True)
    ]
