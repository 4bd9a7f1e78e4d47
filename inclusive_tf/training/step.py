"""One optimiser step, compiled: on one device or many, a batch whole or in parts."""

import math

import keras
import tensorflow as tf

from data_pipelines import errors
from inclusive_tf.models import head
from inclusive_tf.training.distribution import part_of


def make(learner, distribution, clip_norm=0.0, accumulate=1, jit_compile=False):
    """Returns the compiled step: (inputs, targets, groups, every) → float32 loss.

    Groups may be None, and so may `every`, float [B, C]: what second heads are told of
    where the targets show one label of several.

    Numerator and denominator of the loss are those of the whole batch, whatever number
    of replicas and parts it is divided among; so are the gradients and their norm.
    Only batch normalisation sees a part at a time, and only with `accumulate`.

    Args:
        learner: `learner.Learner`.
        distribution: `distribution.Distribution`.
        clip_norm: largest global norm of the gradients; 0 leaves them.
        accumulate: parts of a replica's images that go through the model one after the
            other, for batches that do not fit into memory.
        jit_compile: whether XLA compiles the step.

    Raises:
        errors.SettingError: XLA with several replicas, which TensorFlow does not do, or
            parts of a batch with a loss that needs it whole.
    """
    _require_possible(learner, distribution, accumulate, jit_compile)
    gradients_of = _gradients(learner, distribution)
    if accumulate > 1:
        # traced once, called for each part
        gradients_of = tf.function(gradients_of, autograph=False)
    optimizer, variables = learner.optimizer, learner.trainable_variables

    def on_replica(inputs, targets, groups, every):
        told = targets if every is None else every
        totals = distribution.all_reduce(_totals(learner, targets, told))
        value, gradients = tf.zeros([]), None
        for number in range(accumulate):
            part = part_of((inputs, targets, groups, told), number, accumulate)
            added, found = gradients_of(*part, totals)
            value += added
            gradients = found if gradients is None else _sum(gradients, found)
        if clip_norm:
            gradients = _clip(gradients, clip_norm, optimizer, distribution)
        if distribution.replicas > 1 and _scales_loss(optimizer):
            gradients = _as_finite_as_all(gradients, distribution)
        # adds the gradients of the replicas
        optimizer.apply(gradients, variables)
        return distribution.all_reduce(value)

    @tf.function(jit_compile=jit_compile, autograph=False)
    def step(inputs, targets, groups=None, every=None):
        value = distribution.run(on_replica, (inputs, targets, groups, every))
        if learner.average is not None:
            learner.average.after_step(optimizer.iterations, distribution)
        return value

    return step


def _require_possible(learner, distribution, accumulate, jit_compile):
    if jit_compile and distribution.replicas > 1:
        raise errors.SettingError(
            "TensorFlow does not compile steps of several devices by XLA. Expected: "
            f"--nojit_compile, or one device. Received: {distribution.replicas}."
        )
    if accumulate > 1 and learner.loss.whole_batch:
        raise errors.SettingError(
            f"The loss {learner.loss.name} needs a batch whole. Expected: "
            f"--accumulate=1. Received: {accumulate}."
        )


def _totals(learner, targets, told):
    """What the sums over images are divided by: (of the loss, of the second heads)."""
    heads = tf.zeros([2]) if learner.heads is None else learner.heads.totals(told)
    return learner.loss.total(targets), heads


def _gradients(learner, distribution):
    """Returns a function from part of a batch to (its part of the loss, gradients)."""
    model, heads = learner.model, learner.heads
    both = None if heads is None else head.features_and_logits(model)

    def loss_of(inputs, targets, groups, told, totals):
        total, of_heads = totals
        if heads is None:
            logits = model(inputs, training=True)
        else:
            outputs = both(inputs, training=True)
            logits = outputs[head.LOGITS]
        value = learner.loss.of_batch(
            targets, logits, groups, total, distribution.all_reduce
        )
        if heads is None:
            return value
        return value + heads.loss(told, outputs[head.FEATURES], of_heads)

    def gradients_of(inputs, targets, groups, told, totals):
        with tf.GradientTape() as tape:
            value = loss_of(inputs, targets, groups, told, totals)
            scaled = learner.optimizer.scale_loss(value)
        found = tape.gradient(scaled, learner.trainable_variables)
        # of words' vectors they are slices, of which several can be of one word
        return value, [None if g is None else tf.convert_to_tensor(g) for g in found]

    return gradients_of


def _sum(first, second):
    # a variable that nothing depends on has no gradient in any part
    return [
        None if one is None else one + other
        for one, other in zip(first, second, strict=True)
    ]


def _clip(gradients, clip_norm, optimizer, distribution):
    """Scales gradients so that their sum over replicas has at most a norm of so much.

    As `tf.clip_by_global_norm`; a norm that is no number makes the gradients so.
    """
    whole = distribution.all_reduce([g for g in gradients if g is not None])
    norm = tf.linalg.global_norm(whole)
    if _scales_loss(optimizer):
        norm /= tf.convert_to_tensor(optimizer.dynamic_scale)
    factor = clip_norm / tf.maximum(norm, clip_norm)
    return [None if g is None else g * tf.cast(factor, g.dtype) for g in gradients]


def _scales_loss(optimizer):
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def _as_finite_as_all(gradients, distribution):
    """Makes gradients NaN where those of any replica overflowed.

    Keras leaves a step out, and halves the scale, by the first replica's alone.
    """
    finite = [tf.reduce_all(tf.math.is_finite(g)) for g in gradients if g is not None]
    overflows = tf.cast(~tf.reduce_all(finite), tf.float32)
    spoilt = tf.where(distribution.all_reduce(overflows) > 0, math.nan, 0.0)
    return [None if g is None else g + tf.cast(spoilt, g.dtype) for g in gradients]
