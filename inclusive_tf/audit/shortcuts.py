"""Attributes that predict errors of a class: what a model may use as a shortcut.

For every class and attribute two questions are asked: among images that do not show the
class, is the attribute another where the class is given falsely; and among those that
show it, where it is missed. Images are compared only with others that show the same
further labels, so that a class's look-alikes, which may be bright, do not count as
brightness. Where the training images are known, a finding is called a shortcut if the
class differed from the rest by that attribute in training, and the errors go the way
that teaches: what looks like the class by the attribute alone is taken for it, what
does not is missed. Otherwise errors merely follow the attribute, for whatever reason.
"""

import dataclasses

import numpy as np

from data_pipelines import errors, image_attributes
from inclusive_tf.audit import looks, rank_tests
from inclusive_tf.evaluation import f2
from inclusive_tf.exploration import intervals

FALSE, MISSED = "given falsely", "missed"

LEAST_EFFECT = 0.1
"""Distance from a half that the interval of an effect lies beyond, before it is shown
as an alarm: with many images, effects too small to matter are certain."""

LEAST_IN_TRAINING = 0.2
"""Distance from a half by which a class differed in training, for a shortcut."""

MIN_STRATUM = 20
"""Images that show the same further labels are a stratum of their own from here on; the
others are one together."""


@dataclasses.dataclass(frozen=True)
class Training:
    """What training showed.

    Args:
        shown: bool [M, C].
        attributes: {name: float [M]}, as for `find`.
    """

    shown: np.ndarray
    attributes: dict


def columns(attributes, group, group_names):
    """Makes one number an image of every attribute.

    Args:
        attributes: `image_attributes.Attributes` of N images, or None.
        group: int [N].
        group_names: their names.

    Returns:
        {name: float64 [N]}: numbers as they are, and 0 or 1 for each colour and group,
        as "colour red" and "group north", that some image has and some has not.
    """
    found = {}
    if attributes is not None:
        found |= {
            name: np.asarray(attributes.values[name], np.float64)
            for name in image_attributes.ORDERED
        }
        for place, name in enumerate(image_attributes.COLOURS):
            found[f"colour {name}"] = (attributes.colour == place).astype(np.float64)
    for place, name in enumerate(group_names):
        found[f"group {name}"] = (np.asarray(group) == place).astype(np.float64)
    return {
        name: values for name, values in found.items() if np.unique(values).size > 1
    }


def find(predictions, threshold_logit, attributes, training=None):
    """Tests every class and attribute.

    Args:
        predictions: `predictions.Predictions` of N images that the model was not
            trained on, with truth.
        threshold_logit: float or [C]; a label is given from this logit on.
        attributes: {name: float [N]}, of `columns`.
        training: `Training`, or None.

    Returns:
        A dict: "tests", how many were made; "method", `looks.METHOD`; "errors", how
        many there are; and "rows", a list of dicts, alarms first and of these the
        strongest first: "label" and "name", "attribute", "error" (`FALSE` or `MISSED`),
        "effect" {"value", "low", "high"}, "n" images with and "of" without the error,
        "p_value", "verdict" ("shortcut", "errors follow it", "no alarm"), "training":
        how the class differed in training, in 0..1, or None; and "shares", the share of
        errors in the lower and the upper half (or without and with it), each {"value",
        "low", "high", "n"}.

    Raises:
        errors.DataError: there is no attribute, or none of the labels is known.
    """
    if not attributes:
        raise errors.DataError(
            "there is no attribute in which the images differ",
            expected="at least two groups, or images to measure",
        )
    sides = _sides(predictions, threshold_logit)
    strata = [_strata(predictions, label) for label in range(len(sides))]
    names = list(attributes)
    tested = []
    for label, kinds in enumerate(sides):
        for kind, (rows, wrong) in kinds.items():
            tested += [
                (label, kind, name, rows, wrong, rank_tests.effect(
                    attributes[name][rows], wrong, strata[label][rows]))
                for name in names
            ]  # fmt: skip
    believed, level = looks.believed([one[-1].p_value for one in tested])
    learnt = _learnt(training, names)
    rows = [
        _row(predictions.vocabulary, attributes, learnt, level, one, bool(sure))
        for one, sure in zip(tested, believed, strict=True)
        if not np.isnan(one[-1].p_value)
    ]
    rows.sort(key=lambda row: (_ORDER.index(row["verdict"]), -row["strength"]))
    return {
        "tests": len(rows),
        "method": looks.METHOD,
        "errors": int(sum(w.sum() for kinds in sides for _, w in kinds.values())),
        "rows": rows,
    }


