"""The parts of an adaptation, fitted one after another.

Every later part is fitted on what the earlier ones give for images that they did not
see: logits out of fold after a refit of the last layer or a count of the labels.
"""

import dataclasses

import numpy as np

from data_pipelines import errors
from inclusive_tf import chunks
from inclusive_tf import predictions as predictions_module
from inclusive_tf.adaptation import folds as folds_module
from inclusive_tf.adaptation import last_layer as last_layers
from inclusive_tf.adaptation import logit_line, rules
from inclusive_tf.adaptation import priors as priors_module
from inclusive_tf.adaptation import smoothing as smoothing_module
from inclusive_tf.adaptation import temperature as temperatures
from inclusive_tf.evaluation import f2

PRIORS = {
    "none": "",
    "em": "priors by EM",
    "bbse": "priors by BBSE",
    "counted": "counted priors",
}
"""Every way to correct priors, and how tables name it."""

_BY_TARGET = ("em", "bbse")
_CHUNK_CELLS = 1 << 20


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is fitted.

    Args:
        last_layer: whether the last layer is refitted.
        group_balanced: whether each group counts the same in that.
        temperature: whether logits are brought to probabilities by one line for all
            labels: on `source` where it is given, else on the tuning set.
        priors: one of `PRIORS`.
        rule: one of `rules.NAMES`.
        folds: of the cross-validation.
        seed: of the folds.
        associations: whether scores are smoothed by associations of labels.
        association_strength: how strongly, at least 0; None chooses by
            cross-validation.

    Raises:
        errors.SettingError: an unknown name, group balance without a last layer, or a
            strength without associations.
    """

    last_layer: bool = False
    group_balanced: bool = False
    temperature: bool = False
    priors: str = "none"
    rule: str = "none"
    folds: int = 5
    seed: int = 0
    associations: bool = False
    association_strength: float | None = None

    def __post_init__(self):
        rules.require(self.rule)
        if self.priors not in PRIORS:
            raise errors.SettingError(
                f"there is no way {self.priors!r} to correct priors; expected one of "
                f"{', '.join(PRIORS)}"
            )
        if self.group_balanced and not self.last_layer:
            raise errors.SettingError(
                "groups are balanced in the refit of the last layer; ask for that too"
            )
        if self.association_strength is not None and not self.associations:
            raise errors.SettingError(
                "the strength of associations needs associations; received none"
            )

    @property
    def name(self):
        """What is fitted, for tables; "plain" where nothing is."""
        layer = "group-balanced last layer" if self.group_balanced else "last layer"
        parts = [
            layer if self.last_layer else "",
            "temperature" if self.temperature else "",
            PRIORS[self.priors],
            "associations" if self.associations else "",
            rules.NAMES[self.rule],
        ]
        return " + ".join(part for part in parts if part) or "plain"


@dataclasses.dataclass(frozen=True)
class Parts:
    """What was fitted.

    Args:
        decision: as `rules` has it.
        kernel: float32 [D, C] or None; a new last layer, with calibration and priors
            in it.
        bias: float32 [C] or None.
        slope: what logits are multiplied by where there is no new layer.
        intercept: float32 [C], added then, or None.
        figures: how it did, as a dict that JSON can hold.
        smoothing: `smoothing.Smoothing` or None.
    """

    decision: object
    kernel: np.ndarray | None
    bias: np.ndarray | None
    slope: float
    intercept: np.ndarray | None
    figures: dict
    smoothing: smoothing_module.Smoothing | None = None


def fit(known, settings, source=None, target=None, associations=None):
    """Fits what is asked for.

    Args:
        known: `predictions.Predictions` of labelled images of the tuning set.
        settings: `Settings`.
        source: `predictions.Predictions` of labelled images like those of the training,
            for priors by EM or BBSE; None takes `known` as such, and then there are no
            labels of the target that a threshold could be fitted on.
        target: `predictions.Predictions` of the target, whose labels are not looked at;
            for EM and BBSE, else None.
        associations: `associations.Associations` where settings ask for them.

    Returns:
        `Parts`.

    Raises:
        errors.SettingError: parts that do not go together.
        errors.DataError: the predictions do not fit each other or the settings, or a
            logit is not finite.
    """
    _require_fit(known, settings, source, target)
    for one in (known, source, target):
        if one is not None:
            _require_finite(one)
    if settings.associations:
        _require_associations(known, settings, source, associations)
    work = _Work(known, settings, source, target)
    if settings.last_layer:
        work.refit()
    if settings.temperature:
        work.calibrate()
    if settings.priors in _BY_TARGET:
        work.shift_to_target()
    elif settings.priors == "counted":
        work.count()
    if settings.associations:
        work.smooth(associations)
    return work.finish()


class _Work:
    """The state between the steps: logits to fit on, and what was found so far."""

    def __init__(self, known, settings, source, target):
        self._known, self._settings = known, settings
        self._source, self._target = source, target
        self._truth, self._absent = known.truth, known.unlisted_is_absent
        self._logits, self._fold_of = known.logits, None
        self._layer, self._slope, self._offset, self._shift = None, 1.0, 0.0, None
        self._moved = None
        self._smoothed = None
        self._figures = {}

    def refit(self):
        settings, known = self._settings, self._known
        weights = last_layers.group_weights(known.group)
        found = last_layers.refit(
            known.features,
            known.truth,
            known.kernel,
            known.bias,
            known.unlisted_is_absent,
            folds=settings.folds,
            seed=settings.seed,
            clusters=known.cluster,
            weights=weights if settings.group_balanced else None,
        )
        self._logits, self._fold_of = found.out_of_fold, found.folds
        self._layer = found.kernel, found.bias
        self._figures |= {
            "penalty": found.penalty,
            "penalty_at_end_of_grid": found.end_of_grid,
            "penalties": found.table,
        }

    def calibrate(self):
        labelled = self._labelled()
        found = temperatures.fit(*labelled)
        self._slope, self._offset = found.slope, found.offset
        self._figures["temperature"] = {
            "temperature": found.temperature,
            "offset": found.offset,
            "log_loss": list(found.log_loss),
            "calibration_error": list(found.calibration_error),
        }

    def shift_to_target(self):
        logits, truth, absent = self._labelled()
        target = self._target.logits
        if self._layer is not None:
            target = logit_line.layer_logits(self._target.features, *self._layer)
        if self._settings.priors == "em":
            found = priors_module.em(truth, target, absent, self._slope, self._offset)
        else:
            found = priors_module.bbse(logits, truth, target, absent)
        self._take_over(found)

    def count(self):
        line = self._absent, self._slope, self._offset
        fold_of = self._folds()
        folds_module.require_labels(fold_of, self._truth)
        moved = np.empty(self._logits.shape, np.float32)
        for fold in np.unique(fold_of):
            inside = fold_of == fold
            found = priors_module.counted(
                self._logits[~inside], self._truth.take(~inside), *line
            )
            moved[inside] = logit_line.move(
                self._logits[inside], self._slope, self._offset + found.shift
            )
        self._moved = moved
        self._take_over(priors_module.counted(self._logits, self._truth, *line))

    def smooth(self, associations):
        settings = self._settings
        self._smoothed = smoothing_module.fit(
            associations.weights,
            self._moved_logits(),
            self._truth,
            settings.rule,
            self._folds(),
            self._absent,
            settings.association_strength,
        )
        self._figures["associations"] = self._smoothed.facts

    def finish(self):
        settings = self._settings
        line = self._slope, self._intercept()
        smoothed = self._smoothed
        logits = self._moved_logits() if smoothed is None else smoothed.logits
        fold_of = self._folds() if settings.rule in rules.FITTED else None
        decision, facts = rules.fit(
            settings.rule, logits, self._truth, fold_of, self._absent
        )
        figures = self._figures | ({"rule": facts} if facts else {})
        figures |= self._estimate(logits, fold_of)
        added = None if smoothed is None else smoothed.smoothing
        if self._layer is None:
            return Parts(decision, None, None, *line, figures, added)
        kernel, bias = logit_line.moved_layer(*self._layer, *line)
        return Parts(decision, kernel, bias, 1.0, None, figures, added)

    def _estimate(self, logits, fold_of):
        settings = self._settings
        if settings.priors in _BY_TARGET and self._source is None:
            before = logit_line.move(self._logits, self._slope, self._offset)
            decision, _ = rules.fit(settings.rule, before, self._truth, None)
            score = f2.mean_f2(
                *rules.apply(decision, before), self._truth, self._absent
            )
            return {"mean_f2": score, "estimate": "source images, before the shift"}
        if self._smoothed is not None and self._smoothed.mean_f2 is not None:
            said = f"{settings.folds}-fold, each choosing its own strength"
            return {"mean_f2": self._smoothed.mean_f2, "estimate": said}
        score = rules.cross_fitted_mean_f2(
            settings.rule, logits, self._truth, fold_of, self._absent
        )
        return {"mean_f2": score, "estimate": self._name_of_estimate()}

    def _name_of_estimate(self):
        settings = self._settings
        # the parts that are judged on images that they were not fitted on
        if (
            settings.rule in rules.FITTED
            or settings.last_layer
            or settings.priors == "counted"
        ):
            return f"{settings.folds}-fold"
        smooths = self._smoothed is not None and self._smoothed.smoothing is not None
        if settings.temperature or settings.priors != "none" or smooths:
            return "no rule was fitted"
        return "nothing was fitted"

    def _moved_logits(self):
        if self._moved is not None:
            return self._moved
        return logit_line.move(self._logits, self._slope, self._intercept())

    def _labelled(self):
        """(logits, truth, unlisted_is_absent) that speak of the training's place."""
        if self._source is None:
            return self._logits, self._truth, self._absent
        one = self._source
        return one.logits, one.truth, one.unlisted_is_absent

    def _folds(self):
        if self._fold_of is None:
            settings, clusters = self._settings, self._known.cluster
            self._fold_of = folds_module.assign(
                len(self._truth), settings.folds, settings.seed, clusters
            )
        return self._fold_of

    def _take_over(self, found):
        self._shift = found.shift
        self._figures["priors"] = {
            "moved_labels": int(np.count_nonzero(found.shift)),
            "median_shift": float(np.median(np.abs(found.shift))),
            "notes": found.notes(),
        }

    def _intercept(self):
        if self._shift is not None:
            return (self._offset + self._shift).astype(np.float32)
        if self._offset:
            return np.full(self._logits.shape[1], self._offset, np.float32)
        return None


