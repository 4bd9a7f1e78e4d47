"""A model and a data set → a `predictions.Predictions`."""

import collections
import concurrent.futures

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import convert_to_constants

from data_pipelines import batches, errors
from data_pipelines import views as views_module
from inclusive_tf import predictions
from inclusive_tf import scores as scores_module
from inclusive_tf.models import head

_AT_ONCE = 2
"""Batches in the model at a time: one fills the cores where the other leaves them."""


def predict(
    model,
    table,
    image_config,
    training_counts,
    batch_size=256,
    source=None,
    views=None,
    variant="",
    text=None,
    scores=None,
    forward=None,
):
    """Runs a model over a label table.

    Several views of an image are averaged. The mean of their logits is what the last
    layer makes of their mean features, so the layer is stored and can be refitted. The
    mean of their probabilities is stored as its logit, and no last layer with it.

    Args:
        model: `keras.Model` to logits, with layers "features", "logits".
        table: `labels.LabelTable` of readable images, of the model's vocabulary.
        image_config: `images.ImageConfig` of the model's input.
        training_counts: int64 [C]; training images that show each label.
        batch_size: images a forward pass, each view counted; two passes run at a time.
        source: facts to store beside the arrays.
        views: `views.ViewsConfig`; None is the image alone.
        variant: what else than views sets the model apart from the trained one.
        text: int32 [N, L], tokens of the table's texts; None where it reads none.
        scores: `scores.ScoresConfig`; None gives the logits. The log-odds of shares are
            stored without a last layer.
        forward: `Forward` of the model and the views; None makes one.

    Returns:
        `predictions.Predictions` of all examples, in the table's order.

    Raises:
        errors.DataError: the model reads text, and there is none.
        errors.SettingError: crops would not differ at this scale.
    """
    views = views or views_module.ViewsConfig()
    seen = image_config if head.sees_images(model) else None
    scores = scores or scores_module.ScoresConfig()
    _require_inputs(model, views, text, scores)
    forward = forward or Forward(model, views)
    found = forward.over(view_batches(table, seen, batch_size, views, text), len(table))
    logits = scores_module.of_logits(found[head.LOGITS], scores)
    kernel, bias = head.last_layer(model)
    if not views.linear or scores.description:
        kernel = bias = None
    return predictions.Predictions(
        ids=table.ids,
        logits=logits,
        features=found[head.FEATURES],
        truth=table.labels,
        unlisted_is_absent=table.unlisted_is_absent,
        group=table.group,
        group_names=table.group_names,
        training_counts=np.asarray(training_counts, np.int64),
        vocabulary=table.vocabulary,
        source=source or {},
        kernel=kernel,
        bias=bias,
        cluster=table.cluster,
        variant="; ".join(
            filter(None, (variant, views.description, scores.description))
        ),
    )


def _require_inputs(model, views, text, scores):
    if scores.description and not views.linear:
        raise errors.SettingError(
            "Probabilities of views are averaged as sigmoids. Expected: "
            f"--view_mean=logits with {scores.description}. Received: probabilities."
        )
    if head.reads_text(model) and text is None:
        raise errors.DataError(
            "the model reads text", expected="tokens of what the data say", received="-"
        )
    if views.count > 1 and not head.sees_images(model):
        raise errors.SettingError(
            "A model of text alone has one view of it. Expected: no views. Received: "
            f"{views.description}."
        )


def view_batches(table, image_config, batch_size=256, views=None, text=None):
    """Every view of every image as the model takes it, in the table's order.

    All views of an image are in one batch: ten views of 25 images take the memory of
    250 images, and the model's graph is traced once.

    Args:
        table: `labels.LabelTable`.
        image_config: `images.ImageConfig` of the model's input; None reads no image.
        batch_size: images a batch, each view counted; but at least one image whole.
        views: `views.ViewsConfig`; None is the image alone.
        text: int32 [N, L], tokens of the table's texts, or None.

    Returns:
        `tf.data.Dataset` of float32 [V * B, height, width, C]: the first view of each
        of the B images, then the second of each. With text alone it is of int32
        [V * B, L], with both of {"image": ..., "text": ...}.

    Raises:
        errors.SettingError: crops would not differ at this scale.
    """
    views = views or views_module.ViewsConfig()
    per_batch = max(1, batch_size // views.count)
    decoded = None if image_config is None else views.decoded(image_config)

    def flat_views(batch):
        found = {}
        if image_config is not None:
            shape = image_config.height, image_config.width
            stacked = views_module.stack(batch["image"], views, *shape)
            found["image"] = tf.reshape(stacked, [-1, *stacked.shape[2:]])
        if text is not None:
            found["text"] = tf.tile(batch["text"], [views.count, 1])
        return found if len(found) > 1 else next(iter(found.values()))

    return (
        batches.evaluation_batches(table, decoded, per_batch, text)
        .map(flat_views, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(1)
    )


class Forward:
    """A model compiled to answer, with its weights as they are now.

    Weights that are constants let TensorFlow fold batch normalisation into
    convolutions, which makes residual networks a third faster.

    Args:
        model: `keras.Model` to logits, with layers "features", "logits".
        views: `views.ViewsConfig` that is averaged over; None is the image alone.
    """

    def __init__(self, model, views=None):
        views = views or views_module.ViewsConfig()
        both = head.features_and_logits(model)

        @tf.function(input_signature=[head.inputs_signature(model)], autograph=False)
        def answer(inputs):
            outputs = both(inputs, training=False)
            split = {
                name: tf.reshape(
                    tf.cast(values, tf.float32), [views.count, -1, values.shape[-1]]
                )
                for name, values in outputs.items()
            }
            mean = {name: tf.reduce_mean(values, 0) for name, values in split.items()}
            if not views.linear:
                mean[head.LOGITS] = logit_of_mean(split[head.LOGITS])
            return mean

        traced = answer.get_concrete_function()
        self._outputs = traced.structured_outputs
        self._frozen = convert_to_constants.convert_variables_to_constants_v2(traced)

    def __call__(self, inputs):
        """Returns float32 {"features": [B, D], "logits": [B, C]} of a batch of views.

        Args:
            inputs: as `view_batches` gives them.
        """
        flat = self._frozen(*tf.nest.flatten(inputs))
        return tf.nest.pack_sequence_as(self._outputs, flat)

    def over(self, batches_of_views, count):
        """Returns the same of all batches, as arrays of `count` images."""
        found = {
            name: np.empty((count, values.shape[-1]), np.float32)
            for name, values in self._outputs.items()
        }
        start = 0
        for outputs in _some_at_once(self, batches_of_views):
            for name, values in outputs.items():
                end = start + len(values)
                found[name][start:end] = values
            start = end
        return found


def _some_at_once(function, items):
    """Yields what a function returns of each item, in order, `_AT_ONCE` in work."""
    waiting = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as threads:
        for item in items:
            waiting.append(threads.submit(function, item))
            if len(waiting) == _AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def logit_of_mean(logits):
    """Returns the logit of the mean probability of views, without overflow.

    log(p / (1 - p)) with log p = logsumexp_v(log sigmoid(s_v)) - log V and 1 - p alike,
    which holds where p rounds to 0 or 1.

    Args:
        logits: float32 [V, B, C].

    Returns:
        float32 [B, C].
    """
    # both sums have the same log V, which falls out
    present = tf.reduce_logsumexp(tf.math.log_sigmoid(logits), axis=0)
    absent = tf.reduce_logsumexp(tf.math.log_sigmoid(-logits), axis=0)
    return present - absent
