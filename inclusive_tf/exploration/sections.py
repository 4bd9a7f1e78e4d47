"""What a section of the page consists of; the template decides how it looks."""

import dataclasses

from inclusive_tf.exploration import texts


@dataclasses.dataclass(frozen=True)
class Plot:
    """A plot and what stands around it.

    Args:
        name: unique on the page.
        caption: what it shows, with n and units.
        drawn: of `look.plot`.
        tables: `tables.Table`s of its numbers, folded away below it, for readers who
            cannot see or point at it.
        half: whether two such stand side by side on a wide screen.
    """

    name: str
    caption: str
    drawn: dict
    tables: list = dataclasses.field(default_factory=list)
    half: bool = False


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the page.

    Args:
        anchor: its id.
        topic: its name in the contents.
        finding: its heading, a sentence.
        text: paragraphs below the heading.
        plots: `Plot`s.
        tables: `tables.Table`s that are not folded away.
        missing: why there is nothing, or "".
    """

    anchor: str
    topic: str
    finding: str = ""
    text: list = dataclasses.field(default_factory=list)
    plots: list = dataclasses.field(default_factory=list)
    tables: list = dataclasses.field(default_factory=list)
    missing: str = ""

    @property
    def is_bare(self):
        """Whether there is nothing to show but why."""
        return bool(self.missing) and not self.tables


def where(split):
    """Returns "split train", or "all images" for None."""
    return f"split {texts.name(split)}" if split is not None else "all images"


def source(figures):
    """Returns which split the figures on the source's own files are of."""
    split = figures.get("source_split")
    return "a split" if split is None else where(split)


def described(figures):
    """Returns which images the label figures are of, with n."""
    found = figures["described"]
    return f"{where(found['split'])}, n = {found['images']:,} images"


def shown(number, whole, what="labels"):
    """Returns the sentence that says how many of how many are shown."""
    if number >= whole:
        said = {1: "The only one is shown.", 2: f"Both {what} are shown."}
        return said.get(whole, f"All {whole:,} {what} are shown.")
    return f"{number:,} of {whole:,} {what} are shown."