def _require_fit(known, settings, source, target):
    by_target = settings.priors in _BY_TARGET
    if by_target and target is None:
        raise errors.SettingError(
            "priors by EM or BBSE are estimated from predictions of the target; "
            "expected them, received none"
        )
    if not by_target and (source is not None or target is not None):
        raise errors.SettingError(
            "source and target are used by priors by EM or BBSE alone; received "
            f"priors {settings.priors!r}"
        )
    if by_target and source is None and settings.rule in rules.FITTED:
        raise errors.SettingError(
            "a threshold for the target is fitted on labelled images of the target: "
            "give those as predictions and the labelled images of the training's place "
            "as source, or use the rule none or expected_f2"
        )
    if settings.last_layer and source is not None:
        raise errors.SettingError(
            "a last layer refitted on the target has the target's priors; expected "
            "either a refit or priors with a source"
        )
    if settings.last_layer and known.kernel is None:
        raise errors.DataError(
            "a last layer is refitted from the one that made the predictions, and "
            "these predictions do not hold it",
            expected="predictions with kernel and bias; predict again with "
            "`tools.predict`, and without --view_mean=probabilities",
            received=known.variant or "predictions without them",
        )
    if settings.group_balanced and len(np.unique(known.group)) < 2:
        raise errors.DataError(
            "groups cannot be balanced",
            expected="tuning images of at least 2 groups",
            received=f"{len(np.unique(known.group))}",
        )
    for other in (source, target):
        if other is not None:
            predictions_module.require_same_vocabulary(known, other)
            predictions_module.require_same_model(
                known, other, "the predictions are of different models"
            )


