"""Head, middle and tail: labels by how many training images show them."""

import dataclasses

import numpy as np

from data_pipelines import errors

NAMES = ("head", "middle", "tail")
UNSEEN = "unseen"


@dataclasses.dataclass(frozen=True)
class Band:
    """Labels of similar frequency in training.

    Args:
        name: "head", "middle", "tail" or "unseen".
        labels: int64 [k]; positions in the vocabulary, most frequent first.
    """

    name: str
    labels: np.ndarray


def bands(training_counts, vocabulary):
    """Splits the labels into thirds by rank of their training count.

    Labels of equal count are ranked by id, so that the split does not depend on the
    order of the vocabulary. When the labels do not divide by three, head and then
    middle take one more. Labels that training never showed form a fourth band, which is
    there only when it is not empty; the other three are always there.

    Args:
        training_counts: int [C]; training images that show each label.
        vocabulary: `labels.Vocabulary` of C labels.

    Returns:
        A list of `Band`, head first.

    Raises:
        errors.DataError: the lengths differ.
    """
    training_counts = np.asarray(training_counts)
    if training_counts.shape != (len(vocabulary),):
        raise errors.DataError(
            "training counts and vocabulary disagree",
            expected=f"{len(vocabulary)} counts",
            received=str(training_counts.shape),
        )
    ranked = np.lexsort((np.array(vocabulary.ids), -training_counts)).astype(np.int64)
    seen = ranked[training_counts[ranked] > 0]
    unseen = ranked[training_counts[ranked] <= 0]
    thirds = zip(NAMES, np.array_split(seen, len(NAMES)), strict=True)
    found = [Band(name, third) for name, third in thirds]
    if len(unseen):
        found.append(Band(UNSEEN, unseen))
    return found
