"""The truth of the challenge's tuning set and stage 1, and images that have none."""

import numpy as np

from data_pipelines import errors, labels
from data_pipelines.open_images import lists, parts

TUNING = "tuning_labels.csv"
SAMPLE = "stage_1_sample_submission.csv"
SOLUTIONS = ("stage_1_solutions.csv", "inclusive_images_stage_1_solutions.csv")
"""Stage 1's truth; the second is the name under which it was released."""

GROUP = "crowdsourced"


def first_there(folder, names):
    """Returns the path of the first of several files of a folder, or None."""
    for name in names:
        if (folder / name).exists():
            return folder / name
    return None


def read(folder, notes):
    """Reads the truth that there is.

    Args:
        folder: `pathlib.Path` of the challenge's files.
        notes: list; gets a sentence that counts the tuning images left out of stage 1.

    Returns:
        {split: (path, {image id: (row, codes)})} of `tuning` and `stage_1`.

    Raises:
        errors.DataError: as `lists.read_truth`.
    """
    found, tuning = {}, {}
    if (folder / TUNING).exists():
        tuning = lists.read_truth(folder / TUNING)
        found["tuning"] = folder / TUNING, tuning
    solutions = first_there(folder, SOLUTIONS)
    if solutions is not None:
        whole = lists.read_truth(solutions)
        left = {image: said for image, said in whole.items() if image not in tuning}
        if len(left) < len(whole):
            notes.append(
                f"{len(whole) - len(left):,} images of stage 1 are in the tuning set "
                "and were left out of split stage_1"
            )
        found["stage_1"] = solutions, left
    return found


def codes(truth):
    """Returns the set of label codes of what `read` returned."""
    return {
        code for _, its in truth.values() for _, said in its.values() for code in said
    }


def as_parts(truth, vocabulary, folder):
    """Returns a list of `parts.Part` of what `read` returned.

    Args:
        truth: as `read` returns.
        vocabulary: `labels.Vocabulary`.
        folder: of the images.

    Raises:
        errors.DataError: a label is not in the vocabulary.
    """
    position = vocabulary.index()
    found = []
    for split, (path, its) in truth.items():
        for row, said in its.values():
            for code in said:
                if code not in position:
                    raise errors.DataError(
                        "a label is not in the vocabulary (not trainable, or unknown "
                        "to the model)",
                        expected=f"one of {len(position):,} labels",
                        received=code,
                        file=path,
                        row=row,
                    )
        rows = [[position[code] for code in said] for _, said in its.values()]
        found.append(_part(split, list(its), rows, vocabulary, folder))
    return found


def without(folder, truth, vocabulary, images):
    """Returns a `parts.Part` of the sample submission's images without a truth.

    Args:
        folder: `pathlib.Path` of the challenge's files.
        truth: as `read` returns.
        vocabulary: `labels.Vocabulary`.
        images: folder of the images.

    Raises:
        errors.DataError: as `lists.read_answered_ids`.
    """
    known = {image for _, its in truth.values() for image in its}
    ids = [
        image
        for image in lists.read_answered_ids(folder / SAMPLE)
        if image not in known
    ]
    return _part("stage_1_without_truth", ids, [[]] * len(ids), vocabulary, images)


def _part(split, ids, rows, vocabulary, folder):
    return parts.Part(
        split,
        GROUP,
        np.array(ids, dtype="U24"),
        np.array([f"{folder}/{image}.jpg" for image in ids], dtype=str),
        labels.SparseLabels.from_lists(rows, len(vocabulary)),
    )
