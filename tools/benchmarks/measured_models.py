"""The models that training steps and predictions are measured on."""

import dataclasses

from inclusive_tf import models


@dataclasses.dataclass(frozen=True)
class Subject:
    """A model with how much of it is measured at a time.

    Args:
        config: `models.ModelConfig`.
        batch_size: images a batch.
        steps: training steps a round, about a second's on two cores.
        batches: batches to predict a round, likewise.
    """

    config: models.ModelConfig
    batch_size: int
    steps: int
    batches: int


def _config(name, side, **settings):
    colour = {"channels": 3, "mean": (0.5,) * 3, "deviation": (0.25,) * 3}
    return models.ModelConfig(
        name, num_classes=15, height=side, width=side, **colour, **settings
    )


SUBJECTS = {
    # the default model
    "small DenseNet": Subject(_config("densenet_small", 32), 64, 10, 25),
    # ResNet-20 of section 4.2, He et al. 2016
    "small ResNet": Subject(_config("resnet_small", 32, stem_stride=1), 64, 3, 8),
    "DenseNet121": Subject(_config("densenet121", 64), 16, 2, 8),
}


def title(name, subject):
    """Returns what a table of a subject is headed by."""
    config = subject.config
    return f"{name}, {config.height}x{config.width}, batch {subject.batch_size}"


def batch(subject):
    """Returns (images, targets) of `batch_size` images, as below."""
    return (
        images(subject.config, subject.batch_size),
        targets(subject.config, subject.batch_size),
    )


def images(config, count, seed=0):
    """Returns float32 [count, height, width, channels] in 0..1 as `config` takes it."""
    import numpy as np

    shape = (count, config.height, config.width, config.channels)
    return np.random.default_rng(seed).random(shape, np.float32)


def targets(config, count, seed=1):
    """Returns float32 [count, classes], a fifth of them 1."""
    import numpy as np

    drawn = np.random.default_rng(seed).random((count, config.num_classes))
    return (drawn < 0.2).astype(np.float32)
