"""Multilabel losses on logits, with soft targets and a mask for unknown labels.

Targets are float [B, C] in [0, 1]; a negative target says that the label is unknown and
takes it out of the loss (`data_pipelines.labels.UNKNOWN`).
"""

from inclusive_tf import registry

LOSSES = {
    "binary_cross_entropy": (
        "inclusive_tf.losses.binary_cross_entropy:MultilabelBinaryCrossentropy"
    ),
    "multilabel_softmax": (
        "inclusive_tf.losses.multilabel_softmax:MultilabelSoftmaxCrossentropy"
    ),
}


def build(name, **settings):
    """Returns the loss called `name`.

    Raises:
        ValueError: there is none; the message lists the known ones.
    """
    return registry.resolve(LOSSES, name, "loss")(**settings)
