"""Batch normalisation's statistics, recomputed on images without labels.

Means and variances that a model normalises by belong to the images it was trained on.
Those of the images to be predicted need no label and help where these look different
(Schneider et al. 2020, arXiv 2006.16971; Nado et al. 2020, arXiv 2006.10963). Averaged
weights need new ones too, since no image ever passed through them.

Each batch passes once as in training: layers normalise it by its own moments, with
dropout off. A layer's moments are pooled over batches of n_b inputs, N in all, which is
exact for what that layer was given:

    mean = sum n_b m_b / N    variance = sum n_b (v_b + m_b^2) / N - mean^2

Keras' running update would forget early batches and leave the spread between the means
of batches out. To be exact layer upon layer would take one pass a layer.
"""

import contextlib
import dataclasses
import hashlib
import math

import keras
import numpy as np
import tensorflow as tf

from data_pipelines import errors
from data_pipelines import views as views_module
from inclusive_tf import inference
from inclusive_tf.models import head


@dataclasses.dataclass(frozen=True)
class StatisticsConfig:
    """On what batch normalisation's statistics are recomputed.

    Args:
        splits: names of the splits whose images are used, without their labels; none
            leaves the model as it was trained.
        prior_strength: inputs that the old statistics count as, N of N / (N + n) in
            Schneider et al.; 0 forgets them. Each view of an image is an input.

    Raises:
        errors.SettingError: the strength is no finite number from 0 on, or there is one
            and no split.
    """

    splits: tuple = ()
    prior_strength: float = 0.0

    def __post_init__(self):
        object.__setattr__(self, "splits", tuple(self.splits))
        _require_strength(self.prior_strength)
        if self.prior_strength and not self.splits:
            raise errors.SettingError(
                "Old statistics of batch normalisation have a weight, but no new ones "
                "are asked for. Expected: splits to recompute them on. Received: "
                f"{self.prior_strength:g} and no split."
            )


def rows(table, splits):
    """Returns int64: the rows of some splits of a table, each once.

    Raises:
        errors.DataError: there is no such split.
    """
    wanted = [table.split_index(name) for name in splits]
    return np.flatnonzero(np.isin(table.split, wanted))


