"""Features of images without a model: their pixels at a small size.

The distance of two images is then the root mean square difference of their pixels at
that size, from 0 (the same) to 1 (black and white): 0.01 is what re-encoding or scaling
does, and an image that differs in one small place is near as well.
"""

import numpy as np
import tqdm

_BATCH = 256


def measure(table, size=16, channels=3, ignore_brightness=False,
            max_pixels=50_000_000, progress=False):  # fmt: skip
    """Measures every image of a label table.

    Images are read by the one road (`images.decode`), stretched to a square: what has
    another shape but the same content is near.

    Args:
        table: `labels.LabelTable` of N readable images (`quality.scan` finds others).
        size: pixels a side, D = size * size * channels.
        channels: 3 for colour, 1 for grey.
        ignore_brightness: whether each image's own mean is subtracted and what is left
            is scaled to its deviation (0.25, or less if it is nearly blank), so that
            the same picture brighter or with more contrast is near.
        max_pixels: larger images are refused from their header; as in that scan.
        progress: whether to show a bar on the standard error stream.

    Returns:
        float32 [N, D], in the table's order.

    Raises:
        errors.DataError: size or channels cannot be used.
        tf.errors.InvalidArgumentError, tf.errors.NotFoundError: an image is unreadable.
    """
    import tensorflow as tf

    from data_pipelines import images

    config = images.ImageConfig(size, size, channels, max_pixels=max_pixels)
    draws = tf.data.Dataset.range(len(table)).map(lambda row: {"example": row})
    batches = (
        table.storage.read(draws, table.locations)
        .map(
            lambda draw: images.decode(draw["data"], config),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .batch(_BATCH)
        .prefetch(tf.data.AUTOTUNE)
    )
    features = np.empty((len(table), size * size * channels), np.float32)
    start = 0
    with tqdm.tqdm(
        total=len(table), desc="measuring images", unit="image", disable=not progress
    ) as bar:
        for batch in batches.as_numpy_iterator():
            features[start : start + len(batch)] = batch.reshape(len(batch), -1)
            start += len(batch)
            bar.update(len(batch))
    if ignore_brightness:
        features = _standardised(features)
    # a sum of squares becomes a mean of squares
    return features / np.float32(np.sqrt(features.shape[1]))


_DEVIATION = 0.25
# a nearly blank image is noise: it is not to be blown up
_LEAST_DEVIATION = 0.02


def _standardised(features):
    centred = features - features.mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(axis=1, keepdims=True))
    return centred * (_DEVIATION / np.maximum(deviation, _LEAST_DEVIATION))
