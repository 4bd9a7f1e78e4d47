"""Mixing of rare images with their like: new examples instead of further copies.

A rare image that is drawn again within an epoch is laid over a near image that shows
the same rare label, with a random share, and so are their targets. The first draw of an
epoch shows the original. After SMOTE (Chawla, Bowyer, Hall and Kegelmeyer 2002: a point
on the line to one of the k nearest of the same class) and MLSMOTE (Charte, Rivera, del
Jesus and Herrera 2015: neighbours are sought among the images that show the same
minority label); unlike these, what is mixed are pixels, labels are mixed along instead
of being voted on, and nothing is stored.
"""

import dataclasses

import numpy as np

from data_pipelines import errors, neighbours

# after epoch, example and copy; augmentation has stream 1 for its noise
_STREAM = 2
_BLOCK = 256
_NONE = -1


def partners(measure, sparse_labels, below, count=5):
    """Finds what each rare image can be mixed with.

    Args:
        measure: function from int64 [M] rows to float32 [M, D] features of theirs, such
            as of `pixel_features.measure`; called once, with the images that show a
            rare label, and only if there are any.
        sparse_labels: `labels.SparseLabels` of N rows, the training split's.
        below: labels that fewer images show are rare.
        count: k, partners an image at most.

    Returns:
        int64 [N, k]: the nearest images that show the rarest label of each image (of
        labels of equal count the first), nearest first; -1 where there is none, since
        the label is not rare, too few show it, or the image has no label.

    Raises:
        errors.SettingError: fewer than one partner is asked for.
        errors.DataError: features that do not fit the rows.
    """
    if count < 1:
        raise errors.SettingError(
            f"Nothing to mix with. Expected: at least 1 partner. Received: {count}."
        )
    present = sparse_labels.present()
    rows, shown, counts = present.rows(), present.index, present.counts()
    found = np.full((len(sparse_labels), count), _NONE, np.int64)
    rare = (counts > 1) & (counts < below)
    needed = np.unique(rows[rare[shown]])
    if not len(needed):
        return found
    features = measure(needed)
    if len(features) != len(needed):
        raise errors.DataError(
            "features do not fit the images",
            expected=f"{len(needed)} rows",
            received=f"{len(features)}",
        )
    rarest = _rarest(rows, shown, counts, len(found))
    by_label = rows[np.argsort(shown, kind="stable")]
    ends = np.cumsum(counts)
    for label in np.flatnonzero(rare).tolist():
        members = by_label[ends[label] - counts[label] : ends[label]]
        its = features[np.searchsorted(needed, members)]
        index, _ = neighbours.nearest(its, its, count, exclude_self=True)
        index = np.where(index < 0, _NONE, members[index])
        mine = rarest[members] == label
        found[members[mine]] = index[mine]
    return found


def _rarest(rows, shown, counts, size):
    """Returns int64 [size]: the rarest label of each image, -1 without one."""
    order = np.lexsort((shown, counts[shown], rows))
    first = np.ones(len(order), bool)
    first[1:] = rows[order[1:]] != rows[order[:-1]]
    rarest = np.full(size, _NONE)
    rarest[rows[order[first]]] = shown[order[first]]
    return rarest


@dataclasses.dataclass(frozen=True)
class MixingConfig:
    """Whether and how rare images are mixed with their like.

    Args:
        below: labels that fewer training images show are rare; 0 mixes nothing.
        partners: nearest images to choose among.
        max_share: as in `Mixing`.
        predictions: predictions folder of the training split whose features say what
            is near; empty: small pixels do (`pixel_features`).
    """

    below: int = 0
    partners: int = 5
    max_share: float = 0.5
    predictions: str = ""


