"""Everything that moves pixels, gathered into one resampling.

A movement is held by the affine map that leads from where a pixel goes to where it
comes from, in pixels from the image's centre. Movements are composed as maps and the
image is resampled once, so that several blur it no more than one does.
"""

import dataclasses
import math

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Affine:
    """x' = xx x + xy y + x0 and y' = yx x + yy y + y0; each float32 [B]."""

    xx: tf.Tensor
    xy: tf.Tensor
    yx: tf.Tensor
    yy: tf.Tensor
    x0: tf.Tensor
    y0: tf.Tensor

    def after(self, first):
        """Returns the map that applies `first` and then this one."""
        return Affine(
            self.xx * first.xx + self.xy * first.yx,
            self.xx * first.xy + self.xy * first.yy,
            self.yx * first.xx + self.yy * first.yx,
            self.yx * first.xy + self.yy * first.yy,
            self.xx * first.x0 + self.xy * first.y0 + self.x0,
            self.yx * first.x0 + self.yy * first.y0 + self.y0,
        )


def moved(draws, config, height, width):
    """Mirror, zoom, rotation and shift about the centre.

    Args:
        draws: `draws.Draws`.
        config: `config.AugmentationConfig`.
        height: of the images, pixels.
        width: likewise.

    Returns:
        `Affine`.
    """
    angle = draws.amount(math.radians(config.rotate), math.pi) * draws.signed("rotate")
    log_zoom = draws.amount(math.log1p(config.zoom), math.inf)
    scale = tf.exp(log_zoom * draws.signed("zoom"))
    mirrored = tf.where(draws.chosen("mirror", config.mirror), -1.0, 1.0)
    # from where a pixel goes to where it comes from, hence 1 / scale
    cosine, sine = tf.cos(angle) / scale, tf.sin(angle) / scale
    away_x = draws.amount(config.shift * width, width) * draws.signed("shift_x")
    away_y = draws.amount(config.shift * height, height) * draws.signed("shift_y")
    return Affine(cosine * mirrored, -sine, sine * mirrored, cosine, away_x, away_y)


def cropped(draws, config, height, width):
    """A random part of the image, enlarged to the whole of it.

    Its share of the area is uniform from `crop_scale` to 1, its proportions relative to
    the image's are uniform in their logarithm, its place is uniform. Proportions reach
    as far as a part of that area still fits, where Szegedy et al. draw anew.

    Args:
        draws: `draws.Draws`.
        config: `config.AugmentationConfig`.
        height: of the images, pixels.
        width: likewise.

    Returns:
        `Affine`.
    """
    largest_loss = draws.amount(1.0 - config.crop_scale, 0.95)
    area = 1.0 - largest_loss * draws.one_sided("crop_area")
    log_aspect = tf.minimum(math.log(config.crop_aspect), -tf.math.log(area))
    aspect = tf.exp(log_aspect * draws.signed("crop_aspect"))
    part_x, part_y = tf.sqrt(area * aspect), tf.sqrt(area / aspect)
    none = tf.zeros_like(area)
    return Affine(
        part_x,
        none,
        none,
        part_y,
        (1.0 - part_x) * (draws.uniform("crop_x") - 0.5) * width,
        (1.0 - part_y) * (draws.uniform("crop_y") - 0.5) * height,
    )


def resample(images, affine, fill):
    """Moves each image by its map, bilinearly.

    Args:
        images: float32 [B, H, W, C].
        affine: `Affine`.
        fill: one of `config.FILLS`, where the map leads outside.

    Returns:
        float32 [B, H, W, C].
    """
    height, width = images.shape[1], images.shape[2]
    x, y = (width - 1) / 2, (height - 1) / 2
    none = tf.zeros_like(affine.xx)
    matrices = tf.stack(
        [
            affine.xx,
            affine.xy,
            x + affine.x0 - affine.xx * x - affine.xy * y,
            affine.yx,
            affine.yy,
            y + affine.y0 - affine.yx * x - affine.yy * y,
            none,
            none,
        ],
        axis=1,
    )
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=matrices,
        output_shape=tf.constant([height, width]),
        interpolation="BILINEAR",
        fill_mode=fill.upper(),
        fill_value=0.0,
    )
