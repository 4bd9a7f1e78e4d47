"""The last layer refitted on a tuning set's features, pulled towards the original one.

The challenge's winners froze the network and fitted its last layer to the 1,000 tuning
images (Ostyakov and Nikolenko 2019, arXiv 1901.06345, abstract). Each label is a
logistic regression of its own, and its penalty is on the distance from the original
weights, so that a label without data stays what it was:

    J(V) = sum_i sum_c m_ic [softplus(z_ic) - y_ic z_ic]
           + (penalty / 2) sum_c (|v_c - v0_c|^2 + r (b_c - b0_c)^2),    z = x V + b,

with x the features brought to mean 0 and deviation 1 on the tuning set, y the soft
target, m the image's weight (1 unless weights are given) and 0 where a label is
unknown, (v0, b0) the original layer on those x, and r small, since a new place mostly
changes how common labels are.
"""

import dataclasses

import numpy as np
import scipy.optimize
import scipy.special

from data_pipelines import errors, labels
from inclusive_tf.adaptation import convergence, thresholds
from inclusive_tf.adaptation import folds as folds_module

PENALTIES = (
    0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 10_000.0,
)  # fmt: skip
"""The grid; a penalty weighs like that many images' worth of curvature."""

BIAS_RATIO = 0.01
"""Penalty on the bias as a share of that on the kernel (r above)."""

_MAX_ITERATIONS = 2_000
_GRADIENT_TOLERANCE = 1e-5
"""Of J, in steps of about a weight's standard error: far finer than the data tells."""
_ACCEPTED_GRADIENT = 1e-2
"""Accepted where rounding ends the line search before `_GRADIENT_TOLERANCE`."""


@dataclasses.dataclass(frozen=True)
class LastLayerFit:
    """A refitted last layer and how its penalty was chosen.

    Args:
        kernel: float32 [D, C], on the raw features.
        bias: float32 [C].
        penalty: the one chosen.
        end_of_grid: "lowest" or "highest" where the one chosen is the first or the last
            of the grid, so that one beyond it might do better; else None.
        table: a list, one a penalty, of {"penalty", "log_loss", "mean_f2"}; both are
            of labels out of fold, and mean F2 uses thresholds of the other folds.
        out_of_fold: float32 [N, C]; each image's logits by a layer that did not see its
            fold, at the chosen penalty. Fit thresholds on these.
        folds: int64 [N].
    """

    kernel: np.ndarray
    bias: np.ndarray
    penalty: float
    end_of_grid: str | None
    table: list
    out_of_fold: np.ndarray
    folds: np.ndarray


def refit(
    features,
    truth,
    kernel,
    bias,
    unlisted_is_absent=True,
    penalties=PENALTIES,
    folds=5,
    seed=0,
    clusters=None,
    bias_ratio=BIAS_RATIO,
    weights=None,
):
    """Chooses the penalty by cross-validation and refits on all images.

    The penalty with the least log loss out of fold wins, the larger one on ties. Log
    loss is chosen over mean F2 because every label of every image speaks in it, while
    F2 at one threshold moves only where a label crosses it: on some hundred images the
    best F2 of a grid is mostly luck. It also rewards logits that mean the same
    probability for every label, which is what one threshold for all needs.

    Args:
        features: float [N, D]; input of the last layer.
        truth: `labels.SparseLabels` of N rows.
        kernel: float [D, C]; the original layer.
        bias: float [C].
        unlisted_is_absent: whether a label that is not stated is absent; otherwise it
            is masked.
        penalties: positive numbers to choose from.
        folds: how many.
        seed: of the folds.
        clusters: int or str [N] or None; images of one cluster (a scene, a track) stay
            in one fold.
        bias_ratio: penalty on the bias as a share of that on the kernel.
        weights: float [N] or None; how much each image counts in J and in the log loss,
            such as `group_weights`.

    Returns:
        `LastLayerFit`.

    Raises:
        errors.DataError: shapes disagree, a feature is not finite, no image shows a
            label, all that do lie in one fold, or there are fewer clusters than folds.
        RuntimeError: the optimiser did not converge.
    """
    features = np.asarray(features, np.float64)
    _check(features, truth, kernel, bias)
    targets = truth.targets(unlisted_is_absent)
    weights = np.ones(len(truth)) if weights is None else np.asarray(weights, float)
    fold_of = folds_module.assign(len(truth), folds, seed, clusters)
    folds_module.require_labels(fold_of, truth)
    grid = sorted(map(float, penalties), reverse=True)
    out_of_fold = np.empty((len(grid), len(truth), truth.num_classes), np.float32)
    for fold in range(folds):
        inside = fold_of == fold
        path = _path(
            features[~inside],
            targets[~inside],
            kernel,
            bias,
            grid,
            bias_ratio,
            weights[~inside],
        )
        for position, (fold_kernel, fold_bias) in enumerate(path):
            out_of_fold[position, inside] = features[inside] @ fold_kernel + fold_bias
    table = [
        {
            "penalty": penalty,
            "log_loss": log_loss(logits, targets, weights),
            "mean_f2": thresholds.cross_fitted_mean_f2(
                logits, truth, fold_of, unlisted_is_absent
            ),
        }
        for penalty, logits in zip(grid, out_of_fold, strict=True)
    ]
    best = int(np.argmin([row["log_loss"] for row in table]))
    new_kernel, new_bias = fit_penalty(
        features, targets, kernel, bias, grid[best], bias_ratio, weights
    )
    return LastLayerFit(
        new_kernel.astype(np.float32),
        new_bias.astype(np.float32),
        grid[best],
        _end_of_grid(best, len(grid)),
        table[::-1],
        out_of_fold[best],
        fold_of,
    )