def refresh_on(model, table, image_config, config, batch_size, views=None, text=None):
    """Recomputes a model's statistics on a table's images, in an order of their own.

    The order is random, always the same, so that images of one kind that stand together
    do not make up a batch; batches are of about one size.

    Args:
        model: `keras.Model`; changed in place.
        table: `labels.LabelTable` of the images; labels are not read.
        image_config: `images.ImageConfig` of the model's input.
        config: `StatisticsConfig`.
        batch_size: inputs a batch at most, each view counted.
        views: `views.ViewsConfig` by which the model will predict.
        text: int32 [N, L], tokens of the table's texts, or None.

    Returns:
        In words what was done, with a digest of the images' ids, for
        `predictions.Predictions.variant`.

    Raises:
        errors.SettingError, errors.DataError: as `refresh`.
    """
    views = views or views_module.ViewsConfig()
    order = np.random.default_rng(0).permutation(len(table))
    most = max(1, batch_size // views.count)
    # a last batch of a few images would have moments of its own kind
    even = math.ceil(len(table) / max(1, math.ceil(len(table) / most)))
    batches = inference.view_batches(
        table.take(order),
        image_config if head.sees_images(model) else None,
        max(1, even) * views.count,
        views,
        None if text is None else text[order],
    )
    refresh(model, batches, config.prior_strength)
    ids = "\n".join(sorted(table.ids.tolist()))
    digest = hashlib.sha256(ids.encode()).hexdigest()[:12]
    prior = f", old ones as {config.prior_strength:g}" if config.prior_strength else ""
    return (
        f"batch normalisation of {'+'.join(config.splits)} "
        f"({len(table)} images, ids {digest}{prior})"
    )


def moments_of(model):
    """Returns a compiled function of inputs, with which to `refresh` a model often.

    It gives the mean and variance by which each batch normalisation has normalised.
    """
    layers = _normalisations(model)

    @tf.function(reduce_retracing=True, autograph=False)
    def moments(inputs):
        model(inputs, training=True)
        # without momentum the moving statistics are those of the batch
        return [
            (tf.identity(one.moving_mean.value), tf.identity(one.moving_variance.value))
            for one in layers
        ]

    return moments


def refresh(model, batches, prior_strength=0.0, moments=None):
    """Recomputes what every batch normalisation of a model normalises by.

    Nothing else of the model changes; when a batch fails, nothing does. The same
    batches in the same order give the same statistics. Those of later layers depend a
    little on which inputs share a batch: mix them, and keep batches large.

    Args:
        model: `keras.Model`; changed in place.
        batches: iterable of what the model takes, such as float32 [B, H, W, C].
        prior_strength: inputs that the old statistics count as, N: the new ones become
            N / (N + n) old + n / (N + n) found, means and variances alike, of n inputs.
        moments: of `moments_of`; None makes one.

    Returns:
        n, the number of inputs.

    Raises:
        errors.SettingError: the model has no batch normalisation, or random layers
            other than dropout; or the strength is no finite number from 0 on.
        errors.DataError: there is no batch, or a statistic is no finite number.
    """
    _require_strength(prior_strength)
    layers = _normalisations(model)
    variables = [v for one in layers for v in (one.moving_mean, one.moving_variance)]
    before = [variable.numpy() for variable in variables]
    try:
        with _as_in_training(model, layers):
            found, seen = _pooled(moments or moments_of(model), layers, batches)
    except BaseException:
        _assign(variables, before)
        raise
    share = seen / (prior_strength + seen)
    pairs = zip(before, found, strict=True)
    _assign(variables, [old + share * (new - old) for old, new in pairs])
    return seen


def has_statistics(model):
    """Returns whether a model has batch normalisation."""
    return any(True for _ in _batch_normalisations(model))


def _batch_normalisations(model):
    for layer in _layers(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            yield layer


def _normalisations(model):
    """Returns the batch normalisations; refuses what cannot be made certain."""
    found = list(_batch_normalisations(model))
    if not found:
        raise errors.SettingError(
            "Statistics of batch normalisation cannot be recomputed. Expected: a model "
            f"with batch normalisation. Received: {model.name}, which has none."
        )
    for layer in _layers(model):
        random = getattr(layer, "seed_generator", None) is not None
        if random and not isinstance(layer, keras.layers.Dropout):
            raise errors.SettingError(
                "Statistics of batch normalisation would be left to chance. Expected: "
                "no random layer but dropout, which is switched off. Received: "
                f"{layer.name}."
            )
    return found


def _layers(model):
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)


@contextlib.contextmanager
def _as_in_training(model, layers):
    """Lets layers take over each batch's moments whole, and dropout keep everything."""
    changes = [(layer, "momentum", 0.0) for layer in layers]
    # a frozen layer would normalise by what it has
    changes += [(layer, "trainable", True) for layer in layers]
    changes += [
        (layer, "rate", 0.0)
        for layer in _layers(model)
        if isinstance(layer, keras.layers.Dropout)
    ]
    before = [getattr(layer, name) for layer, name, _ in changes]
    try:
        for layer, name, value in changes:
            setattr(layer, name, value)
        yield
    finally:
        for (layer, name, _), value in zip(changes, before, strict=True):
            setattr(layer, name, value)


def _pooled(moments, layers, batches):
    """Returns ([mean, variance, mean ...] float64 over all batches, inputs)."""
    first, second, seen = [0.0] * len(layers), [0.0] * len(layers), 0
    for inputs in batches:
        size = len(tf.nest.flatten(inputs)[0])
        seen += size
        for place, pair in enumerate(moments(inputs)):
            mean, variance = (np.asarray(value, np.float64) for value in pair)
            first[place] = first[place] + size * mean
            second[place] = second[place] + size * (variance + mean**2)
    if not seen:
        raise errors.DataError(
            "there is no image to recompute batch normalisation on",
            expected="at least one",
            received="none",
        )
    found = []
    for layer, total, square in zip(layers, first, second, strict=True):
        mean = total / seen
        variance = np.maximum(square / seen - mean**2, 0.0)
        if not np.isfinite([mean, variance]).all():
            raise errors.DataError(
                f"a statistic of {layer.name} is no finite number",
                expected="finite pixels and weights",
            )
        found += [mean, variance]
    return found, seen


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(np.asarray(value, np.float32))


def _require_strength(strength):
    if not 0 <= strength < math.inf:
        raise errors.SettingError(
            "The old statistics of batch normalisation cannot have this weight. "
            f"Expected: a finite number of inputs from 0 on. Received: {strength}."
        )
