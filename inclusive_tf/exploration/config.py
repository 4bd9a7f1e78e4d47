"""What an exploration is told."""

import dataclasses

from data_pipelines import errors


@dataclasses.dataclass(frozen=True)
class ExplorationConfig:
    """Which images the figures are of, and how much of them is shown.

    Args:
        title: heading of the page.
        from_split: the split whose labels are shown, and the first of the two that are
            compared; a table without it is shown whole, unless it was asked for.
        to_split: the second of the two; None takes "tuning" where there is one, or the
            other split where there are just two.
        top: labels in a plot, at most.
        matrix: labels in the matrix of co-occurrence, at most.
        pairs: pairs of labels in the table of co-occurrence, at most.
        pair_images: images that a pair must share to be ranked.
        sample: images to measure; 0 reads none.
        sheets: sample sheets of classes, and of groups, at most; 0 makes none.
        sheet_images: images of a sheet.
        seed: decides the sample and the sheets.

    Raises:
        errors.SettingError: a number is out of range, or a split has no name.
    """

    title: str = "Exploration"
    from_split: str = "train"
    to_split: str | None = None
    top: int = 30
    matrix: int = 40
    pairs: int = 30
    pair_images: int = 10
    sample: int = 2000
    sheets: int = 24
    sheet_images: int = 12
    seed: int = 0

    def __post_init__(self):
        least = {"top": 2, "matrix": 2, "pairs": 1, "pair_images": 1, "sample": 0,
                 "sheets": 0, "sheet_images": 1, "seed": 0}  # fmt: skip
        for name, low in least.items():
            if getattr(self, name) < low:
                raise errors.SettingError(
                    f"{name} cannot be used. Expected: at least {low}. "
                    f"Received: {getattr(self, name)}."
                )
        if not self.from_split or self.to_split == "":
            raise errors.SettingError(
                "A split to compare has no name. Expected: the name of a split. "
                "Received: an empty one."
            )