def _require_finite(predictions):
    for rows in chunks.rows(predictions.logits, _CHUNK_CELLS):
        finite = np.isfinite(predictions.logits[rows]).all(axis=1)
        if not finite.all():
            image = rows.start + int(np.argmin(finite))
            logits = predictions.logits[image]
            raise errors.DataError(
                f"a logit of image {predictions.ids[image]} is not finite",
                expected="finite logits",
                received=str(logits[~np.isfinite(logits)][0]),
            )


def _require_associations(known, settings, source, associations):
    if settings.priors in _BY_TARGET and source is None:
        raise errors.SettingError(
            "associations for the target are fitted on labelled images of the target: "
            "give those as predictions and the labelled images of the training's place "
            "as source"
        )
    if associations.vocabulary.hash != known.vocabulary.hash:
        raise errors.DataError(
            "the associations are of another vocabulary",
            expected=f"vocabulary {known.vocabulary.hash[:12]}",
            received=f"vocabulary {associations.vocabulary.hash[:12]}",
        )
    shared = np.intersect1d(associations.counted_ids, known.ids)
    if len(shared):
        raise errors.DataError(
            "the associations were counted on labels of the tuning set",
            expected="associations of other images, such as those of the training",
            received=f"{len(shared)} shared, first {', '.join(shared[:3])}",
        )
