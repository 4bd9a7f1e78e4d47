"""The variations in their order, on a batch."""

import math

import tensorflow as tf

from data_pipelines.augmentation import draws as drawing
from data_pipelines.augmentation import geometry, photometry, rand_augment


def augment(images, keys, seed, config, epochs=None, strength=None):
    """Varies each image as its key says.

    In this order: crop, mirror, zoom, rotation, shift and the movements of RandAugment
    as one bilinear resampling; blur; gamma; hue; saturation and grey; contrast;
    brightness; channel shift; noise; the other operations of RandAugment; JPEG. Mixup
    and CutMix follow, with the targets, in `batch_mixing`.

    Args:
        images: float32 [B, H, W, C] in 0..1, H, W and C known.
        keys: int64 [B, 3]: epoch, example and copy.
        seed: int of the run.
        config: `config.AugmentationConfig`.
        epochs: epochs of the training; a schedule needs them.
        strength: float32 [B] that all amounts are multiplied by, up to the end of their
            range, or None for 1; probabilities of grey and JPEG are amounts, that of
            mirroring is not, since an image is varied most by a fair coin.

    Returns:
        float32 [B, H, W, C] in 0..1; `images` itself where nothing is to vary.

    Raises:
        errors.SettingError: colour is to be varied and there is none, or a schedule
            does not know its end.
    """
    config.require_channels(images.shape[-1])
    draws = drawing.draw(keys, seed, config, epochs, strength)
    choice = None
    if config.rand_augment:
        choice = rand_augment.choose(keys, seed, config, strength)
    varied = _moved(images, draws, config, choice)
    varied = _with_other_light(varied, draws, config)
    if config.noise:
        deviation = draws.amount(config.noise) * draws.one_sided("noise")
        noise = drawing.noise(keys, seed, images.shape[1:])
        varied += photometry.to_images(deviation) * noise
    if varied is not images:
        varied = tf.clip_by_value(varied, 0.0, 1.0)
    if choice is not None:
        varied = rand_augment.change_values(varied, choice)
    if config.jpeg:
        chosen = draws.chosen("jpeg", draws.amount(config.jpeg))
        varied = photometry.through_jpeg(varied, chosen, _quality(draws, config))
    if draws.phase is None or varied is images:
        return varied
    return tf.where(photometry.to_images(draws.phase == drawing.NONE), images, varied)


def _moved(images, draws, config, choice):
    height, width = images.shape[1], images.shape[2]
    crops = config.crop_scale < 1
    if not (config.shift or config.rotate or config.zoom or crops or choice):
        if not config.mirror:
            return images
        # the same to the bit, and many times as fast
        mirrored = photometry.to_images(draws.chosen("mirror", config.mirror))
        return tf.where(mirrored, tf.reverse(images, [2]), images)
    affine = geometry.moved(draws, config, height, width)
    if crops:
        # asked last, so what a rotation brings in is the image beyond the crop
        affine = geometry.cropped(draws, config, height, width).after(affine)
    if choice is not None:
        affine = affine.after(rand_augment.movement(choice, height, width))
    return geometry.resample(images, affine, config.fill)


def _with_other_light(images, draws, config):
    if config.blur:
        share = draws.amount(config.blur) * draws.one_sided("blur")
        images = photometry.blurred(images, share)
    if config.gamma:
        log_power = draws.amount(math.log1p(config.gamma), math.log(5.0))
        images = photometry.with_power(
            images, tf.exp(log_power * draws.signed("gamma"))
        )
    if config.hue:
        turn = draws.amount(config.hue, 0.5) * draws.signed("hue")
        images = photometry.with_hue(images, turn)
    if config.saturation or config.grey:
        factor = 1.0 + draws.amount(config.saturation) * draws.signed("saturation")
        without = draws.chosen("grey", draws.amount(config.grey))
        images = photometry.with_saturation(images, tf.where(without, 0.0, factor))
    if config.contrast:
        factor = 1.0 + draws.amount(config.contrast) * draws.signed("contrast")
        images = photometry.with_contrast(images, factor)
    if config.brightness:
        added = draws.amount(config.brightness) * draws.signed("brightness")
        images += photometry.to_images(added)
    if config.channel_shift:
        each = tf.stack([draws.signed(f"channel_{c}") for c in range(3)], axis=1)
        most = draws.amount(config.channel_shift)
        each *= most if draws.strength is None else most[:, None]
        images += each[:, None, None, :]
    return images


def _quality(draws, config):
    """JPEG quality, int32 [B]: whole numbers from the smallest to 100."""
    span = draws.amount(100.0 - config.jpeg_quality, 99.0)
    lost = draws.one_sided("jpeg_quality") * (span + 1.0)
    return 100 - tf.cast(tf.minimum(tf.floor(lost), span), tf.int32)