_ORDER = ("shortcut", "errors follow it", "no alarm")


def _sides(predictions, threshold_logit):
    """For each class {kind: (rows that could err, which of them do)}."""
    given = f2.decisions(predictions.logits, threshold_logit).multi_hot()
    targets = predictions.truth.targets(predictions.unlisted_is_absent)
    shown = predictions.truth.multi_hot()
    found = []
    for label in range(given.shape[1]):
        absent = np.flatnonzero((targets[:, label] >= 0) & ~shown[:, label])
        present = np.flatnonzero(shown[:, label])
        found.append({
            FALSE: (absent, given[absent, label]),
            MISSED: (present, ~given[present, label]),
        })  # fmt: skip
    return found


def _strata(predictions, label):
    """int [N]: equal for images that show the same labels besides `label`."""
    shown = predictions.truth.multi_hot()
    shown[:, label] = False
    packed = np.packbits(shown, axis=1)
    _, stratum, sizes = np.unique(
        packed, axis=0, return_inverse=True, return_counts=True
    )
    stratum = stratum.reshape(-1)
    return np.where(sizes[stratum] >= MIN_STRATUM, stratum, -1)


def _learnt(training, names):
    """{(label, name): effect of the attribute on showing the label in training}."""
    if training is None:
        return {}
    nothing = np.zeros(len(training.shown), np.int64)
    return {
        (label, name): rank_tests.effect(
            training.attributes[name], training.shown[:, label], nothing
        ).value
        for name in names
        if name in training.attributes
        for label in range(training.shown.shape[1])
    }


def _row(vocabulary, attributes, learnt, level, tested, believed):
    label, kind, name, rows, wrong, found = tested
    low, high = found.ends(level)
    beyond = max(low - 0.5, 0.5 - high, 0.0)
    taught = learnt.get((label, name), np.nan)
    taught = None if np.isnan(taught) else float(taught)
    verdict = "no alarm"
    if believed and beyond >= LEAST_EFFECT:
        verdict = "errors follow it"
        agrees = taught is not None and (
            (taught - 0.5) * (found.value - 0.5) * (1 if kind == FALSE else -1) > 0
        )
        if agrees and abs(taught - 0.5) >= LEAST_IN_TRAINING:
            verdict = "shortcut"
    strength = 2 * beyond * (2 * abs(taught - 0.5) if verdict == "shortcut" else 1)
    return {
        "label": vocabulary.ids[label],
        "name": vocabulary.names[label],
        "attribute": name,
        "error": kind,
        "effect": {"value": found.value, "low": low, "high": high},
        "n": found.first,
        "of": found.others,
        "p_value": found.p_value,
        "verdict": verdict,
        "strength": float(strength),
        "training": taught,
        "shares": _shares(attributes[name][rows], wrong),
    }


def _shares(values, wrong):
    """Share of errors below and above the median, or without and with an attribute."""
    upper = values > (np.median(values) if np.unique(values).size > 2 else values.min())
    found = []
    for part in (wrong[~upper], wrong[upper]):
        if not len(part):
            found.append({"value": None, "low": None, "high": None, "n": 0})
            continue
        low, high = intervals.wilson(part.sum(), len(part))
        found.append({"value": float(part.mean()), "low": float(low),
                      "high": float(high), "n": len(part)})  # fmt: skip
    return found
