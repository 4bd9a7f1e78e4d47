"""A model and a data set → a `predictions.Predictions`."""

import numpy as np
import tensorflow as tf

from data_pipelines import batches
from inclusive_tf import predictions
from inclusive_tf.models import head


def predict(model, table, image_config, training_counts, batch_size=256, source=None):
    """Runs a model over a label table.

    Args:
        model: `keras.Model` from images to logits, with layers "features", "logits".
        table: `labels.LabelTable` of readable images, of the model's vocabulary.
        image_config: `images.ImageConfig` of the model's input.
        training_counts: int64 [C]; training images that show each label.
        batch_size: images a forward pass.
        source: facts to store beside the arrays.

    Returns:
        `predictions.Predictions` of all examples, in the table's order.
    """
    both = head.features_and_logits(model)
    shape = (None, *model.input_shape[1:])

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)])
    def forward(images):
        return both(images, training=False)

    logits = np.empty((len(table), model.output_shape[-1]), np.float32)
    width = both.output[head.FEATURES].shape[-1]
    features = np.empty((len(table), width), np.float32)
    kernel, bias = head.last_layer(model)
    start = 0
    for batch in batches.evaluation_batches(table, image_config, batch_size):
        outputs = forward(batch["image"])
        end = start + len(outputs[head.LOGITS])
        logits[start:end] = outputs[head.LOGITS]
        features[start:end] = tf.cast(outputs[head.FEATURES], tf.float32)
        start = end
    return predictions.Predictions(
        ids=table.ids,
        logits=logits,
        features=features,
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
    )
