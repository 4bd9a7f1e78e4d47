"""An adaptation: a threshold, and perhaps a new last layer, fitted on a tuning set."""

import dataclasses
import json
import pathlib

import numpy as np

from data_pipelines import atomic, errors
from inclusive_tf import predictions as predictions_module
from inclusive_tf.adaptation import folds as folds_module
from inclusive_tf.adaptation import last_layer as last_layers
from inclusive_tf.adaptation import thresholds
from inclusive_tf.evaluation import f2, measures

FORMAT = 1
PLAIN_THRESHOLD = 0.0
"""The logit of probability 0.5: what is used when no threshold is fitted."""


@dataclasses.dataclass(frozen=True)
class Adaptation:
    """What to change in predictions, and what it was fitted on.

    Args:
        name: such as "last layer + threshold".
        threshold_logit: a label is given from this logit on.
        kernel: float32 [D, C] or None; the new last layer.
        bias: float32 [C] or None.
        vocabulary_hash: of the vocabulary it speaks of.
        fitted_ids: str [n]; the tuning images, which must not be evaluated on.
        fitted_on: {"images", "without_known_labels": how many were left out for that,
            "present_labels", "source"}.
        figures: {"mean_f2", "estimate"}: how it did on the tuning set; after a refit of
            the last layer further "penalty", "penalties" (the table) and
            "penalty_at_end_of_grid" ("lowest", "highest" or None).
        layer_hash: `predictions.Predictions.layer_hash` of the model it was fitted for;
            "" where that is not known.
    """

    name: str
    threshold_logit: float
    kernel: np.ndarray | None
    bias: np.ndarray | None
    vocabulary_hash: str
    fitted_ids: np.ndarray
    fitted_on: dict
    figures: dict
    layer_hash: str = ""

    def save(self, folder):
        """Writes adaptation.json and arrays, whole or not at all, with SHA-256 sums."""
        arrays = {"fitted_ids.npy": np.asarray(self.fitted_ids, str)}
        if self.kernel is not None:
            arrays |= {"kernel.npy": self.kernel, "bias.npy": self.bias}
        with atomic.folder(folder) as temporary:
            for name, array in arrays.items():
                np.save(temporary / name, array, allow_pickle=False)
            atomic.write_json(
                temporary / "adaptation.json",
                {
                    "format": FORMAT,
                    "name": self.name,
                    "threshold_logit": self.threshold_logit,
                    "vocabulary_hash": self.vocabulary_hash,
                    "layer_hash": self.layer_hash,
                    "fitted_on": self.fitted_on,
                    "figures": self.figures,
                    "sha256": {
                        name: atomic.sha256(temporary / name) for name in arrays
                    },
                },
            )


def fit(tuning, last_layer, threshold, seed=0, folds=5, name=None):
    """Fits a last layer, a global threshold, both or neither.

    After a refit the threshold is fitted on logits out of fold, since in-sample logits
    are further from 0 than those of new images will be. Images of which no label is
    known are left out, and images of one `tuning.cluster` stay in one fold.

    Args:
        tuning: `predictions.Predictions` of the tuning set; for a refit with the last
            layer that made them.
        last_layer: whether to refit the last layer.
        threshold: whether to fit the threshold; otherwise it is probability 0.5.
        seed: of the folds.
        folds: how many.
        name: for tables; by default it says what was fitted.

    Returns:
        `Adaptation`.

    Raises:
        errors.DataError: the predictions lack the last layer, no label is known, all
            labels lie in one fold, or there are fewer images or clusters than `folds`.
    """
    known = measures.with_known_labels(tuning)
    truth, absent, clusters = known.truth, known.unlisted_is_absent, known.cluster
    logits, new_kernel, new_bias = known.logits, None, None
    figures, fold_of = {}, None
    if last_layer:
        refitted = _refit(known, folds, seed)
        logits, fold_of = refitted.out_of_fold, refitted.folds
        new_kernel, new_bias = refitted.kernel, refitted.bias
        figures |= {
            "penalty": refitted.penalty,
            "penalty_at_end_of_grid": refitted.end_of_grid,
            "penalties": refitted.table,
        }
    threshold_logit = PLAIN_THRESHOLD
    if threshold:
        if fold_of is None:
            fold_of = folds_module.assign(len(truth), folds, seed, clusters)
        figures["mean_f2"] = thresholds.cross_fitted_mean_f2(
            logits, truth, fold_of, absent
        )
        fitted = thresholds.global_threshold(logits, truth, absent)
        threshold_logit = fitted.threshold_logit
    else:
        figures["mean_f2"] = f2.mean_f2(logits, threshold_logit, truth, absent)
    cross_fitted = last_layer or threshold
    figures["estimate"] = f"{folds}-fold" if cross_fitted else "nothing was fitted"
    parts = [("last layer", last_layer), ("threshold", threshold)]
    return Adaptation(
        name or " + ".join(part for part, used in parts if used) or "plain",
        threshold_logit,
        new_kernel,
        new_bias,
        tuning.vocabulary.hash,
        np.array(tuning.ids),
        {
            "images": len(known),
            "without_known_labels": len(tuning) - len(known),
            "present_labels": int(np.count_nonzero(truth.counts())),
            "source": tuning.source,
        },
        figures,
        tuning.layer_hash,
    )


