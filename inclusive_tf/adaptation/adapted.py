"""An adaptation: what changes in predictions of a new place, and how sets are decided.

Logits are remade by a new last layer or moved by slope * z + intercept (a temperature,
shifted priors) and smoothed by associations of labels; then one threshold, one a label,
or a cut an image decides. Applying it gives predictions and a threshold, which is all
that evaluation, explanation and submission look at.
"""

import dataclasses
import os

import numpy as np

from data_pipelines import errors
from inclusive_tf import predictions as predictions_module
from inclusive_tf.adaptation import (
    association_files,
    fitting,
    logit_line,
    rules,
    stored,
)
from inclusive_tf.evaluation import measures

PLAIN_THRESHOLD = rules.PLAIN_THRESHOLD
_OTHER_MODEL = "the adaptation is of another model"


@dataclasses.dataclass(frozen=True)
class Adaptation:
    """What to change in predictions, and what it was fitted on.

    Args:
        name: such as "last layer + threshold".
        decision: float or float64 [C], the logit from which a label is given, or
            `rules.EXPECTED_F2`; of the logits that this adaptation makes.
        kernel: float32 [D, C] or None; the new last layer.
        bias: float32 [C] or None.
        vocabulary_hash: of the vocabulary it speaks of.
        fitted_ids: str [n]; the images whose labels were looked at, which must not be
            evaluated on.
        fitted_on: {"images", "without_known_labels": how many were left out for that,
            "present_labels", "source"}; with priors by EM or BBSE further
            "target_images" and, where there is a source apart, "source_images".
        figures: {"mean_f2", "estimate"}: how it did on the tuning set; after a refit of
            the last layer further "penalty", "penalties" (the table) and
            "penalty_at_end_of_grid" ("lowest", "highest" or None); "temperature",
            "priors" and "rule" where those were fitted.
        layer_hash: `predictions.Predictions.layer_hash` of the model it was fitted for;
            "" where that is not known.
        slope: what logits are multiplied by where there is no new last layer.
        intercept: float32 [C], added then, or None.
        smoothing: `smoothing.Smoothing` of the logits by associated labels, or None.
        variant: `predictions.Predictions.variant` of what it was fitted on.
    """

    name: str
    decision: object
    kernel: np.ndarray | None
    bias: np.ndarray | None
    vocabulary_hash: str
    fitted_ids: np.ndarray
    fitted_on: dict
    figures: dict
    layer_hash: str = ""
    slope: float = 1.0
    intercept: np.ndarray | None = None
    smoothing: object = None
    variant: str = ""

    @property
    def threshold_logit(self):
        """Float or float64 [C]: the decision on the logits of the last layer.

        That layer is `kernel` and `bias`, or the model's own where they are None: a
        model that is served needs nothing else to decide as this adaptation does.

        Raises:
            errors.SettingError: each image has its own cut, or logits are smoothed.
        """
        if self.smoothing is not None:
            raise errors.SettingError(
                "scores smoothed by associations have no threshold on the scores of "
                "single labels; expected an adaptation without --associations, "
                f"received {self.name!r}"
            )
        if rules.is_expected_f2(self.decision):
            raise errors.SettingError(
                "sets of the best expected F2 have no threshold that is the same for "
                "all images; expected an adaptation with another rule, such as "
                f"--threshold=global, received {self.name!r}"
            )
        if self.slope == 1.0 and self.intercept is None:
            return self.decision
        intercept = 0.0 if self.intercept is None else self.intercept.astype(float)
        return (self.decision - intercept) / self.slope

    def save(self, folder):
        """Writes adaptation.json and arrays, whole or not at all, with SHA-256 sums."""
        names = [field.name for field in dataclasses.fields(self)]
        stored.write(folder, {name: getattr(self, name) for name in names})


