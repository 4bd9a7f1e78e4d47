"""Occlusion: how far each label's logit falls when a patch of the image is covered."""

import numpy as np
import tensorflow as tf
from scipy import ndimage

from data_pipelines import errors
from inclusive_tf.explain import explainable

FILLS = ("mean", "grey", "blur")
_CELLS = 1 << 25


class Occlusion:
    """Maps of logit fall, for all labels from the same forwards.

    A patch stands at every `stride`-th place and at the far borders, so that every
    pixel is covered; a pixel's value is the mean fall over the patches that cover it
    (the sensitivity of Zeiler and Fergus 2014, "Visualizing and understanding
    convolutional networks", in logits instead of probabilities).

    Args:
        model: flat functional Keras model that gives logits; not changed.
        patch: side of the patch in pixels, or (height, width).
        stride: step in pixels, or (down, right); at most the patch.
        fill: what covers: "mean" (of the image, each channel), "grey" (0.5), "blur"
            (the image itself, blurred by half a patch), or a number in 0..1.
        batch_size: occluded images a forward.

    Raises:
        errors.DataError: the model cannot be explained, the patch leaves gaps or does
            not fit the input, or there is no such fill.
    """

    def __init__(self, model, patch, stride, fill="mean", batch_size=256):
        self._model = explainable.explainable(model)
        self._patch = pair("patch", patch)
        self._stride = pair("stride", stride)
        if any(
            step > side for step, side in zip(self._stride, self._patch, strict=True)
        ):
            raise errors.DataError(
                "the stride leaves pixels that no patch covers",
                expected=f"at most the patch {self._patch}",
                received=str(self._stride),
            )
        require_fill(fill)
        self._fill = fill
        self._batch_size = batch_size
        image = tf.TensorSpec([None, *self._model.inputs[0].shape[1:]], tf.float32)
        place = tf.TensorSpec([batch_size], tf.int32)
        # one signature with a static batch: traced once, whatever B is
        self._logits = tf.function(
            self._occluded_logits,
            input_signature=[image, image, place, place, place],
            autograph=False,
        )

    def _occluded_logits(self, images, cover, example, top, left):
        height, width = self._patch
        rows = tf.range(tf.shape(images)[1]) - top[:, None]
        columns = tf.range(tf.shape(images)[2]) - left[:, None]
        covered_rows = (rows >= 0) & (rows < height)
        covered_columns = (columns >= 0) & (columns < width)
        covered = covered_rows[:, :, None, None] & covered_columns[:, None, :, None]
        chosen = tf.where(
            covered, tf.gather(cover, example), tf.gather(images, example)
        )
        return self._model([chosen], training=False)

    def __call__(self, images):
        """Explains all labels of each image.

        Args:
            images: float32 [B, H, W, C] in 0..1.

        Returns:
            float32 [B, H, W, L], in logits: positive where covering lowers the logit
            (evidence for the label), negative where it raises it.

        Raises:
            errors.DataError: images do not fit the model or are smaller than a patch.
        """
        return self.spread(self.falls(images), np.shape(images)[1:3])

    def falls(self, images):
        """Returns float32 [B, rows, columns, L]: the fall of each logit by patch."""
        images = explainable.checked_images(self._model, images)
        tops, lefts = self._grid(images.shape[1:3])
        # a first "patch" above the image covers nothing: the logits to fall from
        patch_top = np.concatenate([[-self._patch[0]], np.repeat(tops, len(lefts))])
        patch_left = np.concatenate([[0], np.tile(lefts, len(tops))])
        patches = len(patch_top)
        pixels = tf.constant(images)
        covered = tf.constant(cover(images, self._fill, self._patch))
        forwards = len(images) * patches
        logits = np.zeros((forwards, self._model.outputs[0].shape[-1]), np.float32)
        for start in range(0, forwards, self._batch_size):
            # beyond the end the last forward is repeated, to keep the batch's shape
            number = np.minimum(
                np.arange(start, start + self._batch_size), forwards - 1
            )
            example, patch = np.divmod(number, patches)
            chunk = self._logits(
                pixels,
                covered,
                tf.constant(example, tf.int32),
                tf.constant(patch_top[patch], tf.int32),
                tf.constant(patch_left[patch], tf.int32),
            )
            logits[start : start + self._batch_size] = chunk[: forwards - start]
        logits = logits.reshape(len(images), patches, logits.shape[-1])
        falls = logits[:, :1] - logits[:, 1:]
        return falls.reshape(len(images), len(tops), len(lefts), logits.shape[-1])

    def falls_of(self, images, owner, label):
        """Returns float32 [M, rows, columns]: as `falls`, each of one label.

        Images go through together as far as the logits of all their patches and labels
        take `_CELLS` numbers.

        Args:
            images: float32 [B, H, W, C] in 0..1.
            owner: int [M], the image of each.
            label: int [M].
        """
        images = explainable.checked_images(self._model, images)
        owner, label = np.asarray(owner), np.asarray(label)
        grid = tuple(map(len, self._grid(images.shape[1:3])))
        found = np.empty((len(owner), *grid), np.float32)
        cells = (np.prod(grid) + 1) * self._model.outputs[0].shape[-1]
        step = int(max(1, _CELLS // cells))
        for first in range(0, len(images), step):
            asked = np.flatnonzero((owner >= first) & (owner < first + step))
            if len(asked):
                falls = self.falls(images[first : first + step])
                found[asked] = falls[owner[asked] - first, :, :, label[asked]]
        return found

    def spread(self, falls, size):
        """Averages falls over the patches that cover each pixel.

        Args:
            falls: float32 [B, rows, columns, K] from `falls`, K any choice of labels.
            size: (height, width) of the images.

        Returns:
            float32 [B, height, width, K].
        """
        tops, lefts = self._grid(size)
        rows = _coverage(tops, self._patch[0], size[0])
        columns = _coverage(lefts, self._patch[1], size[1])
        # patches form a grid, so their mean is one along columns, then one along rows
        across = np.einsum("wc,brck->brwk", columns, falls)
        return np.einsum("hr,brwk->bhwk", rows, across, dtype=np.float32)

    def _grid(self, size):
        if any(side > length for side, length in zip(self._patch, size, strict=True)):
            raise errors.DataError(
                "the patch is larger than the image",
                expected=f"at most {tuple(size)}",
                received=str(self._patch),
            )
        return [
            np.append(np.arange(0, length - side, step), length - side)
            for length, side, step in zip(size, self._patch, self._stride, strict=True)
        ]


def require_fill(fill):
    """Raises `errors.DataError` unless `fill` is a number or one of `FILLS`."""
    if isinstance(fill, str) and fill not in FILLS:
        raise errors.DataError(
            "there is no such fill",
            expected=f"a number or one of {', '.join(FILLS)}",
            received=fill,
        )


def cover(images, fill, patch):
    """Returns float32 [B, H, W, C]: what covered pixels of images are replaced by.

    Args:
        images: float32 [B, H, W, C] in 0..1.
        fill: as in `Occlusion`.
        patch: (height, width) of what is covered.
    """
    if fill == "blur":
        sigma = (0, patch[0] / 2, patch[1] / 2, 0)
        return ndimage.gaussian_filter(images, sigma, mode="nearest")
    if fill == "mean":
        colour = images.mean(axis=(1, 2), keepdims=True)
    else:
        colour = 0.5 if fill == "grey" else fill
    return np.broadcast_to(np.asarray(colour, np.float32), images.shape)


def _coverage(starts, side, length):
    pixels = np.arange(length)[:, None]
    covered = (pixels >= starts) & (pixels < starts + side)
    return (covered / covered.sum(axis=1, keepdims=True)).astype(np.float32)


def pair(name, value):
    """Returns a length in pixels as (height, width).

    Raises:
        errors.DataError: it is no whole number of at least 1, nor two of them.
    """
    sides = (value, value) if np.isscalar(value) else tuple(value)
    if len(sides) != 2 or any(side != int(side) or side < 1 for side in sides):
        raise errors.DataError(
            f"the {name} is a length in pixels",
            expected="a whole number of at least 1, or two",
            received=str(value),
        )
    return tuple(int(side) for side in sides)
