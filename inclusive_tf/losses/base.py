"""What the multilabel losses share: a sum over images and what it is divided by."""

import keras
from keras import ops

from data_pipelines import errors


class MultilabelLoss(keras.losses.Loss):
    """A loss that is (sum over images of `per_image`) / (sum of `normaliser`).

    Numerator and denominator are apart so that both can be summed over all replicas
    before they are divided: then many devices give the loss of one.
    """

    def per_image(self, targets, logits):
        """Returns float32 [B]: what each image adds to the numerator."""
        raise NotImplementedError

    def normaliser(self, targets):
        """Returns float32 [B]: what each image adds to the denominator."""
        raise NotImplementedError

    whole_batch = False
    """Whether the loss of a batch is no sum over parts of it."""

    @property
    def variables(self):
        """Variables that a step changes and a checkpoint has to hold, in order."""
        return []

    def initial_bias(self, log_odds):
        """Returns what the last layer's bias should start at, as `log_odds` [C].

        That is the labels' log-odds, less what the loss adds to the logits, or more
        where it weighs present labels by a factor. What focusing and tolerance of
        absent labels move is not looked for.
        """
        return log_odds

    def total(self, targets):
        """Returns float32: the denominator of a batch, from its targets [B, C]."""
        return ops.sum(self.normaliser(ops.cast(targets, "float32")))

    def of_batch(self, targets, logits, groups=None, total=None, all_reduce=None):
        """Returns the float32 loss of one training step, and takes the loss's own step.

        Losses of the parts of a batch, on one replica or several, add up to that of the
        batch when each is told the `total` of the batch.

        Args:
            targets: float [B, C].
            logits: float [B, C].
            groups: int [B], for a loss that looks at groups; others ignore them.
            total: float32 denominator; None is that of these images.
            all_reduce: sums a tensor over replicas, for a `whole_batch` loss; None
                where there is one.
        """
        targets = ops.cast(targets, "float32")
        # half precision overflows in the exponentials
        logits = ops.cast(logits, "float32")
        total = self.total(targets) if total is None else total
        return ops.sum(self.per_image(targets, logits)) / ops.maximum(total, 1e-7)

    def call(self, y_true, y_pred):
        """Returns float32 [B] whose mean is the loss, as Keras' reduction expects."""
        targets = ops.cast(y_true, "float32")
        # half precision overflows in the exponentials
        logits = ops.cast(y_pred, "float32")
        total = ops.maximum(ops.sum(self.normaliser(targets)), 1e-7)
        images = ops.cast(ops.shape(logits)[0], "float32")
        return self.per_image(targets, logits) * (images / total)


class PairLoss(MultilabelLoss):
    """A loss that is the mean over known (image, label) pairs of `per_pair`."""

    num_classes = None
    """Labels that the loss was told of; None is any number."""

    def per_pair(self, targets, logits):
        """Returns float32 [B, C]: what each pair adds.

        Args:
            targets: float32 [B, C] in [0, 1]; 0 stands for unknown labels as well,
                whose part is dropped.
            logits: float32 [B, C].
        """
        raise NotImplementedError

    def per_image(self, targets, logits):
        """Returns float32 [B]: the sum over an image's known labels.

        Raises:
            errors.SettingError: the loss was told of another number of labels.
        """
        received = logits.shape[-1]
        require(
            self.name,
            number_of_labels=(
                self.num_classes,
                self.num_classes in (None, received),
                f"{received}, as the model has logits",
            ),
        )
        pairs = self.per_pair(ops.relu(targets), logits)
        return ops.sum(ops.where(targets >= 0, pairs, 0.0), axis=-1)

    def normaliser(self, targets):
        """Returns float32 [B]: how many labels of an image are known."""
        return ops.sum(known(targets), axis=-1)


def known(targets):
    """Returns float32 [B, C]: 1 where something is known of the label, else 0."""
    return ops.cast(targets >= 0, "float32")


def cross_entropy(targets, logits):
    """Returns -[y log p + (1 - y) log(1 - p)], p = sigmoid(s), without overflow."""
    return ops.relu(logits) - logits * targets + ops.softplus(-ops.abs(logits))


def require(loss, **settings):
    """Checks settings of a loss.

    Args:
        loss: its name.
        **settings: name: (value, whether it is right, what would be).

    Raises:
        errors.SettingError: the first that is not right.
    """
    for name, (value, right, expected) in settings.items():
        if not right:
            raise errors.SettingError(
                f"The loss {loss} cannot have this {name}. Expected: {expected}. "
                f"Received: {value}."
            )
