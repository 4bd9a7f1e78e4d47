"""An adaptation: a threshold, and perhaps a new last layer, fitted on a tuning set."""

import dataclasses
import hashlib
import json
import pathlib
import zipfile

import numpy as np

from data_pipelines import atomic, errors
from inclusive_tf import predictions as predictions_module
from inclusive_tf.adaptation import folds as folds_module
from inclusive_tf.adaptation import last_layer as last_layers
from inclusive_tf.adaptation import thresholds
from inclusive_tf.evaluation import f2

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
        fitted_on: {"images", "present_labels", "source"}.
        figures: {"mean_f2", "estimate", ...}: how it did on the tuning set, and the
            table of penalties when the last layer was refitted.
    """

    name: str
    threshold_logit: float
    kernel: np.ndarray | None
    bias: np.ndarray | None
    vocabulary_hash: str
    fitted_ids: np.ndarray
    fitted_on: dict
    figures: dict

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
                    "fitted_on": self.fitted_on,
                    "figures": self.figures,
                    "sha256": {name: _sha256(temporary / name) for name in arrays},
                },
            )


def fit(
    tuning,
    last_layer,
    threshold,
    kernel=None,
    bias=None,
    seed=0,
    folds=5,
    clusters=None,
    name=None,
):
    """Fits a last layer, a global threshold, both or neither.

    After a refit the threshold is fitted on logits out of fold, since in-sample logits
    are further from 0 than those of new images will be.

    Args:
        tuning: `predictions.Predictions` of the tuning set.
        last_layer: whether to refit the last layer.
        threshold: whether to fit the threshold; otherwise it is probability 0.5.
        kernel: float [D, C]; the original last layer, needed for a refit.
        bias: float [C].
        seed: of the folds.
        folds: how many.
        clusters: int or str [N] or None; images of one cluster stay in one fold.
        name: for tables; by default it says what was fitted.

    Returns:
        `Adaptation`.

    Raises:
        errors.DataError: the original layer is missing or not the one that made the
            predictions, or the tuning set shows no label or is smaller than `folds`.
    """
    truth, absent = tuning.truth, tuning.unlisted_is_absent
    logits, new_kernel, new_bias = tuning.logits, None, None
    figures, fold_of = {}, None
    if last_layer:
        if kernel is None or bias is None:
            raise errors.DataError(
                "a last layer is refitted from the original one",
                expected="its kernel and bias",
                received="none",
            )
        last_layers.require_layer_of(tuning, kernel, bias)
        refitted = last_layers.refit(
            tuning.features,
            truth,
            kernel,
            bias,
            absent,
            folds=folds,
            seed=seed,
            clusters=clusters,
        )
        logits, fold_of = refitted.out_of_fold, refitted.folds
        new_kernel, new_bias = refitted.kernel, refitted.bias
        figures |= {"penalty": refitted.penalty, "penalties": refitted.table}
    threshold_logit = PLAIN_THRESHOLD
    if threshold:
        threshold_logit = thresholds.global_threshold(
            logits, truth, absent
        ).threshold_logit
        if fold_of is None:
            fold_of = folds_module.assign(len(truth), folds, seed, clusters)
        figures["mean_f2"] = thresholds.cross_fitted_mean_f2(
            logits, truth, fold_of, absent
        )
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
            "images": len(tuning),
            "present_labels": int(np.count_nonzero(truth.counts())),
            "source": tuning.source,
        },
        figures,
    )


def apply(adaptation, predictions):
    """Applies an adaptation to predictions of other images.

    Args:
        adaptation: `Adaptation`.
        predictions: `predictions.Predictions` of none of the tuning images.

    Returns:
        (`predictions.Predictions` with new logits, threshold_logit).

    Raises:
        errors.DataError: the vocabularies or the widths of the features differ, or the
            predictions hold images of the tuning set.
    """
    if adaptation.vocabulary_hash != predictions.vocabulary.hash:
        raise errors.DataError(
            "the adaptation is of another vocabulary",
            expected=f"vocabulary {adaptation.vocabulary_hash[:12]}",
            received=f"vocabulary {predictions.vocabulary.hash[:12]}",
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
    if predictions.features.shape[1] != len(adaptation.kernel):
        raise errors.DataError(
            "the adaptation is of another model",
            expected=f"{len(adaptation.kernel)} features",
            received=f"{predictions.features.shape[1]}",
        )
    logits = np.asarray(predictions.features, np.float32) @ adaptation.kernel
    logits += adaptation.bias
    source = {**predictions.source, "adaptation": adaptation.name}
    changed = dataclasses.replace(predictions, logits=logits, source=source)
    return changed, adaptation.threshold_logit


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
            if _sha256(path) != expected:
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


def load_layer(path):
    """Reads the original last layer of a run.

    Args:
        path: a run directory that holds last_layer.npz, or such a file.

    Returns:
        (kernel float32 [D, C], bias float32 [C]).

    Raises:
        errors.DataError: the file is missing or holds something else.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        path = path / "last_layer.npz"
    try:
        # opened here, since numpy leaves a file that is no archive open
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            kernel, bias = stored["kernel"], stored["bias"]
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        AttributeError,
        zipfile.BadZipFile,
    ) as error:
        raise errors.DataError(
            "the last layer cannot be read",
            expected="an .npz file with the arrays kernel and bias",
            received=f"{type(error).__name__}: {error}",
            file=path,
        ) from error
    if kernel.ndim != 2 or bias.shape != kernel.shape[1:]:
        raise errors.DataError(
            "kernel and bias disagree",
            expected="kernel [D, C] and bias [C]",
            received=f"{kernel.shape} and {bias.shape}",
            file=path,
        )
    return kernel, bias


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
