"""Test-time views: several crops and mirror images of what is to be predicted.

In graph, on decoded batches. For crops, images are decoded larger than the model's
input (`ViewsConfig.decoded`) and parts of the input's size are cut out.
"""

import dataclasses

import tensorflow as tf

from data_pipelines import errors

COUNTS = {"none": 1, "mirror": 2, "five_crops": 5, "ten_crops": 10}
"""Every name, and how many views it has."""

MEANS = ("logits", "probabilities")
_LARGEST_SCALE = 4.0


@dataclasses.dataclass(frozen=True)
class ViewsConfig:
    """Which views an image is predicted by, and what of them is averaged.

    Args:
        name: `none` is the image alone; `mirror` the image and its mirror image;
            `five_crops` the four corners and the centre of a larger image (Krizhevsky
            et al. 2012); `ten_crops` these and their mirror images.
        scale: side of the larger image over that of the input, above 1 to 4 (crops
            only). 1.143 is 256/224.
        mean: `logits` or `probabilities`.

    Raises:
        errors.SettingError: a value is none of these.
    """

    name: str = "none"
    scale: float = 1.143
    mean: str = "logits"

    def __post_init__(self):
        for field, right, expected in (
            ("name", self.name in COUNTS, f"one of {', '.join(COUNTS)}"),
            (
                "scale",
                1 < self.scale <= _LARGEST_SCALE,
                f"a number above 1, at most {_LARGEST_SCALE:g}",
            ),
            ("mean", self.mean in MEANS, f"one of {', '.join(MEANS)}"),
        ):
            if not right:
                raise errors.SettingError(
                    f"Views cannot have this {field}. Expected: {expected}. "
                    f"Received: {getattr(self, field)}."
                )

    @property
    def count(self):
        """Views an image."""
        return COUNTS[self.name]

    @property
    def crops(self):
        """Whether views are parts of a larger image."""
        return self.name.endswith("_crops")

    @property
    def linear(self):
        """Whether averaged logits are the last layer's answer to averaged features."""
        return self.count == 1 or self.mean == "logits"

    @property
    def description(self):
        """The views in words; "" for none."""
        if self.count == 1:
            return ""
        scale = f" at scale {self.scale:g}" if self.crops else ""
        return f"{self.name}{scale}, mean of {self.mean}"

    def decoded(self, config):
        """Returns the size that images are decoded to before views are made of them.

        Args:
            config: `images.ImageConfig` of the model's input.

        Returns:
            `images.ImageConfig`, each side `scale` times as long, rounded, for crops;
            else `config`.

        Raises:
            errors.SettingError: a side becomes no longer, so that crops would not
                differ.
        """
        if not self.crops:
            return config
        height, width = (round(self.scale * n) for n in (config.height, config.width))
        if height == config.height or width == config.width:
            raise errors.SettingError(
                "Crops of this scale do not differ. Expected: images of "
                f"{config.height}x{config.width} to grow by a pixel each way. "
                f"Received: scale {self.scale:g}, which gives {height}x{width}."
            )
        return dataclasses.replace(config, height=height, width=width)


def stack(images, config, height, width):
    """Makes the views of a batch.

    Args:
        images: float32 [B, H, W, C], H, W and C known; of the size that
            `ViewsConfig.decoded` gives for an input of `height` and `width`.
        config: `ViewsConfig`.
        height: pixels of a view.
        width: pixels of a view.

    Returns:
        float32 [V, B, height, width, C]: crops in the order top left, top right,
        bottom left, bottom right, centre; then the mirror image of each.
    """
    found = [images]
    if config.crops:
        below, beyond = images.shape[1] - height, images.shape[2] - width
        corners = [(top, left) for top in (0, below) for left in (0, beyond)]
        found = [
            images[:, top : top + height, left : left + width]
            for top, left in [*corners, (below // 2, beyond // 2)]
        ]
    if len(found) < config.count:
        found += [tf.reverse(view, [2]) for view in found]
    return tf.stack(found)
