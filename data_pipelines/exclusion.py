"""Images that something suggests leaving out, in one format for all that suggests.

    id,issue,score,detail
    a.jpg,blurry,0.12,
    b.jpg,near_duplicate,0,a.jpg of split train

One row an image and issue, UTF-8. What the score says depends on the issue; `detail`
is for people. `tools.quality` and `tools.similar` write such files, and the flag
`--exclude` takes them.
"""

import dataclasses

import numpy as np
import pandas as pd

from data_pipelines import atomic, errors, issue_kinds, strict_csv

HEADER = ("id", "issue", "score", "detail")


@dataclasses.dataclass(frozen=True)
class Row:
    """One image and one issue.

    Args:
        id: the image's id in its label table.
        issue: the kind of issue, such as `blurry`.
        score: a finite number; the issue says of what.
        detail: a sentence or an id, for people; may be empty.
    """

    id: str
    issue: str
    score: float
    detail: str = ""


def write(path, rows):
    """Writes the file, whole or not at all.

    Args:
        path: the file.
        rows: `Row`s; an image has at most one of each issue.

    Raises:
        errors.DataError: a row cannot be written, or stands twice.
    """
    rows = list(rows)
    seen = set()
    for row in rows:
        if not row.id or not row.issue or not np.isfinite(row.score):
            raise errors.DataError(
                "not a row of an exclusion file",
                expected="an id, an issue and a finite score",
                received=row,
                file=path,
            )
        if (row.id, row.issue) in seen:
            raise errors.DataError(
                "an image has the same issue twice", received=row, file=path
            )
        seen.add((row.id, row.issue))
    texts = strict_csv.printable(
        [text for row in rows for text in (row.id, row.detail)]
    ).tolist()
    scores = (f"{row.score:.6g}" for row in rows)
    issues = (row.issue for row in rows)
    atomic.write_csv(
        path, HEADER, zip(texts[::2], issues, scores, texts[1::2], strict=True)
    )


def read(path):
    """Reads an exclusion file.

    Returns:
        `pandas.DataFrame` of the columns id, issue, detail (str) and score (float64),
        in the order of the file. Rows that repeat an id and an issue are still there.

    Raises:
        errors.DataError: another form; the message names file and row.
    """
    rows = strict_csv.read(path, HEADER)
    frame = pd.DataFrame(rows, columns=list(HEADER), dtype=str)
    for column in ("id", "issue"):
        empty = np.flatnonzero(frame[column] == "")
        if len(empty):
            raise errors.DataError(
                f"the {column} is empty", file=path, row=int(empty[0]) + 2
            )
    scores = pd.to_numeric(frame["score"], errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(~np.isfinite(scores))
    if len(wrong):
        raise errors.DataError(
            "the score is not a finite number",
            received=frame["score"].iloc[wrong[0]],
            file=path,
            row=int(wrong[0]) + 2,
        )
    return frame.assign(score=scores)


def _of_kinds(frame, path, issues):
    """Returns (the rows of the issues asked for, notes)."""
    found = set(frame["issue"].unique().tolist())
    for issue in issues:
        if issue not in found and issue not in issue_kinds.KINDS:
            raise errors.DataError(
                "there is no such kind of issue",
                expected=f"one of {', '.join(sorted(found | set(issue_kinds.KINDS)))}",
                received=issue,
                file=path,
            )
    absent = sorted(set(issues) - found)
    notes = [f"{path} lists no image as {', '.join(absent)}"] if absent else []
    return (frame[frame["issue"].isin(issues)] if issues else frame), notes


def _rows_of(table, frame, path):
    """Returns (int64 row of the table for each id that it has, their kinds, notes)."""
    notes = []
    repeated = frame.duplicated(["id", "issue"]).to_numpy()
    if repeated.any():
        notes.append(f"{int(repeated.sum()):,} rows of {path} repeat an id and issue")
        frame = frame[~repeated]
    rows = pd.Index(strict_csv.printable(table.ids)).get_indexer(frame["id"])
    if (rows < 0).any():
        lost = frame["id"][rows < 0].unique()
        notes.append(
            f"{len(lost):,} ids of {path} are not in the data, such as {lost[0]}"
        )
    return rows[rows >= 0], frame["issue"].to_numpy()[rows >= 0], notes


def refuse_emptied(table, out, what, path):
    """Raises `errors.DataError` when `out` (bool [N]) holds a whole split of a table.

    Args:
        table: `labels.LabelTable`.
        out: bool [N], the images that would go.
        what: who would take them, to begin the message with.
        path: the file that lists them.
    """
    before = np.bincount(table.split, minlength=len(table.split_names))
    gone = np.bincount(table.split[out], minlength=len(table.split_names))
    for name, had, lost in zip(table.split_names, before, gone, strict=True):
        if had and lost == had:
            raise errors.DataError(
                f"{what} leaves no image of split '{name}'",
                expected=f"fewer than its {had:,} images",
                received=f"{lost:,}",
                file=path,
            )


def apply(table, path, issues=(), splits=("train",)):
    """Takes the listed images out of a label table.

    Only split `train` loses images by default: what is evaluated must not be picked by
    how easy it looks.

    Args:
        table: `labels.LabelTable`.
        path: an exclusion file.
        issues: kinds that count; none means all of the file.
        splits: names of the splits that lose images; `train` may be absent.

    Returns:
        (`labels.LabelTable` in the same order, list of sentences that count what was
        left out, what stays, and ids that the table does not have).

    Raises:
        errors.DataError: a file of another form, an unknown kind or split, or a split
            whose every image would go.
    """
    unknown = [name for name in splits if name not in ("train", *table.split_names)]
    if unknown:
        raise errors.DataError(
            "there is no such split",
            expected=f"one of {', '.join(table.split_names)}",
            received=unknown[0],
        )
    frame, notes = _of_kinds(read(path), path, issues)
    rows, kinds, more = _rows_of(table, frame, path)
    losing = np.isin(np.array(table.split_names)[table.split], splits)
    listed = np.zeros(len(table), bool)
    listed[rows] = True
    out = listed & losing
    refuse_emptied(table, out, "the exclusion", path)
    if out.any():
        counts = pd.Series(kinds[losing[rows]]).value_counts().sort_index()
        said = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        more.append(f"{np.count_nonzero(out):,} images were left out ({said})")
    staying = np.count_nonzero(listed & ~losing)
    if staying:
        more.append(
            f"{staying:,} listed images of other splits than {', '.join(splits)} stay"
        )
    return (table.take(~out) if out.any() else table), notes + more
