"""Variation of training images: stateless, a batch at a time, in graph.

What happens to an image is a function of (seed, epoch, example, copy) alone: it is the
same in every batch, at every place in it, on every host and after every resume, and an
example drawn twice in an epoch is varied twice. (`data_pipelines.batch_mixing`, which
lays images of a batch over one another, depends on the batch besides.)

`config` says how much, `draws` holds the random numbers, `geometry` and `photometry`
the operations, `rand_augment` its own list of them, `rarity` who gets more, and
`stages` the order. Importing this package imports no TensorFlow.
"""

from data_pipelines.augmentation.config import FILLS, SCHEDULES, AugmentationConfig

__all__ = ["FILLS", "SCHEDULES", "AugmentationConfig", "augment"]


def __getattr__(name):
    if name != "augment":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from data_pipelines.augmentation import stages

    return stages.augment
