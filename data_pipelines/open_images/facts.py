"""What only annotation files know: agreement, confidences and attributes of boxes."""

import numpy as np

from data_pipelines.open_images import csv_files, fused, fusion, kinds

_EDGES = np.linspace(0.0, 1.0, 21)
_ATTRIBUTES = {
    "occluded": "IsOccluded",
    "truncated": "IsTruncated",
    "group": "IsGroupOf",
    "depiction": "IsDepiction",
    "inside": "IsInside",
}


def measure(paths, rows, vocabulary, rule, split="train"):
    """Returns the facts of one split's files, which JSON can hold.

    Args:
        paths: {source: path} of all files that there are.
        rows: {source: `annotations.Rows`} of them; emptied.
        vocabulary: `labels.Vocabulary`.
        rule: a name in `fusion.RULES`.
        split: its name.

    Returns:
        {"split": `split`, "fusion": the rule's report, "confidence": {source: {"edges",
        "counts"}}, one count between two edges, of labels of images (of a box, its
        area), "boxes": {"attributes": {name: {"yes", "no", "unknown"}}, "by_label":
        {label id: {"boxes": n, name: share of yes among the known, or None}}}}; "boxes"
        only when there is a file of boxes with these columns.

    Raises:
        errors.DataError: as reading does.
    """
    together = fused.gathered(rows, vocabulary, rule)
    _, report = fusion.fuse(together, rule)
    shown = {
        source: confidence
        for source, confidence in together.confidence.items()
        if source != "box"
    }
    if together.area is not None:
        shown["box area"] = together.area[~np.isnan(together.confidence["box"])]
    found = {
        "split": split,
        "fusion": report.as_json(),
        "confidence": {source: _histogram(values) for source, values in shown.items()},
    }
    if "box" in paths and set(_ATTRIBUTES.values()) <= _columns(paths["box"]):
        found["boxes"] = attributes(paths["box"])
    return found


def _histogram(values):
    # 0.7 as float32 lies below the edge 0.7
    values = np.clip(values[~np.isnan(values)].astype(np.float64).round(6), 0.0, 1.0)
    counts, _ = np.histogram(values, _EDGES)
    return {"edges": _EDGES.tolist(), "counts": counts.tolist()}


def _columns(path):
    return {name.strip() for name in csv_files.header(path)}


def attributes(path):
    """Returns what a file of boxes says of them, all and by label.

    Args:
        path: of a file with the columns IsOccluded, IsTruncated, IsGroupOf, IsDepiction
            and IsInside, each 1, 0 or -1 for unknown.

    Raises:
        errors.DataError: as `csv_files.read`.
    """
    columns = csv_files.read(
        path,
        {"LabelName": kinds.LABEL} | dict.fromkeys(_ATTRIBUTES.values(), kinds.STATE),
    )
    codes = columns["LabelName"]
    count = len(codes.texts)
    by_label = {
        code: {"boxes": boxes}
        for code, boxes in zip(
            codes.texts, np.bincount(codes.index, minlength=count).tolist(), strict=True
        )
    }
    overall = {}
    for name, column in _ATTRIBUTES.items():
        states = columns.pop(column)
        # unknown, no, yes of each label
        seen = np.bincount(codes.index * 3 + (states + 1), minlength=3 * count)
        unknown, no, yes = seen.reshape(count, 3).T
        overall[name] = {
            "yes": int(yes.sum()),
            "no": int(no.sum()),
            "unknown": int(unknown.sum()),
        }
        for code, its_no, its_yes in zip(codes.texts, no, yes, strict=True):
            known = int(its_no + its_yes)
            by_label[code][name] = int(its_yes) / known if known else None
    return {"attributes": overall, "by_label": dict(sorted(by_label.items()))}
