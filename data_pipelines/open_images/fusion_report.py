"""What a fusion rule did: labels each source gave, agreed on and lost."""

import dataclasses

import numpy as np

from data_pipelines.open_images import per_image


@dataclasses.dataclass(frozen=True)
class SourceReport:
    """One source's part.

    Args:
        file: name of its file.
        rows: rows of the file.
        outside: rows of labels that are not in the vocabulary, left out.
        repeated: rows that repeat an earlier one, merged into it.
        given: labels of images that it says are present.
        denied: labels of images that it says are absent.
        images: images with at least one given label.
        agreed: {source: labels that both give}.
        alone: given labels that no other source gives.
        lost: given labels that are not in the result.
        contradicted: of the lost, those that a human verified to be absent.
    """

    file: str
    rows: int
    outside: int
    repeated: int
    given: int
    denied: int
    images: int
    agreed: dict
    alone: int
    lost: int
    contradicted: int


@dataclasses.dataclass(frozen=True)
class FusionReport:
    """What a rule did.

    Args:
        rule: its name.
        images: all images.
        sources: {source: `SourceReport`}, of the sources that were read.
        given: labels of images that any source gives.
        kept: labels of images in the result, of any confidence above 0.
        present: those of confidence 0.5 or more.
        absent: labels of images that a human verified to be absent.
        images_without_label: images whose result has no label kept.
        images_without_present: images whose result has no label of 0.5 or more.
    """

    rule: str
    images: int
    sources: dict
    given: int
    kept: int
    present: int
    absent: int
    images_without_label: int
    images_without_present: int

    def as_json(self):
        """Returns a dict that JSON can hold."""
        return dataclasses.asdict(self)

    def sentences(self):
        """Returns a list of sentences for a person: the result, then each source."""
        said = [
            f"fusion by {self.rule} kept {self.kept:,} of {self.given:,} labels of "
            f"images, {self.present:,} of them at 0.5 or more; "
            f"{self.absent:,} are verified absent",
            f"{self.images_without_label:,} of {self.images:,} images have no label, "
            f"{self.images_without_present:,} none of 0.5 or more",
        ]
        for name, source in self.sources.items():
            agreed = ", ".join(
                f"{count:,} with {other}" for other, count in source.agreed.items()
            )
            said.append(
                f"{name} gave {source.given:,} labels on {source.images:,} images"
                + (f" ({agreed}, {source.alone:,} alone)" if agreed else "")
                + f"; {source.lost:,} of them were lost, "
                f"{source.contradicted:,} since they are verified absent"
            )
        return said


def measure(rule, annotations, kept, absent, strong):
    """Returns the `FusionReport` of a result.

    Args:
        rule: name of the rule.
        annotations: `annotations.Annotations`.
        kept: bool [P]; entries that the result holds with a confidence above 0.
        absent: bool [P]; entries that a human verified to be absent.
        strong: bool [P]; kept entries of 0.5 or more.
    """
    marks = {"kept": kept, "absent": absent, "present": strong}
    tally = _Tally((*annotations.confidence, *marks))
    for images, entries in annotations.blocks():
        parts = {name: chosen[entries] for name, chosen in marks.items()}
        for source, confidence in annotations.confidence.items():
            # NaN is not above 0
            parts[source] = confidence[entries] > 0
        tally.add(parts, annotations.offsets[images.start : images.stop + 1])
    count, sources = len(annotations.images), list(annotations.confidence)
    return FusionReport(
        rule=rule,
        images=count,
        sources={name: _source(name, annotations, tally) for name in sources},
        given=tally.entries() - tally.entries(**dict.fromkeys(sources, False)),
        kept=tally.entries(kept=True),
        present=tally.entries(present=True),
        absent=tally.entries(absent=True),
        images_without_label=count - tally.images("kept"),
        images_without_present=count - tally.images("present"),
    )


class _Tally:
    """Counts every combination of a few facts, over entries and over images.

    The facts of an entry are the bits of one number, and an image has those of any of
    its entries, so each is counted in one pass.
    """

    def __init__(self, names):
        self._bit = {name: 1 << place for place, name in enumerate(names)}
        self._entries = np.zeros(1 << len(names), np.int64)
        self._images = np.zeros(1 << len(names), np.int64)

    def add(self, parts, offsets):
        """Adds entries: {name: bool [P]} and the bounds of their images."""
        code = np.zeros(offsets[-1] - offsets[0], np.uint8)
        for name, chosen in parts.items():
            code |= chosen * np.uint8(self._bit[name])
        self._entries += np.bincount(code, minlength=len(self._entries))
        of_image = per_image.reduced(np.bitwise_or, code, offsets - offsets[0])
        self._images += np.bincount(of_image, minlength=len(self._images))

    def entries(self, **facts):
        """How many entries have each named fact (True) or lack it (False)."""
        codes = np.arange(len(self._entries))
        chosen = np.ones(len(codes), bool)
        for name, wanted in facts.items():
            chosen &= (codes & self._bit[name] != 0) == wanted
        return int(self._entries[chosen].sum())

    def images(self, name):
        """How many images have an entry with a fact."""
        codes = np.arange(len(self._images))
        return int(self._images[codes & self._bit[name] != 0].sum())


def _source(source, annotations, tally):
    stated = annotations.stated[source]
    others = [other for other in annotations.confidence if other != source]
    return SourceReport(
        file=stated.path.rpartition("/")[2],
        rows=stated.rows,
        outside=stated.outside,
        repeated=stated.repeated,
        given=tally.entries(**{source: True}),
        denied=int(np.count_nonzero(annotations.confidence[source] == 0)),
        images=tally.images(source),
        agreed={
            other: tally.entries(**{source: True, other: True}) for other in others
        },
        alone=tally.entries(**{source: True}, **dict.fromkeys(others, False)),
        lost=tally.entries(**{source: True}, kept=False),
        contradicted=tally.entries(**{source: True}, absent=True),
    )
