"""Mean F-beta over images, the challenge's metric, as a Keras metric."""

import keras
from keras import ops


def sides(targets, logits, threshold=0.0):
    """Returns float32 (truth, given), each [B, C]: 1 where a label is of the set.

    Args:
        targets: float [B, C]; true from 0.5 on, unknown below 0 and then in neither.
        logits: float [B, C].
        threshold: logit from which a label is given.
    """
    targets = ops.cast(targets, "float32")
    is_known = targets >= 0
    truth = ops.logical_and(is_known, targets >= 0.5)
    given = ops.logical_and(is_known, logits >= threshold)
    return ops.cast(truth, "float32"), ops.cast(given, "float32")


def f_beta(hits, true, given, beta=2.0):
    """Returns F-beta from counts: (1 + b^2) TP / (b^2 |Y| + |Z|), 0 when TP is."""
    square = beta**2
    denominator = square * true + given
    return ops.where(hits > 0, (1 + square) * hits / ops.maximum(denominator, 1.0), 0.0)


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MeanFBeta(keras.metrics.Metric):
    """Mean over images of F-beta between the label sets given and true.

    Formula of an image with true set Y, given set Z and TP = |Y ∩ Z|:

        F_beta = (1 + beta^2) TP / (beta^2 |Y| + |Z|), 0 when TP = 0

    Labels with a negative target are unknown and left out of Y and Z; targets of at
    least 0.5 are true. Keras' own `FBetaScore` averages over classes instead.

    Args:
        threshold: logit from which a label is given; 0 is probability 0.5.
        beta: weight of recall over precision.
        name: name of the metric.
        dtype: dtype of the state.
    """

    def __init__(self, threshold=0.0, beta=2.0, name="mean_f2", dtype=None):
        super().__init__(name=name, dtype=dtype)
        if beta <= 0:
            raise ValueError(
                f"F-beta has no such beta. Expected: above 0. Received: {beta}."
            )
        self.threshold, self.beta = threshold, beta
        self.total = self.add_weight(name="total", initializer="zeros")
        self.images = self.add_weight(name="images", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds images: y_true float [B, C] targets, y_pred float [B, C] logits."""
        truth, given = sides(y_true, y_pred, self.threshold)
        counts = (ops.sum(one, axis=-1) for one in (truth * given, truth, given))
        scores = ops.cast(f_beta(*counts, self.beta), self.dtype)
        weights = ops.ones_like(scores)
        if sample_weight is not None:
            weights = ops.cast(ops.reshape(sample_weight, (-1,)), self.dtype)
        self.total.assign_add(ops.sum(scores * weights))
        self.images.assign_add(ops.sum(weights))

    def result(self):
        """Returns the mean, 0 before any image."""
        return ops.divide_no_nan(self.total, self.images)

    def get_config(self):
        """Returns the arguments, for `from_config`."""
        return {
            **super().get_config(),
            "threshold": self.threshold,
            "beta": self.beta,
        }