def _end_of_grid(position, size):
    """Which end of a grid of falling penalties a position is, or None."""
    if size == 1 or 0 < position < size - 1:
        return None
    return "highest" if position == 0 else "lowest"


def group_weights(group):
    """Weights that let every group count the same.

    Kirichenko, Izmailov and Wilson (2023, arXiv 2204.02937, "deep feature reweighting")
    refit the last layer on subsets with as many images of each group and average; here
    no image is left out: one of a group of n_g weighs N / (G n_g).

    Args:
        group: int [N].

    Returns:
        float64 [N], of mean 1; G counts only groups that have an image.
    """
    _, group_of, sizes = np.unique(group, return_inverse=True, return_counts=True)
    return len(group_of) / (len(sizes) * sizes[group_of].astype(np.float64))


def fit_penalty(
    features, targets, kernel, bias, penalty, bias_ratio=BIAS_RATIO, weights=None
):
    """Minimises J for one penalty, all labels at once.

    Args:
        features: float [N, D].
        targets: float [N, C] in [0, 1], `labels.UNKNOWN` where masked.
        kernel: float [D, C]; the original layer, towards which it is pulled.
        bias: float [C].
        penalty: positive; `penalty` in J.
        bias_ratio: r in J; 0 leaves the bias free.
        weights: float [N] or None; how much each image counts in J.

    Returns:
        (kernel float64 [D, C], bias float64 [C]) on the raw features.

    Raises:
        RuntimeError: the optimiser did not converge.
    """
    weights = np.ones(len(targets)) if weights is None else weights
    return _path(features, targets, kernel, bias, [penalty], bias_ratio, weights)[0]


def _path(features, targets, kernel, bias, grid, bias_ratio, weights):
    """Layers of falling penalties, each started from the one before."""
    features = np.asarray(features, np.float64)
    kernel, bias = np.asarray(kernel, np.float64), np.asarray(bias, np.float64)
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    deviation[deviation <= 1e-12 * (1 + np.abs(mean))] = 1.0  # a constant feature
    standard = (features - mean) / deviation
    # along the principal axes the penalty is the same and the curvature diagonal
    curvature, axes = np.linalg.eigh(standard.T @ standard)
    curvature = np.append(np.maximum(curvature, 0.0), len(features))[:, None]
    design = np.hstack([standard @ axes, np.ones((len(features), 1))])
    original = np.vstack([axes.T @ (kernel * deviation[:, None]), bias + mean @ kernel])
    layers, start = [], original
    for penalty in grid:
        strength = np.full((len(original), 1), float(penalty))
        strength[-1] *= bias_ratio
        start = _minimise(
            design, targets, original, strength, curvature, start, weights
        )
        new_kernel = (axes @ start[:-1]) / deviation[:, None]
        layers.append((new_kernel, start[-1] - mean @ new_kernel))
    return layers


def _minimise(design, targets, original, strength, curvature, start, weights):
    known = (targets != labels.UNKNOWN) * weights[:, None]
    positives = targets * known
    share = (positives.sum(axis=0) + 0.5) / (known.sum(axis=0) + 1.0)
    # each weight is measured in steps of about the width of its own minimum: the
    # optimiser then needs tens of iterations instead of thousands
    bend = share * (1.0 - share) * known.mean(axis=0)
    step = 1.0 / np.sqrt(bend * curvature + strength + np.finfo(np.float64).tiny)

    def objective(flat):
        moved = step * flat.reshape(original.shape)
        logits = design @ (start + moved)
        pull = strength * (start + moved - original)
        # softplus(z) - y z, which does not overflow
        value = np.sum(known * np.logaddexp(0.0, logits) - positives * logits)
        value += 0.5 * np.sum(pull * (start + moved - original))
        residual = known * scipy.special.expit(logits) - positives
        return value, (step * (design.T @ residual + pull)).ravel()

    result = scipy.optimize.minimize(
        objective,
        np.zeros(original.size),
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": _MAX_ITERATIONS,
            "maxfun": 2 * _MAX_ITERATIONS,
            "maxcor": 20,
            "ftol": 0.0,
            "gtol": _GRADIENT_TOLERANCE,
        },
    )
    steepest = np.abs(result.jac).max()
    convergence.require(result, steepest, _ACCEPTED_GRADIENT, "the last layer")
    return start + step * result.x.reshape(original.shape)


def log_loss(logits, targets, weights=None):
    """Mean over images of the sum over known labels of the cross-entropy, in nats.

    Args:
        logits: float [N, C].
        targets: float [N, C] in [0, 1], `labels.UNKNOWN` where masked.
        weights: float [N] or None; of the images, in the mean.
    """
    logits = np.asarray(logits, np.float64)
    losses = np.logaddexp(0.0, logits) - targets * logits
    losses[targets == labels.UNKNOWN] = 0.0
    return float(np.average(losses.sum(axis=1), weights=weights))


def _check(features, truth, kernel, bias):
    expected = {
        "features": ((len(truth), np.shape(kernel)[0]), np.shape(features)),
        "kernel": ((np.shape(features)[1], truth.num_classes), np.shape(kernel)),
        "bias": ((truth.num_classes,), np.shape(bias)),
    }
    for name, (right, received) in expected.items():
        if right != received:
            raise errors.DataError(
                f"features, last layer and truth disagree in the shape of {name}",
                expected=str(right),
                received=str(received),
            )
    if not np.isfinite(features).all():
        raise errors.DataError("a feature is not finite", expected="finite numbers")
    if not truth.counts().any():
        raise errors.DataError(
            "a last layer cannot be fitted: no image shows any label",
            expected="a labelled tuning set",
        )
