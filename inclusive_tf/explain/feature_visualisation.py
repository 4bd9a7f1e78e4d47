"""What a label's logit likes best to see: activation maximisation by tf-keras-vis."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf
from tf_keras_vis import activation_maximization
from tf_keras_vis.activation_maximization import regularizers

from data_pipelines import errors
from inclusive_tf.explain import explainable


@dataclasses.dataclass(frozen=True)
class FeatureConfig:
    """How pictures are grown.

    Args:
        steps: of gradient ascent.
        rate: greatest change of a pixel in a step, about; Adam's learning rate.
        variation: weight of the total variation, in logits; more is smoother.
        norm: weight of the distance of pixels from 0, in logits; more is darker.
        jitter: pixels by which the image is shifted at random in each step, so that
            what is found does not hang on single pixels.
        seed: of the first image and the shifts.

    Raises:
        errors.SettingError: no steps.
    """

    steps: int = 100
    rate: float = 0.02
    variation: float = 2.0
    norm: float = 0.3
    jitter: int = 2
    seed: int = 0

    def __post_init__(self):
        if self.steps < 1:
            raise errors.SettingError(
                "A label's picture cannot be grown. Expected: at least 1 step. "
                f"Received: {self.steps}."
            )


def label_pictures(model, label_index, config):
    """Grows an image for each label from grey noise.

    Olah et al. 2017, "Feature visualization". tf-keras-vis' own shifts draw from
    NumPy's global state; these obey the seed. The answer is a picture of what raises a
    logit, and need not look like anything.

    Args:
        model: flat functional Keras model that gives logits, of fixed input size.
        label_index: K labels.
        config: `FeatureConfig`.

    Returns:
        (float32 [K, H, W, C] in 0..1, float32 [K]: their logits).

    Raises:
        errors.DataError: the model cannot be explained.
    """
    model = explainable.explainable(model)
    shape = (len(label_index), *model.inputs[0].shape[1:])
    if not len(label_index):
        return np.zeros(shape, np.float32), np.zeros(0, np.float32)
    generator = np.random.default_rng(config.seed)
    start = generator.uniform(0.4, 0.6, shape).astype(np.float32)
    label_index = explainable.checked_labels(model, start, label_index)
    grown = activation_maximization.ActivationMaximization(_Compiled(model))(
        lambda logits: tf.gather(logits, label_index, batch_dims=1),
        seed_input=start,
        input_range=(0.0, 1.0),
        input_modifiers=[_Shift(config.jitter, generator)],
        regularizers=[
            regularizers.TotalVariation2D(weight=config.variation),
            regularizers.Norm(weight=config.norm, p=1),
        ],
        steps=config.steps,
        optimizer=keras.optimizers.Adam(config.rate),
    )
    pictures = np.asarray(grown, np.float32)
    logits = np.asarray(model([tf.constant(pictures)], training=False))
    return pictures, logits[np.arange(len(pictures)), label_index]


class _Compiled:
    """A model as tf-keras-vis needs it, whose call is compiled and so much faster."""

    def __init__(self, model):
        self.inputs, self.outputs, self.layers = (
            model.inputs,
            model.outputs,
            model.layers,
        )
        self._call = tf.function(
            lambda images: model([images], training=False),
            input_signature=explainable.signature(model)[:1],
            autograph=False,
        )

    def __call__(self, images, training=False):
        return self._call(*images)


class _Shift:
    """Shifts images by up to some pixels, around the edges; seeded."""

    def __init__(self, most, generator):
        self._most, self._generator = most, generator

    def __call__(self, images):
        shift = self._generator.integers(-self._most, self._most + 1, 2)
        return tf.roll(images, shift, axis=[1, 2])
