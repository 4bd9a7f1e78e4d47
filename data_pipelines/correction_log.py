"""The edit log of a data set: what people have said of its labels, row by row.

    time,who,action,id,label,new_label
    2026-03-01T10:20:00,ada,remove,a.jpg,cat,
    2026-03-01T10:20:09,ada,relabel,b.jpg,cat,dog
    2026-03-01T10:21:00,ada,merge,,puppy,dog

A log is only ever appended to, and its rows count in their order. `corrections` applies
it to a label table.
"""

import csv
import dataclasses
import datetime
import fcntl
import io
import os

from data_pipelines import atomic, errors, strict_csv

HEADER = ("time", "who", "action", "id", "label", "new_label")
ACTIONS = {
    "remove": ("id", "label"),
    "add": ("id", "label"),
    "relabel": ("id", "label", "new_label"),
    "merge": ("label", "new_label"),
    "exclude": ("id",),
}
"""Each action and the fields that it fills; the others are empty."""


@dataclasses.dataclass(frozen=True)
class Correction:
    """One row of the log.

    Args:
        time: when, in ISO 8601.
        who: whose verdict it is.
        action: one of `ACTIONS`.
        id: the image's id; empty for `merge`.
        label: a label id; empty for `exclude`.
        new_label: a label id, of `relabel` and `merge` only.
        file: the log it was read from, for messages.
        row: its row there, from 1 with the header as row 1.

    Raises:
        errors.DataError: an unknown action, a field that is missing or not the
            action's, a time that is none, or a label that would become itself.
    """

    time: str
    who: str
    action: str
    id: str = ""
    label: str = ""
    new_label: str = ""
    file: str = dataclasses.field(default="", compare=False)
    row: int = dataclasses.field(default=0, compare=False)

    def __post_init__(self):
        if self.action not in ACTIONS:
            raise self.error(
                "there is no such action",
                expected=f"one of {', '.join(ACTIONS)}",
                received=self.action,
            )
        filled = ("time", "who", "action", *ACTIONS[self.action])
        for name in HEADER:
            value = getattr(self, name)
            if bool(value) != (name in filled):
                wrong = "is empty" if name in filled else "must be empty"
                raise self.error(
                    f"the {name} of '{self.action}' {wrong}",
                    expected=f"{', '.join(filled)} and nothing else",
                    received=value,
                )
            if "\n" in value or "\r" in value:
                raise self.error(f"the {name} holds a line end", received=value)
        try:
            datetime.datetime.fromisoformat(self.time)
        except ValueError as error:
            raise self.error(
                "the time cannot be read",
                expected="ISO 8601, such as 2026-03-01T10:20:00+00:00",
                received=self.time,
            ) from error
        if self.label and self.label == self.new_label:
            raise self.error("a label would become itself", received=self.label)

    def fields(self):
        """Returns the six fields of its row."""
        return [getattr(self, name) for name in HEADER]

    def error(self, problem, **parts):
        """Returns an `errors.DataError` that names this row."""
        if not self.file:
            problem = f"{problem} (correction {','.join(self.fields())})"
        return errors.DataError(
            problem, file=self.file or None, row=self.row or None, **parts
        )


def read(path):
    """Returns the list of `Correction` in a log, in order.

    An empty file is a log of nothing: it is what a first `append` leaves that could not
    be written.

    Raises:
        errors.DataError: another form, a row that is none, or a last line that was cut
            off; the message names file and row.
    """
    if os.path.isfile(path) and not os.path.getsize(path):
        return []
    rows = strict_csv.read(path, HEADER)
    return [
        Correction(*fields, file=str(path), row=row)
        for row, fields in enumerate(rows, start=2)
    ]


def append(path, corrections):
    """Adds rows to a log, which is made where there is none.

    Several processes may append to one log: each holds a lock on the file while it
    writes, so rows never mix and the header stands once. Rows are on the disk when this
    returns; when they cannot be written whole, the log is left as it was.

    Args:
        path: the log.
        corrections: `Correction`s, at least one, in order.

    Raises:
        errors.DataError: the file is no log, or its last line was cut off.
        errors.StoppedError: the disk is full.
    """
    corrections = list(corrections)
    if not corrections:
        raise ValueError("Nothing to append. Expected: at least one correction.")
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(
        correction.fields() for correction in corrections
    )
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with atomic.named_when_full(path), open(path, "a+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        if size:
            _check_end(file, path)
            start = b""
        else:
            start = (",".join(HEADER) + "\n").encode()
        # an id can be the name of a file, and hold bytes that are no text
        data = start + buffer.getvalue().encode("utf-8", "backslashreplace")
        try:
            while data:
                data = data[file.write(data) :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size)
            raise


def _check_end(file, path):
    """Raises `errors.DataError` unless an open file begins and ends as a log does."""
    file.seek(0)
    # the mark with which some editors begin a file is no part of the header
    head = file.read(1024).removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0]
    head = head.removesuffix(b"\r")
    if head.decode("utf-8", "replace") != ",".join(HEADER):
        raise errors.DataError(
            "this is no log of corrections",
            expected=",".join(HEADER),
            received=head.decode("utf-8", "replace"),
            file=path,
            row=1,
        )
    file.seek(-1, os.SEEK_END)
    if file.read(1) != b"\n":
        raise errors.DataError(
            "the last line has no end, as if writing it was cut off",
            expected="a line end after each row; add it if the row is whole",
            file=path,
        )
