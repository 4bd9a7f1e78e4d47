"""A folder of images without labels, to predict on."""

import os
import pathlib

import numpy as np

from data_pipelines import errors, labels, strict_csv
from data_pipelines.sources import walking


def read_with_notes(folder, vocabulary):
    """Reads every file below a folder, sorted by path, as one split "images".

    What is no image is found by `quality.scan`, named and left out.

    Args:
        folder: path.
        vocabulary: `labels.Vocabulary` of the model that will predict.

    Returns:
        (`labels.LabelTable` of which nothing is labelled (labels are unknown), list of
        sentences that name the linked folders, which are not followed). Ids of names
        that are no UTF-8 are written with backslashes; locations are as they are.

    Raises:
        errors.DataError: no such folder, no file in it, or a folder that cannot be
            listed.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise errors.DataError("there is no such folder", file=folder)
    found, links = [], []
    for parent, folders, names in os.walk(folder, onerror=walking.refuse_unlisted):
        folders.sort()
        links += walking.links(folder, parent, folders)
        found += [os.path.join(parent, name) for name in names]
    notes = walking.notes([(links, "linked folder(s) were not followed")])
    if not found:
        raise errors.DataError(
            "the folder holds no file",
            expected="images",
            received="; ".join(notes) or "nothing",
            file=folder,
        )
    found.sort()
    table = labels.LabelTable(
        ids=strict_csv.printable([os.path.relpath(path, folder) for path in found]),
        locations=np.array(found),
        labels=labels.SparseLabels.from_lists([[]] * len(found), len(vocabulary)),
        vocabulary=vocabulary,
        group=np.zeros(len(found), np.int32),
        group_names=("all",),
        split=np.zeros(len(found), np.int32),
        split_names=("images",),
        unlisted_is_absent=False,
    )
    return table, notes
