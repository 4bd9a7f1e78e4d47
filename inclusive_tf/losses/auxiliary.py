"""Losses of second heads: how many labels an image has, and where they lie.

They are means over the images they can be told of, and 0 where there is none. A target
below 0 says that nothing is known of a label. As those of a `MultilabelLoss`, losses of
the parts of a batch add up when each is told how many such images the batch has.
"""

from keras import ops


def countable(targets):
    """Returns float32 [B]: 1 for an image of which every label is known, else 0."""
    return ops.cast(ops.all(targets >= 0, axis=-1), "float32")


def count_error(targets, counts, total=None):
    """Returns the float32 mean squared error of the number of labels.

    Of images of which every label is known; n = sum_c y_c, so that a soft or blended
    target counts by its share. (Second head of chicm's system in the Inclusive Images
    Challenge, weight 0.01, and of ryancheunggit's, weight 0.0001.)

    Args:
        targets: float [B, C] in [0, 1], below 0 where unknown.
        counts: float [B]; the head's answer.
        total: float32 number of countable images; None counts those here.
    """
    targets, counts = ops.cast(targets, "float32"), ops.cast(counts, "float32")
    error = ops.square(counts - ops.sum(ops.relu(targets), axis=-1))
    return _mean(error, countable(targets), total)


def embeddable(targets, embeddings):
    """Returns float32 [B]: 1 for an image whose embedding has a direction, else 0."""
    sums = _sums(ops.cast(targets, "float32"), embeddings)
    return ops.cast(ops.sum(ops.square(sums), axis=-1) > 1e-12, "float32")


def embedding_distance(targets, embeddings, answers, total=None):
    """Returns the float32 mean cosine distance to the sum of the labels' embeddings.

    1 - cos(a, e), e = sum_c y_c E_c over known labels (second head of ryancheunggit's
    system), of images whose sum has a direction.

    Args:
        targets: float [B, C] in [0, 1], below 0 where unknown.
        embeddings: float [C, D].
        answers: float [B, D]; the head's answer.
        total: float32 number of embeddable images; None counts those here.
    """
    targets, answers = ops.cast(targets, "float32"), ops.cast(answers, "float32")
    directions = ops.normalize(_sums(targets, embeddings))
    cosine = ops.sum(directions * ops.normalize(answers), axis=-1)
    return _mean(1.0 - cosine, embeddable(targets, embeddings), total)


def _sums(targets, embeddings):
    return ops.matmul(ops.relu(targets), ops.cast(embeddings, "float32"))


def _mean(values, told, total):
    total = ops.sum(told) if total is None else total
    return ops.sum(values * told) / ops.maximum(total, 1.0)