@dataclasses.dataclass(frozen=True)
class Mixing:
    """What is mixed with what, and how much.

    Args:
        partners: int64 [N, k] of `partners`.
        max_share: largest share of the partner, above 0 and up to 1; shares are
            uniform up to it. Above 0.5 the partner can outweigh the image.

    Raises:
        errors.SettingError: a share out of range.
    """

    partners: np.ndarray
    max_share: float = 0.5

    def __post_init__(self):
        if not 0 < self.max_share <= 1:
            raise errors.SettingError(
                "Unknown share of a mixed image. Expected: above 0 and up to 1. "
                f"Received: {self.max_share}."
            )

    def chooser(self, seed):
        """Returns a function of draws, in graph, that says what each is mixed with.

        Args:
            seed: int of the run.

        Returns:
            Function from int64 [B] epoch, example and copy to (partner int64 [B], -1
            where a draw is not mixed, share float32 [B], 0 there). Its random numbers
            are a function of (seed, epoch, example, copy) and shared with nothing.
        """
        import tensorflow as tf

        from data_pipelines import hashing

        table = tf.constant(self.partners)
        known = tf.constant(np.count_nonzero(self.partners >= 0, axis=1))

        def choose(epoch, example, copy):
            stream = tf.fill(tf.shape(epoch), tf.constant(_STREAM, tf.int64))
            keys = tf.stack([epoch, example, copy, stream], axis=1)
            drawn = hashing.uniforms(keys, seed, 2)
            size = tf.gather(known, example)
            # float32 can round a product up to the size itself
            which = tf.minimum(
                tf.cast(drawn[:, 0] * tf.cast(size, tf.float32), tf.int64),
                tf.maximum(size - 1, 0),
            )
            mixed = (copy > 0) & (size > 0)
            partner = tf.gather_nd(table, tf.stack([example, which], axis=1))
            none = tf.constant(_NONE, tf.int64)
            return (
                tf.where(mixed, partner, none),
                tf.where(mixed, self.max_share * drawn[:, 1], 0.0),
            )

        return choose


def with_partners(draws, config, seed):
    """Puts an element for its partner before each draw that is mixed.

    Args:
        draws: `tf.data.Dataset` of {"epoch", "example", "copy"}, int64 scalars.
        config: `Mixing`.
        seed: int of the run.

    Returns:
        `tf.data.Dataset` of the same with "partner", "share" (of `Mixing.chooser`) and
        "is_partner", bool; of a partner's element, "example" is its own row.
    """
    import tensorflow as tf

    choose = config.chooser(seed)

    def spread(block):
        partner, share = choose(block["epoch"], block["example"], block["copy"])
        times = 1 + tf.cast(partner >= 0, tf.int64)
        block = {
            name: tf.repeat(values, times)
            for name, values in (block | {"partner": partner, "share": share}).items()
        }
        # of two equal places in a row the first is the partner's
        place = tf.repeat(tf.range(tf.size(times)), times)
        is_partner = tf.concat([place[1:] == place[:-1], [False]], axis=0)
        example = tf.where(is_partner, block["partner"], block["example"])
        return block | {"example": example, "is_partner": is_partner}

    return draws.batch(_BLOCK).map(spread).unbatch()


def after_partners(decoded):
    """Hands each draw the image of the element before it, and drops partners.

    Args:
        decoded: `tf.data.Dataset` of `with_partners` with "image" decoded, of one
            static shape.

    Returns:
        `tf.data.Dataset` of the draws with "other", an image; where a draw is not
        mixed, some other image.
    """
    import tensorflow as tf

    def follow(before, draw):
        return draw["image"], draw | {"other": before}

    def without_mark(draw):
        return {name: value for name, value in draw.items() if name != "is_partner"}

    nothing = tf.zeros(decoded.element_spec["image"].shape)
    return (
        decoded.scan(nothing, follow)
        .filter(lambda draw: ~draw["is_partner"])
        .map(without_mark)
    )


def blend_targets(first, second, share):
    """Returns (1 - share) first + share second, unknown where either is.

    Args:
        first: float32 [B, C], targets; below 0 is unknown.
        second: float32 [B, C].
        share: float32 [B], of the second.
    """
    import tensorflow as tf

    from data_pipelines import labels

    share = share[:, None]
    blended = (1.0 - share) * first + share * second
    unknown = (first < 0) | ((second < 0) & (share > 0))
    return tf.where(unknown, labels.UNKNOWN, blended)
