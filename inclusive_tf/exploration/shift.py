"""How the shares of labels differ between two splits: the label shift."""

import numpy as np

from inclusive_tf.exploration import entries, intervals


def _side(counts, images):
    low, high = intervals.wilson(counts, images)
    return {"images": counts, "share": counts / images, "low": low, "high": high}


def label_shift(first, second, vocabulary, top):
    """The labels whose share of images changes most between two splits.

    Args:
        first, second: (name of the split, int [C] images that show each label, int
            images of the split).
        vocabulary: `labels.Vocabulary`.
        top: labels, at most: those whose share changes by the most percentage points,
            since ratios of rare labels are mostly noise.

    Returns:
        {"from", "to": {"split", "images", "assignments", "labels" (in use)}, "distance"
        (total variation between the two mixes of labels), "common" (labels that both
        show), "changed" (labels whose share changes at all), "labels": [{"id", "name",
        "from", "to": {"images", "share", "low", "high"}, "log2_ratio": {"value",
        "low", "high"}}]}, sorted by ratio, falling first; intervals are of
        `intervals`, 95 %.
    """
    names, counts, sizes = zip(first, second, strict=True)
    counts = [np.asarray(one, np.int64) for one in counts]
    mixes = [one / max(one.sum(), 1) for one in counts]
    sides = [_side(one, size) for one, size in zip(counts, sizes, strict=True)]
    change = np.abs(sides[1]["share"] - sides[0]["share"])
    chosen = np.lexsort((np.array(vocabulary.ids), -change))[:top]
    chosen = chosen[change[chosen] > 0]
    ratio = intervals.log_ratio(counts[0], sizes[0], counts[1], sizes[1])
    chosen = chosen[np.argsort(ratio[0][chosen], kind="stable")]

    def part(side, position):
        return {
            key: values[position].item() for key, values in side.items()
        }  # fmt: skip

    ends = [
        {
            "split": str(name),
            "images": int(size),
            "assignments": int(one.sum()),
            "labels": int(np.count_nonzero(one)),
        }
        for name, one, size in zip(names, counts, sizes, strict=True)
    ]
    return {
        "from": ends[0],
        "to": ends[1],
        "distance": float(np.abs(mixes[1] - mixes[0]).sum() / 2),
        "common": int(np.count_nonzero((counts[0] > 0) & (counts[1] > 0))),
        "changed": int(np.count_nonzero(change)),
        "labels": [
            entries.label(vocabulary, position)
            | {
                "from": part(sides[0], position),
                "to": part(sides[1], position),
                "log2_ratio": {
                    key: float(values[position])
                    for key, values in zip(("value", "low", "high"), ratio, strict=True)
                },
            }
            for position in chosen
        ],
    }
