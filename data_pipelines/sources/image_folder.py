"""A folder of images without labels, to predict on."""

import os
import pathlib

import numpy as np

from data_pipelines import errors, labels


def read(folder, vocabulary):
    """Reads every file below a folder, sorted by path, as one split "images".

    What is no image is found by `quality.scan`, named and left out.

    Args:
        folder: path.
        vocabulary: `labels.Vocabulary` of the model that will predict.

    Returns:
        `labels.LabelTable` of which nothing is labelled (labels are unknown).

    Raises:
        errors.DataError: no such folder, or no file in it.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise errors.DataError("there is no such folder", file=folder)
    found = sorted(
        os.path.join(parent, name)
        for parent, _, names in os.walk(folder)
        for name in names
    )
    if not found:
        raise errors.DataError("the folder holds no file", file=folder)
    return labels.LabelTable(
        ids=np.array([os.path.relpath(path, folder) for path in found]),
        locations=np.array(found),
        labels=labels.SparseLabels.from_lists([[]] * len(found), len(vocabulary)),
        vocabulary=vocabulary,
        group=np.zeros(len(found), np.int32),
        group_names=("all",),
        split=np.zeros(len(found), np.int32),
        split_names=("images",),
        unlisted_is_absent=False,
    )