def _refit(known, folds, seed):
    if known.kernel is None:
        raise errors.DataError(
            "a last layer is refitted from the one that made the predictions, and "
            "these predictions do not hold it",
            expected="predictions with kernel and bias; predict again with "
            "`tools.predict`",
        )
    return last_layers.refit(
        known.features,
        known.truth,
        known.kernel,
        known.bias,
        known.unlisted_is_absent,
        folds=folds,
        seed=seed,
        clusters=known.cluster,
    )


def apply(adaptation, predictions):
    """Applies an adaptation to predictions of other images.

    Args:
        adaptation: `Adaptation`.
        predictions: `predictions.Predictions` of none of the tuning images.

    Returns:
        (`predictions.Predictions` with the new last layer and its logits, or the same
        when it stayed; threshold_logit).

    Raises:
        errors.DataError: the vocabularies, the last layers or the widths of the
            features differ, or the predictions hold images of the tuning set. The last
            layer tells models apart; it is not compared where one side lacks it.
    """
    if adaptation.vocabulary_hash != predictions.vocabulary.hash:
        raise errors.DataError(
            "the adaptation is of another vocabulary",
            expected=f"vocabulary {adaptation.vocabulary_hash[:12]}",
            received=f"vocabulary {predictions.vocabulary.hash[:12]}",
        )
    if "" not in (adaptation.layer_hash, predictions.layer_hash):
        _require_same_model(
            f"last layer {adaptation.layer_hash}",
            f"last layer {predictions.layer_hash}",
        )
    shared = np.intersect1d(adaptation.fitted_ids, predictions.ids)
    if len(shared):
        raise errors.DataError(
            "the tuning set shares images with what is to be evaluated",
            expected="other images; leave these out first",
            received=f"{len(shared)} shared, first {', '.join(shared[:3])}",
        )
    if adaptation.kernel is None:
        return predictions, adaptation.threshold_logit
    width = predictions.features.shape[1]
    _require_same_model(f"{len(adaptation.kernel)} features", f"{width} features")
    logits = np.asarray(predictions.features, np.float32) @ adaptation.kernel
    logits += adaptation.bias
    source = {**predictions.source, "adaptation": adaptation.name}
    changed = dataclasses.replace(
        predictions,
        logits=logits,
        source=source,
        kernel=adaptation.kernel,
        bias=adaptation.bias,
    )
    return changed, adaptation.threshold_logit


def _require_same_model(expected, received):
    if expected != received:
        raise errors.DataError(
            "the adaptation is of another model", expected=expected, received=received
        )


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
        folder: path written by `Adaptation.save`.

    Raises:
        errors.DataError: the folder is missing, of another format, or changed.
    """
    folder = pathlib.Path(folder)
    try:
        stored = json.loads((folder / "adaptation.json").read_text("utf-8"))
        if stored["format"] != FORMAT:
            raise errors.DataError(
                "an adaptation of another format",
                expected=f"format {FORMAT}",
                received=stored["format"],
                file=folder,
            )
        arrays = {}
        for name, expected in stored["sha256"].items():
            path = folder / pathlib.PurePath(name).name
            if atomic.sha256(path) != expected:
                raise errors.DataError(
                    "the file does not match its sum in adaptation.json", file=path
                )
            arrays[name] = np.load(path, allow_pickle=False)
        return Adaptation(
            stored["name"],
            float(stored["threshold_logit"]),
            arrays.get("kernel.npy"),
            arrays.get("bias.npy"),
            stored["vocabulary_hash"],
            arrays["fitted_ids.npy"],
            stored["fitted_on"],
            stored["figures"],
            stored.get("layer_hash", ""),
        )
    except errors.DataError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.DataError(
            "not an adaptation folder",
            expected="a folder that `tools.adapt` wrote",
            received=f"{type(error).__name__}: {error}",
            file=folder,
        ) from error
