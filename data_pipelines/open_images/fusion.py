"""Rules that make one set of labels of what several sources say.

A rule gives each entry a value and keeps it or not. Kept values, clipped to [0, 1], are
soft targets. Two things hold under every rule: a label that a human verified to be
absent (human confidence 0, which Open Images has and the challenge has not) stays so,
whatever a machine or a box says; and a value of 0 that nobody verified is no label.
"""

import dataclasses

import numpy as np

from data_pipelines import errors, labels
from data_pipelines.open_images import fusion_report, per_image

TOLERANCE = 1e-6
"""By how much rounding may move a value below its bound: with two labels, the lower one
lies exactly at the median minus the deviation."""


@dataclasses.dataclass(frozen=True)
class Rule:
    """A way to fuse.

    Args:
        decide: function of `annotations.Annotations` and bool [P], the entries that are
            not verified absent, to (value float32 [P], kept bool [P]).
        sources: the sources it looks at.
        unite: whether an entry's area is that of the union of its boxes.
    """

    decide: object
    sources: tuple = ("human", "machine", "box")
    unite: bool = False


def known_absent(annotations):
    """Returns bool [P]: entries that a human verified to be absent."""
    if "human" not in annotations.confidence:
        return np.zeros(len(annotations.label), bool)
    return annotations.confidence["human"] == 0


def summed(annotations):
    """Returns float32 [P]: human and machine confidence plus the area of the boxes.

    The 24th place's confidence (the article at www.phun.me; challenge notes, section
    2): human labels count 1.0, machine labels their confidence, and boxes their area
    (XMax - XMin)(YMax - YMin). It is not clipped: several sources add up beyond 1.
    """
    total = np.zeros(len(annotations.label), np.float32)
    for _, entries in annotations.blocks():
        for source in ("human", "machine"):
            if source in annotations.confidence:
                # of NaN and 0, fmax takes 0
                total[entries] += np.fmax(annotations.confidence[source][entries], 0)
        if annotations.area is not None:
            total[entries] += annotations.area[entries]
    return total


def over_image(annotations, considered):
    """Keeps what is at least its image's median minus one standard deviation.

    The 24th place's rule, read as one median and deviation for each image; the article
    does not say whether they are an image's or the set's. The deviation is that of a
    population (divided by n). An image with two labels thereby keeps both.
    """
    value = summed(annotations)
    kept = np.empty(len(value), bool)
    for images, entries in annotations.blocks():
        offsets = annotations.offsets[images.start : images.stop + 1]
        offsets, chosen = offsets - offsets[0], considered[entries]
        its_value, its_offsets = value[entries], offsets
        if not chosen.all():
            its_value = its_value[chosen]
            sizes = per_image.reduced(np.add, chosen, offsets, np.int64)
            its_offsets = np.concatenate([[0], np.cumsum(sizes)])
        bound = per_image.median_minus_deviation(its_value, its_offsets) - TOLERANCE
        kept[entries] = value[entries] >= np.repeat(bound, np.diff(offsets))
    return value, kept


def over_set(annotations, considered):
    """Keeps what is at least the whole set's median minus one standard deviation.

    The 24th place's rule, read as one median and deviation over all entries.
    """
    value = summed(annotations)
    values = value if considered.all() else value[considered]
    if not len(values):
        return value, np.zeros(len(value), bool)
    deviation = np.std(values, dtype=np.float64)
    return value, value >= np.median(values) - deviation - TOLERANCE


def first_source(annotations, considered):
    """Takes what the first source says, in the order human, machine, box.

    The third place's soft targets (aaxwaz, a02_common_training_structures.py; challenge
    notes, section 3.3). A box counts with the confidence that its row states, which is
    1 in the published files.
    """
    value = np.full(len(annotations.label), np.nan, np.float32)
    for source in ("human", "machine", "box"):
        if source in annotations.confidence:
            np.copyto(value, annotations.confidence[source], where=np.isnan(value))
    return _stated(value)


def maximum(annotations, considered):
    """Takes the highest confidence that any source states; a box states its row's."""
    value = np.full(len(annotations.label), np.nan, np.float32)
    for given in annotations.confidence.values():
        # fmax knows no NaN beside a number
        np.fmax(value, given, out=value)
    return _stated(value)


def human_only(annotations, considered):
    """Takes what humans say, and nothing else."""
    return _stated(annotations.confidence["human"].copy())


def _stated(value):
    kept = ~np.isnan(value)
    value[~kept] = 0
    return value, kept


RULES = {
    "median_minus_deviation_per_image": Rule(over_image),
    "median_minus_deviation_over_set": Rule(over_set),
    "box_union": Rule(over_image, unite=True),
    "first_source": Rule(first_source),
    "maximum": Rule(maximum),
    "human_only": Rule(human_only, sources=("human",)),
}
"""Rules by name. `box_union` is the 24th place's rule per image with the exact area of
the union of an entry's boxes in place of their sum, which counts overlaps twice."""


def rule(name):
    """Returns the `Rule` called `name`.

    Raises:
        errors.SettingError: there is none.
    """
    if name not in RULES:
        raise errors.SettingError(
            f"Unknown fusion rule. Expected: one of {', '.join(RULES)}. "
            f"Received: {name}."
        )
    return RULES[name]


def fuse(annotations, name):
    """Makes one set of labels.

    Args:
        annotations: `annotations.Annotations`, gathered with the rule's `unite`.
        name: a name in `RULES`.

    Returns:
        (`labels.SparseLabels` of N rows, `fusion_report.FusionReport`). An entry with
        confidence 0 is verified absent.

    Raises:
        errors.SettingError: there is no such rule.
        errors.DataError: none of the sources that the rule looks at was read.
    """
    chosen = rule(name)
    if not set(chosen.sources) & set(annotations.confidence):
        raise errors.DataError(
            f"there is nothing that rule {name} looks at",
            expected=" or ".join(chosen.sources) + " labels",
            received=", ".join(annotations.confidence) + " labels",
        )
    absent = known_absent(annotations)
    considered = ~absent
    value, kept = chosen.decide(annotations, considered)
    np.clip(value, 0.0, 1.0, out=value)
    kept &= considered & (value > 0)
    value[absent] = 0
    stays = kept | absent
    offsets = np.zeros(len(annotations.offsets), np.int64)
    np.cumsum(
        per_image.reduced(np.add, stays, annotations.offsets, np.int64), out=offsets[1:]
    )
    result = labels.SparseLabels(
        offsets, annotations.label[stays], value[stays], annotations.num_classes
    )
    return result, fusion_report.measure(
        name, annotations, kept, absent, kept & (value >= labels.PRESENT)
    )
