"""Attributes that predict errors of a class: what a model may use as a shortcut.

For every class and attribute there are three questions. Among images that do not show
the class, is the attribute another where the class is given falsely? Among those that
show it, where it is missed? Images are compared only with others that show the same
further labels, so that a class's look-alikes, which may be bright, do not count as
brightness. And, where the training images are known and the class is missed at all: did
the attribute set the class apart in training more than it does here? That is the
commonest shortcut's mark when all images of a class are missed, so that there is
nothing to compare them with: bars were dark in training, and here they are not. A
change of all images, such as another camera, does not count, since it is asked how the
class differs from the other images of its own set.

A finding is called a *shortcut* if the attribute set the class apart in training and
the errors go the way that teaches: what looks like the class by the attribute alone is
taken for it, what does not is missed. Otherwise errors merely *follow* the attribute,
for whatever reason.
"""

import dataclasses

import numpy as np

from data_pipelines import errors, image_attributes
from inclusive_tf.audit import looks, rank_tests
from inclusive_tf.evaluation import f2
from inclusive_tf.exploration import intervals

FALSE, MISSED, APART = "given falsely", "missed", "set apart more in training"

SHORTCUT, FOLLOWS, NO_ALARM = VERDICTS = ("shortcut", "errors follow it", "no alarm")

LEAST_EFFECT = 0.1
"""Distance from a half that the interval of an effect lies beyond, before it is shown
as an alarm: with many images, effects too small to matter are certain."""

LEAST_IN_TRAINING = 0.3
"""Distance from a half by which a class differed in training, for a shortcut: of ten
images of the class eight have more (or less) of the attribute than another image."""

LEAST_ERRORS = 10
"""Errors, and images without, that a look rests on: normal intervals need some."""

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


def columns(attributes, group, group_names, both=False):
    """Makes one number an image of every attribute.

    Args:
        attributes: `image_attributes.Attributes` of N images, or None.
        group: int [N].
        group_names: their names.
        both: whether of two colours or groups, which say the same the other way round,
            both are given; else only the rarer one is.

    Returns:
        {name: float64 [N]}: numbers as they are, and 0 or 1 for each colour and group,
        as "colour red" and "group north", that some image has and some has not.

    Raises:
        errors.DataError: the attributes are of another number of images.
    """
    found = {}
    if attributes is not None:
        if len(attributes) != len(group):
            raise errors.DataError(
                "the attributes are of other images than the groups",
                expected=f"attributes of {len(group):,} images",
                received=f"{len(attributes):,}",
            )
        found |= {
            name: np.asarray(attributes.values[name], np.float64)
            for name in image_attributes.ORDERED
        }
        found |= _indicators(
            "colour", attributes.colour, image_attributes.COLOURS, both
        )
    found |= _indicators("group", group, group_names, both)
    return {
        name: values for name, values in found.items() if np.unique(values).size > 1
    }


