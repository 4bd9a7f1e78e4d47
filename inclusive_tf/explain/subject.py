"""What is explained: a model with its input, its layer and its settings."""

import dataclasses

import numpy as np

from data_pipelines import batches, images
from inclusive_tf.explain import cases


@dataclasses.dataclass(frozen=True)
class Subject:
    """A model that is explained, and how it reads images.

    Args:
        model: flat functional Keras model that gives logits.
        layer: name of its final feature map's layer.
        image_config: `images.ImageConfig` of its input.
        config: `cases.ExplainConfig` of its maps.
    """

    model: object
    layer: str
    image_config: images.ImageConfig
    config: cases.ExplainConfig

    def maps_of(self, pixels, owner, label_index):
        """Returns {method: float32 [M, H, W]} as `cases.maps_of` does."""
        return cases.maps_of(
            self.model, self.layer, pixels, owner, label_index, self.config
        )

    def pixels(self, part, rows):
        """Decodes the images of some rows, in their order."""
        ascending, places = _in_order(rows)
        config = self.image_config
        found = batches.evaluation_batches(part.take(ascending), config, 256)
        pixels = [batch["image"].numpy() for batch in found]
        shape = (0, config.height, config.width, config.channels)
        return np.concatenate([np.zeros(shape, np.float32), *pixels])[places]

    def extents(self, part, rows):
        """Where the images of some rows lie: float32 [M, 4] as `images.extent` says."""
        ascending, places = _in_order(rows)
        config = self.image_config
        found = part.storage.records(part.locations[ascending]).map(
            lambda data: images.extent(data, config)
        )
        extents = list(found.as_numpy_iterator())
        return np.stack(extents)[places]


def _in_order(rows):
    """(rows in the order that a stream has, the place of each among them)."""
    return np.unique(np.asarray(rows, np.int64), return_inverse=True)
