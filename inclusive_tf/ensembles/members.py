"""The members of an ensemble: folders of predictions, read one at a time."""

import dataclasses

import numpy as np

from data_pipelines import errors
from inclusive_tf import predictions as predictions_module
from inclusive_tf.adaptation import adapted


@dataclasses.dataclass(frozen=True)
class Member:
    """One model's predictions.

    Args:
        predictions: folder.
        adaptation: folder of an adaptation to apply, or None.
        weight: in a mean, positive.

    Raises:
        errors.SettingError: the weight is not positive.
    """

    predictions: str
    adaptation: str | None = None
    weight: float = 1.0

    def __post_init__(self):
        if not 0 < self.weight < np.inf:
            raise errors.SettingError(
                f"a weight is a positive number; received {self.weight}"
            )


def scores(members, verify=True):
    """Reads members one after another, and checks that they go together.

    Args:
        members: a list of `Member`, at least one.
        verify: whether to check the sums of their files.

    Yields:
        (`Member`, `predictions.Predictions` of it with its adaptation applied,
        threshold float or [C]: a label is given from it on; None without an
        adaptation). The arrays of a member without adaptation are memory-mapped; keep
        none of them when going on.

    Raises:
        errors.DataError: there is no member; vocabularies, ids or truths differ; or as
            `adapted.apply`.
    """
    if not members:
        raise errors.DataError("an ensemble needs members", received="none")
    first = None
    for member in members:
        predictions = predictions_module.load(member.predictions, verify)
        if first is None:
            first = dataclasses.replace(
                predictions,
                ids=np.array(predictions.ids),
                logits=np.broadcast_to(np.float32(0), predictions.logits.shape),
                features=np.zeros((len(predictions), 0), np.float32),
                kernel=None,
                bias=None,
            )
        _require_same_images(first, predictions, member.predictions)
        threshold = None
        if member.adaptation:
            adaptation = adapted.load(member.adaptation)
            predictions, threshold = adapted.apply(adaptation, predictions)
        yield member, predictions, threshold


def combined(like, logits, facts, sources):
    """Predictions of an ensemble: the images and truth of a member, other logits.

    Args:
        like: `predictions.Predictions` of any member.
        logits: float32 [N, C].
        facts: {name: value} for `source`, which JSON can hold; "ensemble" says how
            members were combined, and is the variant.
        sources: `source` of every member, whose splits are added to the facts.

    Returns:
        `predictions.Predictions` without features and last layer: an ensemble has none.
    """
    return dataclasses.replace(
        like,
        logits=logits,
        features=np.zeros((len(like), 0), np.float32),
        kernel=None,
        bias=None,
        source=facts | {"splits": predictions_module.splits({"several": sources})},
        variant=f"ensemble: {facts['ensemble']}",
    )


def _require_same_images(first, other, folder):
    if first.vocabulary.hash != other.vocabulary.hash:
        raise errors.DataError(
            "members of an ensemble are of different vocabularies",
            expected=f"vocabulary {first.vocabulary.hash[:12]}",
            received=f"vocabulary {other.vocabulary.hash[:12]}",
            file=folder,
        )
    if len(first) != len(other):
        raise errors.DataError(
            "members of an ensemble are of different images",
            expected=f"{len(first)} images",
            received=f"{len(other)}",
            file=folder,
        )
    different = first.ids != other.ids
    if different.any():
        row = int(np.argmax(different))
        same = np.array_equal(np.sort(first.ids), np.sort(other.ids))
        raise errors.DataError(
            "members of an ensemble are of the same images in another order"
            if same
            else "members of an ensemble are of different images",
            expected=f"{first.ids[row]} as image {row}, counted from 0",
            received=f"{other.ids[row]}",
            file=folder,
        )
    truths = first.truth, other.truth
    same = first.unlisted_is_absent == other.unlisted_is_absent and all(
        np.array_equal(*(getattr(truth, name) for truth in truths))
        for name in ("offsets", "index", "confidence")
    )
    if not same:
        raise errors.DataError(
            "members of an ensemble have different truths for the same images",
            expected="predictions made from one label table",
            file=folder,
        )