def _indicators(kind, places, names, both):
    """{"kind name": float64 [N], 1 where an image is of it} of all that occur."""
    sizes = np.bincount(places, minlength=len(names))
    kept = np.flatnonzero(sizes)
    if len(kept) == 2 and not both:
        kept = kept[[np.argmin(sizes[kept])]]
    return {
        f"{kind} {names[place]}": (np.asarray(places) == place).astype(np.float64)
        for place in kept.tolist()
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
        A dict: "tests", how many were made; "method", `looks.METHOD`; and "rows", a
        list of dicts, by verdict and of these the strongest first: "label", "name",
        "attribute"; "error", `FALSE`, `MISSED` or `APART`; "effect", {"value", "low",
        "high"}, the chance that an image with the error has more of the attribute than
        one without, or of `APART` that chance for images with and without the class,
        here less in training, half of it above a half; "n", images with the error, and
        "of", without it (of `APART`: all images of the class); "p_value"; "verdict",
        one of `VERDICTS`; "strength", what they are sorted by; "training", the chance
        that a training image of the class has more of the attribute than another, or
        None; and "shares", the share of errors in the lower and the upper half (or
        without and with it), each {"value", "low", "high", "n"}.

    Raises:
        errors.DataError: there is no attribute, or none of the labels is known.
    """
    if not attributes:
        raise errors.DataError(
            "there is no attribute in which the images differ",
            expected="at least two groups, or images to measure",
        )
    sides = _sides(predictions, threshold_logit)
    learnt = _learnt(training, list(attributes))
    tested = [
        *_within(predictions, sides, attributes),
        *_against_training(predictions, sides, attributes, learnt),
    ]
    believed, level = looks.believed([look.found.p_value for look in tested])
    rows = [
        _row(predictions.vocabulary, learnt, level, look, bool(sure))
        for look, sure in zip(tested, believed, strict=True)
    ]
    rows.sort(key=lambda row: (VERDICTS.index(row["verdict"]), -row["strength"]))
    return {
        "tests": len(rows),
        "method": looks.METHOD,
        "rows": rows,
    }


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


@dataclasses.dataclass(frozen=True)
class _Look:
    """One class, one kind of error, one attribute, and what was found."""

    label: int
    error: str
    attribute: str
    found: rank_tests.Effect | rank_tests.Change
    shares: list
    n: int
    of: int


def _within(predictions, sides, attributes):
    """Looks at errors beside the same class's right answers."""
    stratum_of = _Strata(predictions.truth.present())
    looked = []
    for label, kinds in enumerate(sides):
        for error, (rows, wrong) in kinds.items():
            if min(wrong.sum(), (~wrong).sum()) < LEAST_ERRORS:
                continue
            strata = stratum_of.without(label)[rows]
            for name, values in attributes.items():
                found = rank_tests.effect(values[rows], wrong, strata)
                if min(found.first, found.others) < LEAST_ERRORS:
                    continue
                shares = _shares(values[rows], wrong)
                looked.append(
                    _Look(label, error, name, found, shares, found.first, found.others)
                )
    return [look for look in looked if not np.isnan(look.found.p_value)]


def _against_training(predictions, sides, attributes, learnt):
    """Looks at how a class that is missed differs from others, here and in training."""
    nothing = np.zeros(len(predictions), np.int64)
    looked = []
    for label, kinds in enumerate(sides):
        (rows, wrong), (others, _) = kinds[MISSED], kinds[FALSE]
        if wrong.sum() < LEAST_ERRORS:
            continue
        among = np.concatenate([rows, others])
        shows = np.arange(len(among)) < len(rows)
        for name, values in attributes.items():
            before = learnt.get((label, name), rank_tests.NONE)
            here = rank_tests.effect(values[among], shows, nothing[: len(among)])
            found = rank_tests.change(before, here)
            if np.isnan(found.p_value):
                continue
            shares = _shares(values[rows], wrong)
            looked.append(
                _Look(label, APART, name, found, shares, int(wrong.sum()), len(rows))
            )
    return looked


class _Strata:
    """Which images show the same labels, whatever is left out of account."""

    def __init__(self, present):
        # a sum of random words tells sets of labels apart
        self._words = np.random.default_rng(0).integers(
            0, 2**63, present.num_classes, np.uint64
        )
        self._present, self._rows = present, present.rows()
        self._sums = np.zeros(len(present), np.uint64)
        np.add.at(self._sums, self._rows, self._words[present.index])

    def without(self, label):
        """Returns int64 [N]: equal for images that show the same labels but `label`."""
        sums = self._sums.copy()
        sums[self._rows[self._present.index == label]] -= self._words[label]
        _, stratum, sizes = np.unique(sums, return_inverse=True, return_counts=True)
        return np.where(sizes[stratum] >= MIN_STRATUM, stratum, -1)


def _learnt(training, names):
    """{(label, name): `Effect` of the attribute on showing the label in training}."""
    if training is None:
        return {}
    nothing = np.zeros(len(training.shown), np.int64)
    return {
        (label, name): rank_tests.effect(
            training.attributes[name], training.shown[:, label], nothing
        )
        for name in names
        if name in training.attributes
        for label in range(training.shown.shape[1])
    }


def _row(vocabulary, learnt, level, look, believed):
    low, high = look.found.ends(level)
    beyond = max(low - 0.5, 0.5 - high, 0.0)
    taught = learnt.get((look.label, look.attribute), rank_tests.NONE).value
    verdict = NO_ALARM
    if believed and beyond >= LEAST_EFFECT:
        verdict = FOLLOWS
        if abs(taught - 0.5) >= LEAST_IN_TRAINING and _agrees(look, taught):
            verdict = SHORTCUT
        elif look.error == APART:
            # the class differs here by what it did not in training: no shortcut
            verdict = NO_ALARM
    strength = 2 * beyond * (2 * abs(taught - 0.5) if verdict == SHORTCUT else 1)
    if look.error == APART:
        strength *= look.n / look.of
    return {
        "label": vocabulary.ids[look.label],
        "name": vocabulary.names[look.label],
        "attribute": look.attribute,
        "error": look.error,
        "effect": {"value": look.found.value, "low": low, "high": high},
        "n": look.n,
        "of": look.of,
        "p_value": look.found.p_value,
        "verdict": verdict,
        "strength": float(strength),
        "training": None if np.isnan(taught) else float(taught),
        "shares": look.shares,
    }


def _agrees(look, taught):
    """Whether errors go the way that training taught."""
    way = (taught - 0.5) * (look.found.value - 0.5)
    return way > 0 if look.error == FALSE else way < 0


def _shares(values, wrong):
    """Share of errors below and above the median, or without and with an attribute."""
    upper = values > (np.median(values) if np.unique(values).size > 2 else values.min())
    return [
        intervals.share(int(part.sum()), len(part))
        for part in (wrong[~upper], wrong[upper])
    ]