def fit(
    tuning,
    last_layer,
    threshold,
    seed=0,
    folds=5,
    name=None,
    *,
    group_balanced=False,
    temperature=False,
    priors="none",
    source=None,
    target=None,
    associations="",
    association_strength=None,
):
    """Fits what is asked for, one part after another.

    After a refit or a count of the labels the rule is fitted on logits out of fold,
    since in-sample logits are further from 0 than those of new images will be. Images
    of which no label is known are left out, and images of one `tuning.cluster` stay in
    one fold.

    Args:
        tuning: `predictions.Predictions` of the tuning set; for a refit with the last
            layer that made them.
        last_layer: whether to refit the last layer.
        threshold: one of `rules.NAMES`; True is "global", False "none".
        seed: of the folds.
        folds: how many.
        name: for tables; by default it says what was fitted.
        group_balanced: whether each group counts the same in the refit.
        temperature: whether to calibrate logits by one line for all labels.
        priors: one of `fitting.PRIORS`.
        source: labelled `predictions.Predictions` of images like those of the training,
            for priors "em" and "bbse"; None takes the tuning set as such.
        target: `predictions.Predictions` of the target for these two; its labels are
            not looked at.
        associations: `associations.Associations` to smooth scores by, or their folder;
            empty: none.
        association_strength: how strongly, at least 0; None chooses by
            cross-validation.

    Returns:
        `Adaptation`.

    Raises:
        errors.DataError: the predictions lack the last layer, no label is known, all
            labels lie in one fold, there are fewer images or clusters than `folds`, or
            source, target and tuning set are of different vocabularies or models, or
            associations of another vocabulary or counted on images of the tuning set.
        errors.SettingError: an unknown name, or parts that do not go together.
    """
    if isinstance(associations, str | os.PathLike):
        folder = associations
        associations = association_files.load(folder) if str(folder) else None
    if isinstance(threshold, bool):
        threshold = "global" if threshold else "none"
    settings = fitting.Settings(
        last_layer,
        group_balanced,
        temperature,
        priors,
        threshold,
        folds,
        seed,
        associations is not None,
        association_strength,
    )
    known = measures.with_known_labels(tuning)
    labelled = source if source is None else measures.with_known_labels(source)
    parts = fitting.fit(known, settings, labelled, target, associations)
    fitted_on = {
        "images": len(known),
        "without_known_labels": len(tuning) - len(known),
        "present_labels": int(np.count_nonzero(known.truth.counts())),
        "source": tuning.source,
    }
    fitted_ids = np.array(tuning.ids)
    if target is not None:
        fitted_on["target_images"] = len(target)
    if source is not None:
        fitted_on["source_images"] = len(labelled)
        fitted_ids = np.union1d(fitted_ids, source.ids)
    if parts.smoothing is not None and len(associations.counted_ids):
        fitted_on["association_images"] = len(associations.counted_ids)
        fitted_ids = np.union1d(fitted_ids, associations.counted_ids)
    return Adaptation(
        name or settings.name,
        parts.decision,
        parts.kernel,
        parts.bias,
        tuning.vocabulary.hash,
        fitted_ids,
        fitted_on,
        parts.figures,
        tuning.layer_hash,
        parts.slope,
        parts.intercept,
        parts.smoothing,
        tuning.variant,
    )


def apply(adaptation, predictions):
    """Applies an adaptation to predictions of other images.

    Args:
        adaptation: `Adaptation`.
        predictions: `predictions.Predictions` of none of the tuning images.

    Returns:
        (`predictions.Predictions`, the same when logits stay; threshold, float or
        float64 [C]: a label is given from it on). After sets of the best expected F2
        the logits are those less the cut of their image, and the threshold is 0.

    Raises:
        errors.DataError: the vocabularies, the last layers, the variants, the numbers
            of labels or the widths of the features differ, or the predictions hold
            images of the tuning set. The last layer tells models apart; it is not
            compared where one side lacks it.
    """
    if adaptation.vocabulary_hash != predictions.vocabulary.hash:
        raise errors.DataError(
            "the adaptation is of another vocabulary",
            expected=f"vocabulary {adaptation.vocabulary_hash[:12]}",
            received=f"vocabulary {predictions.vocabulary.hash[:12]}",
        )
    predictions_module.require_same_model(adaptation, predictions, _OTHER_MODEL)
    _require_labels(adaptation, len(predictions.vocabulary))
    shared = np.intersect1d(adaptation.fitted_ids, predictions.ids)
    if len(shared):
        raise errors.DataError(
            "the tuning set shares images with what is to be evaluated",
            expected="other images; leave these out first",
            received=f"{len(shared)} shared, first {', '.join(shared[:3])}",
        )
    return _changed(adaptation, predictions)


