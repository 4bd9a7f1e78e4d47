"""What may be wrong with an image's labels, worst first, in one format for all.

    id,kind,label,new_label,score,detail
    a.jpg,wrong_label,/m/cat,/m/dog,0.97,given 0.02 by the model
    b.jpg,missing_label,,/m/dog,0.91,
    c.jpg,image,,,0.80,blurry

UTF-8, a row a suspicion, the most suspicious first. `tools.audit` writes such files,
`tools.review` shows them to a person, whose decisions become `correction_log` rows.
"""

import dataclasses

import numpy as np
import pandas as pd

from data_pipelines import atomic, errors, strict_csv

HEADER = ("id", "kind", "label", "new_label", "score", "detail")

KINDS = {
    "wrong_label": (True, None),
    "missing_label": (False, True),
    "several_fit": (True, True),
    "image": (False, False),
}
"""Each kind and whether it fills `label` and `new_label`; None: it may.

A `wrong_label` is listed and seems not to be shown, and `new_label` is what seems to be
shown instead; a `missing_label` seems to be shown and is not listed; `several_fit`:
`label` is listed, and `new_label` describes the image as well; an `image` is faulty.
"""


@dataclasses.dataclass(frozen=True)
class Suspect:
    """One suspicion.

    Args:
        id: the image's id in its label table.
        kind: one of `KINDS`.
        label: id of the label in question; empty where the kind has none.
        new_label: id of the label to have instead or as well; may be empty.
        score: from 0 to 1, how sure the suspicion is.
        detail: a sentence for people; may be empty.

    Raises:
        errors.DataError: a field is missing, superfluous or out of range.
    """

    id: str
    kind: str
    label: str
    new_label: str
    score: float
    detail: str = ""

    def __post_init__(self):
        if self.kind not in KINDS:
            raise errors.DataError(
                "there is no such kind of suspect",
                expected=f"one of {', '.join(KINDS)}",
                received=self.kind,
            )
        if not self.id:
            raise errors.DataError("a suspect has no id", received=self)
        for name, filled in zip(("label", "new_label"), KINDS[self.kind], strict=True):
            if filled is not None and bool(getattr(self, name)) != filled:
                raise errors.DataError(
                    f"the {name} of '{self.kind}' "
                    + ("is empty" if filled else "must be empty"),
                    received=self,
                )
        if not 0 <= self.score <= 1:
            raise errors.DataError(
                "the score is out of range",
                expected="0 to 1",
                received=self.score,
            )


def write(path, rows):
    """Writes the file, whole or not at all, most suspicious first.

    Args:
        path: the file.
        rows: `Suspect`s in any order; equal scores keep theirs.
    """
    rows = sorted(rows, key=lambda row: -row.score)
    texts = strict_csv.printable(
        [
            text
            for row in rows
            for text in (row.id, row.label, row.new_label, row.detail)
        ]
    ).reshape(-1, 4)
    atomic.write_csv(
        path,
        HEADER,
        (
            (text[0], row.kind, text[1], text[2], f"{row.score:.6g}", text[3])
            for row, text in zip(rows, texts, strict=True)
        ),
    )


def read(path):
    """Reads a file of suspects.

    Returns:
        list of `Suspect` in the order of the file.

    Raises:
        errors.DataError: another form; the message names file and row.
    """
    rows = strict_csv.read(path, HEADER)
    scores = pd.to_numeric(pd.Series([row[4] for row in rows], dtype=str), "coerce")
    found = []
    for number, (row, score) in enumerate(
        zip(rows, scores.to_numpy(np.float64), strict=True), start=2
    ):
        try:
            found.append(Suspect(*row[:4], float(score), row[5]))
        except errors.DataError as error:
            raise errors.DataError(
                error.problem,
                expected=",".join(HEADER),
                received=",".join(row),
                file=path,
                row=number,
            ) from error
    return found
