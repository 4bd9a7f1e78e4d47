"""Are maps to be believed? Curves of deletion and insertion, and re-drawn weights.

A map that tells what the model uses should name the places whose removal lowers the
label's logit fastest, and whose return raises it fastest, compared with places taken
at random; and it should change when the model's weights are drawn again.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf
from scipy import stats

from inclusive_tf.explain import explainable, occlusion


@dataclasses.dataclass(frozen=True)
class CurveConfig:
    """How curves are taken.

    Args:
        cell: side in pixels of the squares that are covered, or (height, width).
            Random single pixels would make noise that no map makes, so maps and random
            orders both take squares.
        steps: steps from the whole image to none of it.
        orders: random orders an image, whose mean is what a map is compared with.
        fill: what covers, as in `occlusion.Occlusion`.
        seed: of the random orders.
        batch_size: images a forward.
    """

    cell: int | tuple = 4
    steps: int = 8
    orders: int = 5
    fill: str | float = "mean"
    seed: int = 0
    batch_size: int = 256


class Curves:
    """Deletion and insertion: Petsiuk et al. 2018, "RISE", in logits.

    The area under a curve is the mean logit over its steps, ends included. Deletion
    starts at the whole image and covers what a map names first; insertion starts at the
    covered image and uncovers it.

    Args:
        model: flat functional Keras model that gives logits; not changed.
        config: `CurveConfig`.

    Raises:
        errors.DataError: the model cannot be explained, or there is no such fill.
    """

    def __init__(self, model, config):
        self._model = explainable.explainable(model)
        self._config = config
        self._cell = occlusion.pair("cell", config.cell)
        occlusion.require_fill(config.fill)
        self._logits = tf.function(
            lambda images: self._model([images], training=False),
            input_signature=explainable.signature(self._model)[:1],
            autograph=False,
        )

    def gains(self, images, label_index, maps):
        """Compares maps with random orders.

        Args:
            images: float32 [B, H, W, C] in 0..1.
            label_index: int [B].
            maps: {method: float [B, H, W]}.

        Returns:
            {method: {"deletion": float64 [B], "insertion": float64 [B]}} in logits:
            how much lower the deletion's area and how much higher the insertion's area
            is than the mean over random orders. Above 0 is better than random.

        Raises:
            errors.DataError: images or labels do not fit the model.
        """
        images = explainable.checked_images(self._model, images)
        label_index = explainable.checked_labels(self._model, images, label_index)
        covers = occlusion.cover(images, self._config.fill, self._cell)
        cells = self._cells(images.shape[1:3])
        found = {name: {"deletion": [], "insertion": []} for name in maps}
        for row, (image, cover, label) in enumerate(
            zip(images, covers, label_index, strict=True)
        ):
            generator = np.random.default_rng([self._config.seed, row])
            orders = [_order(taken[row], cells) for taken in maps.values()]
            orders += [
                generator.permutation(cells.max() + 1)
                for _ in range(self._config.orders)
            ]
            areas = self._areas(image, cover, label, orders, cells)
            chance = areas[len(maps) :].mean(axis=0)
            for name, area in zip(maps, areas[: len(maps)], strict=True):
                found[name]["deletion"].append(chance[0] - area[0])
                found[name]["insertion"].append(area[1] - chance[1])
        return {
            name: {curve: np.array(values) for curve, values in one.items()}
            for name, one in found.items()
        }

    def _cells(self, size):
        """Returns int [H, W]: the number of each pixel's square."""
        down, across = (
            np.arange(length) // side
            for length, side in zip(size, self._cell, strict=True)
        )
        return down[:, None] * (across[-1] + 1) + across

    def _areas(self, image, cover, label, orders, cells):
        """Returns float64 [orders, 2]: areas of deletion and of insertion."""
        steps = self._config.steps
        seen = []
        for order in orders:
            rank = np.argsort(order)
            named = np.round(np.linspace(0, len(order), steps + 1))
            gone = (rank[cells] < named[:, None, None])[..., None]
            seen += [np.where(gone, cover, image), np.where(gone, image, cover)]
        pixels = np.concatenate(seen)
        parts = np.array_split(pixels, -(-len(pixels) // self._config.batch_size))
        logits = [self._logits(tf.constant(part)).numpy()[:, label] for part in parts]
        curves = np.concatenate(logits).astype(np.float64)
        return curves.reshape(len(orders), 2, steps + 1).mean(axis=2)


def _order(one, cells):
    """Returns the squares of a map [H, W], those it names most first."""
    total = np.bincount(cells.ravel(), np.asarray(one, np.float64).ravel())
    return np.argsort(-total / np.bincount(cells.ravel()), kind="stable")


def with_drawn_weights(model, seed=0):
    """Returns a model of the same form whose weights are drawn again.

    Each weight keeps its own values in random places, so variances stay above 0 and
    scales as they were; what was learnt is gone. The model is not changed.
    """
    model = explainable.explainable(model)
    twin = keras.models.clone_model(model)
    generator = np.random.default_rng(seed)
    twin.set_weights([
        generator.permutation(weight.ravel()).reshape(weight.shape)
        for weight in model.get_weights()
    ])  # fmt: skip
    return twin


def rank_correlations(maps, others):
    """Spearman's rank correlation of each map with another; Adebayo et al. 2018.

    Args:
        maps: float [B, H, W].
        others: float [B, H, W], such as those of a model with other weights.

    Returns:
        float64 [B]; NaN where one of the two is the same everywhere.
    """
    found = np.full(len(maps), np.nan)
    for row, (one, other) in enumerate(zip(maps, others, strict=True)):
        if np.ptp(one) > 0 and np.ptp(other) > 0:
            found[row] = stats.spearmanr(np.ravel(one), np.ravel(other)).statistic
    return found