def _require_labels(adaptation, count):
    """Refuses what an adaptation holds for each of another number of labels."""
    smoothing = adaptation.smoothing
    by_label = {
        "thresholds": adaptation.decision,
        "intercept": adaptation.intercept,
        "associations": None if smoothing is None else smoothing.centre,
    }
    for name, values in by_label.items():
        if np.ndim(values) and values.shape != (count,):
            raise errors.DataError(
                _OTHER_MODEL,
                expected=f"{count} labels in {name}",
                received=f"shape {values.shape}",
            )


def _changed(adaptation, predictions):
    kernel, bias = predictions.kernel, predictions.bias
    if adaptation.kernel is not None:
        width = predictions.features.shape[1]
        if width != len(adaptation.kernel):
            raise errors.DataError(
                _OTHER_MODEL,
                expected=f"{len(adaptation.kernel)} features",
                received=f"{width} features",
            )
        kernel, bias = adaptation.kernel, adaptation.bias
        logits = logit_line.layer_logits(predictions.features, kernel, bias)
    else:
        line = adaptation.slope, adaptation.intercept
        logits = logit_line.move(predictions.logits, *line)
        if kernel is not None and logits is not predictions.logits:
            kernel, bias = logit_line.moved_layer(kernel, bias, *line)
    if adaptation.smoothing is not None:
        logits = adaptation.smoothing.apply(logits)
        kernel = bias = None  # no last layer makes logits that lean on each other
    is_new = logits is not predictions.logits
    logits, threshold = rules.apply(adaptation.decision, logits, in_place=is_new)
    if logits is predictions.logits:
        return predictions, threshold
    if rules.is_expected_f2(adaptation.decision):
        kernel = bias = None  # no last layer makes logits less a cut of their image
    source = {**predictions.source, "adaptation": adaptation.name}
    changed = dataclasses.replace(
        predictions, logits=logits, source=source, kernel=kernel, bias=bias
    )
    return changed, threshold


def load_decided(
    folder,
    adaptation_folder=None,
    threshold_logit=PLAIN_THRESHOLD,
    leave_out_fitted=False,
):
    """Reads predictions and says from which logit on they give a label.

    Args:
        folder: of predictions.
        adaptation_folder: of an adaptation to apply, or None.
        threshold_logit: used when there is no adaptation.
        leave_out_fitted: whether to drop images of the tuning set instead of refusing
            them.

    Returns:
        (`predictions.Predictions`, threshold_logit).

    Raises:
        errors.DataError: as `predictions.load`, `load` and `apply`.
    """
    predictions = predictions_module.load(folder)
    if not adaptation_folder:
        return predictions, threshold_logit
    adaptation = load(adaptation_folder)
    if leave_out_fitted:
        predictions = without_fitted(adaptation, predictions)
    return apply(adaptation, predictions)


def without_fitted(adaptation, predictions):
    """Returns the predictions of images that the adaptation was not fitted on."""
    return predictions.take(~np.isin(predictions.ids, adaptation.fitted_ids))


def load(folder):
    """Reads an adaptation.

    Args:
        folder: path written by `Adaptation.save`, also by versions that knew one
            threshold only.

    Raises:
        errors.DataError: the folder is missing, of another format, or changed.
    """
    return Adaptation(**stored.read(folder))
