"""Group-robust training: the groups that fare worst weigh most."""

import keras
import numpy as np
from keras import ops

from inclusive_tf.losses import base, measured


def group_sums(values, groups, count):
    """Returns float32 [count]: values [B] of the images of each group, added."""
    return ops.segment_sum(values, groups, num_segments=count)


def next_weights(weights, losses, present, step_size):
    """One step of exponentiated gradient ascent.

    Sagawa et al. 2020, arXiv 1911.08731, algorithm 1: q_g exp(step_size * loss_g), then
    scaled to a sum of 1. The largest exponent is taken off first, which changes nothing
    but keeps the exponential finite.

    Args:
        weights: float32 [G], summing to 1.
        losses: float32 [G].
        present: bool [G]; the loss of a group that is not in the batch counts as 0.
        step_size: of the ascent.

    Returns:
        float32 [G] summing to 1; `weights` as they are where a loss is no number.
    """
    exponent = ops.where(present, step_size * losses, 0.0)
    grown = weights * ops.exp(exponent - ops.max(exponent))
    moved = grown / ops.sum(grown)
    return ops.where(ops.all(ops.isfinite(moved)), moved, weights)


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MultilabelGroupDRO(base.PairLoss):
    """Cross-entropy of groups, weighed by weights that follow the worst of them.

    Sagawa et al. 2020, arXiv 1911.08731, algorithm 1 and section 3.3, with l_g the mean
    binary cross-entropy over the known pairs of group g in the batch, C labels, n_g the
    group's training images and A the adjustment:

        q_g <- q_g exp(step_size C (l_g + A / sqrt(n_g))), scaled to a sum of 1
        L = sum_g q_g l_g

    C turns the mean over labels into the log-likelihood of an image's whole label set,
    which is what the paper's step sizes are for. Groups without training images keep
    the weight 0. As a loss of targets and logits alone (validation) it is the plain
    mean over known pairs.

    Args:
        group_counts: G values, training images of each group.
        step_size: of the ascent on q, above 0.
        adjustment: A, 0 or more; small groups, whose training loss says least of their
            test loss, weigh more.
        name: name of the loss.

    Raises:
        errors.SettingError: no counts, or a setting out of its range.
    """

    def __init__(
        self,
        group_counts=(),
        step_size=0.01,
        adjustment=0.0,
        name="group_dro",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        base.require(
            self.name,
            step_size=(step_size, step_size > 0, "above 0"),
            adjustment=(adjustment, adjustment >= 0, "0 or more"),
        )
        counts = measured.counts(self.name, "group_counts", group_counts, 0)
        base.require(
            self.name,
            group_counts=(group_counts, counts.any(), "a group that has images"),
        )
        self.group_counts = tuple(group_counts)
        self.step_size, self.adjustment = step_size, adjustment
        self._added = (adjustment / np.sqrt(np.maximum(counts, 1))).astype(np.float32)
        filled = counts > 0
        self.group_weights = keras.Variable(
            (filled / filled.sum()).astype(np.float32),
            trainable=False,
            dtype="float32",
            # replicas move them alike
            aggregation="only_first_replica",
            name="group_weights",
        )

    whole_batch = True

    @property
    def variables(self):
        """The group weights."""
        return [self.group_weights]

    def per_pair(self, targets, logits):
        """Returns float32 [B, C]: cross-entropy of each pair."""
        return base.cross_entropy(targets, logits)

    def of_batch(self, targets, logits, groups=None, total=None, all_reduce=None):
        """Moves the group weights and returns the loss under them.

        Args:
            targets: float [B, C].
            logits: float [B, C].
            groups: int [B], index of each image's group.
            total: not looked at: each group has a denominator of its own.
            all_reduce: sums a tensor over replicas; None where there is one. Replicas
                then move their weights alike, and their losses add up to the loss.

        Raises:
            errors.SettingError: the batch has no groups.
        """
        base.require(
            self.name, batch=(None, groups is not None, 'one with the key "group"')
        )
        targets, logits = ops.cast(targets, "float32"), ops.cast(logits, "float32")
        all_reduce = all_reduce or (lambda tensor: tensor)
        count = len(self.group_counts)
        sums = group_sums(self.per_image(targets, logits), groups, count)
        sizes = all_reduce(group_sums(self.normaliser(targets), groups, count))
        share = 1.0 / ops.maximum(sizes, 1.0)
        means = all_reduce(ops.stop_gradient(sums)) * share
        labels = ops.shape(logits)[-1]
        weights = next_weights(
            ops.convert_to_tensor(self.group_weights),
            (means + self._added) * ops.cast(labels, "float32"),
            sizes > 0,
            self.step_size,
        )
        self.group_weights.assign(weights)
        return ops.sum(weights * share * sums)

    def get_config(self):
        """Returns the arguments, for `from_config`."""
        return {
            **super().get_config(),
            "group_counts": self.group_counts,
            "step_size": self.step_size,
            "adjustment": self.adjustment,
        }
