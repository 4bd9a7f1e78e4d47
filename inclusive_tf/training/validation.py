"""Figures of a model on held-out batches, at probability 0.5.

loss             the training's loss, the quotient of sums over the whole set
mean_f2          mean over images of F2
worst_class_f2   least F2 of a label, of those that an image shows
worst_group_f2   least mean F2 of a group, of those that have images
"""

import numpy as np
import tensorflow as tf

from inclusive_tf.metrics import mean_f2
from inclusive_tf.models import head


def make(model, loss, distribution):
    """Returns a function from a dataset to {figure: float}, compiled once.

    Every worker reads its own part of the dataset; the sums are over all of them.

    Args:
        model: `keras.Model` from inputs to logits [B, C].
        loss: a `losses.base.MultilabelLoss`.
        distribution: `distribution.Distribution`.
    """
    classes = model.output.shape[-1]

    @tf.function(
        input_signature=[
            head.inputs_signature(model),
            tf.TensorSpec([None, classes], tf.float32),
        ],
        autograph=False,
    )
    def sums_of(inputs, targets):
        logits = tf.cast(model(inputs, training=False), tf.float32)
        truth, given = mean_f2.sides(targets, logits)
        sides = truth * given, truth, given
        return {
            "loss": tf.reduce_sum(loss.per_image(targets, logits)),
            "images": tf.reduce_sum(loss.normaliser(targets)),
            "f2": mean_f2.f_beta(*(tf.reduce_sum(one, axis=1) for one in sides)),
            "classes": tf.stack([tf.reduce_sum(one, axis=0) for one in sides]),
        }

    def evaluate(dataset):
        quotient, of_classes = np.zeros(2), np.zeros((3, classes))
        of_groups = np.zeros((2, 0))
        for batch in dataset:
            found = sums_of(head.inputs_of(model, batch), batch["target"])
            quotient += float(found["loss"]), float(found["images"])
            of_classes += found["classes"].numpy()
            of_groups = _add_groups(of_groups, batch, found["f2"].numpy())
        quotient = distribution.sum_of_workers(quotient)
        of_classes = distribution.sum_of_workers(of_classes)
        f2, images = _groups_of_workers(of_groups, distribution)
        there = images > 0
        shown = of_classes[1] > 0
        by_class = np.asarray(mean_f2.f_beta(*of_classes[:, shown]))
        return {
            "loss": float(quotient[0] / max(quotient[1], 1e-7)),
            "mean_f2": float(f2.sum() / max(images.sum(), 1)),
            "worst_class_f2": float(by_class.min(initial=1.0)),
            "worst_group_f2": float((f2[there] / images[there]).min(initial=1.0)),
        }

    return evaluate


def _add_groups(sums, batch, f2):
    """Adds F2 [B] to [F2, images] by group; images without groups are of one."""
    groups = np.asarray(batch["group"]) if "group" in batch else np.zeros(len(f2), int)
    size = max(sums.shape[1], groups.max(initial=-1) + 1)
    found = np.stack(
        [np.bincount(groups, f2, size), np.bincount(groups, minlength=size)]
    )
    found[:, : sums.shape[1]] += sums
    return found


def _groups_of_workers(sums, distribution):
    sizes = np.zeros(distribution.workers)
    sizes[distribution.worker] = sums.shape[1]
    size = int(distribution.sum_of_workers(sizes).max())
    padded = np.pad(sums, ((0, 0), (0, size - sums.shape[1])))
    return distribution.sum_of_workers(padded)
