"""Balances two classes with PyTorch's DataLoader and WeightedRandomSampler.

Images are decoded and shrunk by Pillow, which is what torchvision calls. Without
`draft`, which would let libjpeg leave detail out; the filter is as wide as the
reduction, as with TensorFlow's antialiasing.
"""

import numpy as np
import torch
from PIL import Image


class Files(torch.utils.data.Dataset):
    """Image files with a class each.

    Args:
        paths: list of paths.
        classes: int [N].
        side: pixels of height and width.
    """

    def __init__(self, paths, classes, side):
        self._paths, self._side = paths, side
        self._classes = torch.as_tensor(classes)

    def __len__(self):
        return len(self._paths)

    def __getitem__(self, row):
        """Returns (float32 [3, side, side] in 0..1, class)."""
        with Image.open(self._paths[row]) as image:
            shrunk = image.convert("RGB").resize(
                (self._side, self._side), Image.Resampling.BILINEAR
            )
        pixels = torch.from_numpy(np.array(shrunk)).permute(2, 0, 1).contiguous()
        return pixels.to(torch.float32).div(255), self._classes[row]


def loader(paths, classes, images, batches, workers):
    """Returns a DataLoader that draws each class as often.

    Args:
        paths: list of paths.
        classes: int [N], every one from 0 shown.
        images: `stock_resampling.Images`.
        batches: of an epoch.
        workers: processes, which stay from epoch to epoch; 0 loads here.
    """
    weights = 1 / np.bincount(classes)[classes]
    sampler = torch.utils.data.WeightedRandomSampler(
        weights, batches * images.batch_size, generator=torch.Generator().manual_seed(0)
    )
    return torch.utils.data.DataLoader(
        Files(paths, classes, images.side),
        images.batch_size,
        sampler=sampler,
        num_workers=workers,
        # a process with TensorFlow's threads cannot be forked
        multiprocessing_context="forkserver" if workers else None,
        persistent_workers=workers > 0,
    )
