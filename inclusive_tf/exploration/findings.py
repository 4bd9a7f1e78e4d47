"""What the figures say, a sentence each: the headings of the page."""

from data_pipelines import oneline
from inclusive_tf.exploration import entries, texts
from inclusive_tf.report import wording

_ENOUGH = 20
"""Images from which a cell's median is compared with others in a heading."""


def headline(figures):
    """Returns the sentence that opens the page."""
    numbers, tail = figures["frequency"], figures["long_tail"]
    images = texts.counted(figures["images"], "image")
    labels = texts.counted(numbers["labels"], "label")
    if entries.MISSING in tail:
        return f"{images}, {labels}, none of them on an image."
    half = tail["cover"][0]["labels"]
    verb = "makes" if half == 1 else "make"
    return f"{images}, {labels}: {half:,} of them {verb} up half of all labels given."


def labels_per_image(figures):
    """Returns the sentence on labels an image."""
    found = figures["labels_per_image"]
    if found["min"] == found["max"]:
        return f"Every image has {texts.counted(found['max'], 'label')}"
    return (
        f"An image has {texts.decimal(found['mean'])} labels on average (median "
        f"{texts.decimal(found['median'])}) and {found['max']:,} at most"
    )


def frequency(figures):
    """Returns the sentence on the most and the least common label."""
    found = figures["frequency"]
    if not found["most"]:
        return "No image shows a label"
    first, last = found["most"][0], (found["least"] or found["most"])[-1]
    sentence = (
        f"{texts.quoted(first['name'])} is on {texts.percent(first['share'])} of the "
        "images"
    )
    if last is not first:
        sentence += (
            f", {texts.quoted(last['name'])} on "
            f"{texts.counted(last['images'], 'image')}"
        )
    never = found["labels"] - found["in_use"]
    if never:
        sentence += f"; {texts.counted(never, 'label')} on none"
    return sentence


def long_tail(figures):
    """Returns the sentence on how few labels hold half of all assignments."""
    found = figures["long_tail"]
    half = found["cover"][0]["labels"]
    verb = "makes" if half == 1 else "make"
    return (
        f"{half:,} of {found['in_use']:,} labels in use {verb} up half of all labels "
        "given"
    )


def confidence(figures):
    """Returns the sentence on how sure the labels are."""
    found = figures["confidence"]["table"]
    if not found["stated"]:
        return "No label is stated"
    if found["certain"] == found["stated"]:
        return "Every label that is stated is stated with certainty"
    certain = texts.percent(found["certain"] / found["stated"])
    sentence = f"{certain} of the stated labels are certain"
    if found["absent"]:
        verified = texts.percent(found["absent"] / found["stated"])
        sentence += f", {verified} are verified absences"
    return sentence


def boxes(figures):
    """Returns the sentence on the commonest attribute of boxes."""
    known = {
        name: counts["yes"] / (counts["yes"] + counts["no"])
        for name, counts in figures["boxes"]["attributes"].items()
        if counts["yes"] + counts["no"]
    }
    if not known:
        return "Nothing is known of the boxes' attributes"
    name = max(known, key=known.get)
    return (
        f"{texts.quoted(name)} is the commonest attribute of boxes: "
        f"{texts.percent(known[name])} of those where it is known"
    )


def co_occurrence(figures):
    """Returns the sentence on the pair that is furthest from chance."""
    found = figures["co_occurrence"]
    if not found["pairs"]:
        least = texts.counted(found["pair_images"], "image")
        return f"No labels that share {least} come together beyond chance"
    first = found["pairs"][0]
    return (
        f"{texts.quoted(first['a']['name'])} and {texts.quoted(first['b']['name'])} "
        f"come together {texts.times(first['lift'])} as often as by chance"
    )


def group_by_label(figures):
    """Returns the sentence on the group whose mix is furthest from chance."""
    found = figures["group_by_label"]
    known = [one for one in found["groups"] if one["distance"] is not None]
    if not known:
        return "No group shows a label"
    far = max(known, key=lambda one: one["distance"] - one["chance"])
    if far["distance"] <= 2 * far["chance"]:
        return "No group's mix of labels is far from the whole"
    return (
        f"{texts.quoted(far['name'])} has a mix of labels of its own: "
        f"{far['distance']:.2f} from the whole, where chance gives {far['chance']:.2f}"
    )


def shift(figures):
    """Returns the sentence on the label that changes most, beyond its interval."""
    found = figures["shift"]
    ends = f"From {texts.name(found['from']['split'])} to "
    ends += texts.name(found["to"]["split"])
    clear = [
        one for one in found["labels"]
        if one["log2_ratio"]["low"] > 0 or one["log2_ratio"]["high"] < 0
    ]  # fmt: skip
    if not clear:
        return f"{ends} no label's share clearly changes"
    first = max(clear, key=lambda one: abs(one["to"]["share"] - one["from"]["share"]))
    falls = first["to"]["share"] < first["from"]["share"]
    return (
        f"{ends}, {texts.quoted(first['name'])} {'falls' if falls else 'rises'} from "
        f"{texts.percent(first['from']['share'])} to "
        f"{texts.percent(first['to']['share'])} of the images"
    )


def sizes(found):
    """Returns the sentence on width and height of the sampled images."""
    sizes = found["sizes"]
    if len(sizes) == 1:
        only = sizes[0]
        return f"Every image read is {only['width']:,} × {only['height']:,} pixels"
    wide = found["width"]
    return (
        f"Half of the images are {wording.count(wide['p25'])} to "
        f"{wording.count(wide['p75'])} pixels wide"
    )


def pictures(figures):
    """Returns the sentence on size, and on the darkest and the brightest cell."""
    found = figures["pictures"]
    cells = [one for one in found["cells"] if one["brightness"]["n"] >= _ENOUGH]
    if len(cells) < 2:
        return sizes(found)
    dark, bright = (
        pick(cells, key=lambda one: one["brightness"]["p50"]) for pick in (min, max)
    )
    return (
        f"“{cell(dark)}” is darkest (median brightness "
        f"{dark['brightness']['p50']:.2f}), “{cell(bright)}” brightest "
        f"({bright['brightness']['p50']:.2f})"
    )


def cell(one, limit=texts.NAME):
    """Returns the name of a cell: its group, then its split."""
    return f"{oneline.short(one['group'], limit)}, {oneline.short(one['split'], limit)}"
