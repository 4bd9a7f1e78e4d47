"""What a draw shows of the truth of its image: stateless, a batch at a time, in graph.

It changes targets of training only; tables, counts and evaluation keep the whole truth.
"""

import tensorflow as tf

from data_pipelines import errors, hashing, labels

ONE_LABEL = ("none", "absent", "unknown")
"""Whether a draw shows one of its labels alone, and what becomes of the others."""

# after epoch, example and copy; mixing and augmentation have streams 1 to 4
_STREAM = 5


def require_one_label(one_label):
    """Checks the name of a way.

    Raises:
        errors.SettingError: it is not one of `ONE_LABEL`.
    """
    if one_label not in ONE_LABEL:
        raise errors.SettingError(
            "Unknown way to show one label. Expected: one of "
            f"{', '.join(ONE_LABEL)}. Received: {one_label}."
        )


def one_label(targets, keys, seed, others):
    """Leaves each image one of its present labels, drawn uniformly.

    The first stage of the 11th place of the Inclusive Images Challenge (chicm): a label
    drawn anew each time an image is seen is the class of a softmax over all labels. So
    each label of an image has its turn, in 1 / (labels of the image) of the draws.

    Args:
        targets: float32 [B, C]; from `labels.PRESENT` on a label is present, below 0
            unknown.
        keys: int64 [B, 3]: epoch, example and copy; which label is left is a function
            of seed and key alone.
        seed: int of the run.
        others: of the other present labels, `absent` makes the target 0, `unknown`
            makes it `labels.UNKNOWN`, and `none` leaves all labels as they are.

    Returns:
        float32 [B, C]. The label that is left keeps its target; what is not present,
        and images without a present label, stay as they are.

    Raises:
        errors.SettingError: another name.
    """
    require_one_label(others)
    if others == "none":
        return targets
    stream = tf.fill([tf.shape(keys)[0], 1], tf.constant(_STREAM, keys.dtype))
    uniform = hashing.uniforms(tf.concat([keys, stream], axis=1), seed, 1)
    present = targets >= labels.PRESENT
    number = tf.cumsum(tf.cast(present, tf.int32), axis=1)
    count = number[:, -1:]
    # float32 can round a product up to the count itself
    chosen = tf.minimum(tf.cast(uniform * tf.cast(count, tf.float32), tf.int32) + 1,
                        count)  # fmt: skip
    rest = {"absent": 0.0, "unknown": labels.UNKNOWN}[others]
    return tf.where(present & (number != chosen), rest, targets)
