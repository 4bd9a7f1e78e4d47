"""The log of a review in SQLite: every decision of a person, and what it was about.

Rows are only ever added: an undo is a row that withdraws another, and triggers refuse
whatever would change or delete one. A row is on the disk once `append` returns
(write-ahead log, `synchronous=FULL`), and several processes may write to one log.

`corrections` gives what counts of it in the form of `correction_log`; a decision to
keep an image's labels corrects nothing and stays here.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import sqlite3
import urllib.parse

from data_pipelines import correction_log, decision_schema, errors, stored_files

MAGIC = b"SQLite format 3\0"
ACTIONS = correction_log.ACTIONS | {
    "keep": ("id",),
    "several_fit": ("id", "label", "new_label"),
    "undo": (),
}
"""Each action and the fields that it fills.

`keep`: the labels are right as they are; `several_fit`: `label` stays and `new_label`
comes beside it; `undo` withdraws another row, and tells its image if that has one.
"""

_PATIENCE = 10.0


@dataclasses.dataclass(frozen=True)
class Decision:
    """One row of the log.

    Args:
        time: when, in ISO 8601.
        who: whose decision it is.
        action: one of `ACTIONS`.
        id: the image's id; empty for `merge`.
        label: a label id, or empty.
        new_label: a label id, or empty.
        question: JSON of the suspicion that it answers; empty for none.
        before: label ids of the image (of `merge`, the label) before it, a tuple.
        after: likewise after it; an excluded image has none.
        withdraws: the number of the row that an `undo` withdraws; None else.
        number: its own, given by the log; 0 before.

    Raises:
        errors.DataError: as `correction_log.Correction`.
    """

    time: str
    who: str
    action: str
    id: str = ""
    label: str = ""
    new_label: str = ""
    question: str = ""
    before: tuple = ()
    after: tuple = ()
    withdraws: int | None = None
    number: int = dataclasses.field(default=0, compare=False)

    def __post_init__(self):
        if self.action in ("keep", "undo"):
            if self.label or self.new_label or (self.action == "keep" and not self.id):
                raise errors.DataError(
                    f"a field of '{self.action}' is missing or superfluous",
                    received=self,
                )
        else:
            self.correction()

    def correction(self, file=""):
        """Returns its `correction_log.Correction`, or None where it corrects nothing.

        Args:
            file: the log it was read from, for messages.
        """
        if self.action in ("keep", "undo"):
            return None
        action, label, new_label = self.action, self.label, self.new_label
        if action == "several_fit":
            action, label, new_label = "add", self.new_label, ""
        return correction_log.Correction(
            self.time, self.who, action, self.id, label, new_label,
            file=file, row=self.number,
        )  # fmt: skip


def effective(decisions):
    """Returns those of a list of `Decision` that no other withdraws, without undos."""
    withdrawn = {one.withdraws for one in decisions if one.action == "undo"}
    return [
        one for one in decisions if one.action != "undo" and one.number not in withdrawn
    ]


def is_one(path):
    """Says whether a file is an SQLite database, by its first bytes."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except (FileNotFoundError, IsADirectoryError):
        return False


def corrections(path):
    """Returns what counts of a log, as a list of `correction_log.Correction` in order.

    Args:
        path: a log, which a server may be writing to.

    Raises:
        errors.DataError: the file is another database.
    """
    with (
        stored_files.reading(path, "this is no log of a review", "one as it was made"),
        _opening(path),
        contextlib.closing(_connect(path, writable=False)) as connection,
    ):
        _check(connection, path)
        found = effective(_rows(connection, 0))
        made = [one.correction(str(path)) for one in found]
    return [one for one in made if one is not None]


class Log:
    """A log that is open for writing; made where there is none.

    Args:
        path: the file.
        vocabulary: `labels.Vocabulary` of the data that are reviewed.

    Raises:
        errors.DataError: the file is something else, or the log of data with another
            vocabulary.
    """

    def __init__(self, path, vocabulary):
        self.path = pathlib.Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size and not is_one(path):
            raise _foreign(path, "a file of another form")
        with _opening(path):
            self._connection = _connect(path, writable=True)
        try:
            with _opening(path):
                # before anything is written to what may be somebody else's
                if not _is_empty(self._connection):
                    _check(self._connection, path, vocabulary)
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
                with self.writing():
                    if _is_empty(self._connection):
                        decision_schema.make(self._connection, ACTIONS, vocabulary.hash)
        except BaseException:
            self._connection.close()
            raise

    @contextlib.contextmanager
    def writing(self):
        """Keeps other writers out; what was added within counts all or not at all."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # a full disk has rolled it back already
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def since(self, number):
        """Returns the list of `Decision` after a number (0: all), in order."""
        return _rows(self._connection, number)

    def append(self, decision):
        """Adds a row; to be called within `writing`.

        Returns:
            the `Decision` with its number.
        """
        values = [getattr(decision, name) for name in decision_schema.COLUMNS]
        for name in ("before", "after"):
            place = decision_schema.COLUMNS.index(name)
            values[place] = json.dumps(values[place], ensure_ascii=False)
        columns = ", ".join(decision_schema.COLUMNS)
        marks = ", ".join("?" * len(values))
        done = self._connection.execute(
            f"INSERT INTO decisions ({columns}) VALUES ({marks})", values
        )
        return dataclasses.replace(decision, number=done.lastrowid)

    def close(self):
        """Closes the file; all of the log is then in the one file."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()


def _connect(path, writable):
    path = pathlib.Path(path).absolute()
    if not writable:
        # a database in a folder that cannot be written to has no place for locks
        alone = not os.access(path.parent, os.W_OK) and not os.path.exists(
            f"{path}-wal"
        )
        query = "mode=ro&immutable=1" if alone else "mode=ro"
        path = f"file:{urllib.parse.quote(str(path))}?{query}"
    # threads take turns by a lock of whoever opened it
    return sqlite3.connect(
        path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False,
        uri=not writable,
    )  # fmt: skip


@contextlib.contextmanager
def _opening(path):
    try:
        yield
    except sqlite3.OperationalError as error:
        raise errors.DataError(
            "the log of a review cannot be opened", received=str(error), file=path
        ) from error
    except sqlite3.DatabaseError as error:
        raise _foreign(path, str(error)) from error


def _is_empty(connection):
    return not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]


def _foreign(path, received):
    return errors.DataError(
        "this is no log of a review",
        expected="a file that `tools.review` made, or a new name",
        received=received,
        file=path,
    )


def _check(connection, path, vocabulary=None):
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != decision_schema.APPLICATION:
        raise _foreign(path, "a database of another kind")
    facts = dict(connection.execute("SELECT name, value FROM facts"))
    if facts["format"] != str(decision_schema.FORMAT):
        raise errors.DataError(
            "the log of a review has another format",
            expected=f"format {decision_schema.FORMAT}",
            received=facts["format"],
            file=path,
        )
    if vocabulary is not None and facts["vocabulary"] != vocabulary.hash:
        raise errors.DataError(
            "the log is of data with another vocabulary",
            expected=f"vocabulary {vocabulary.hash[:12]}, or a new log",
            received=f"vocabulary {facts['vocabulary'][:12]}",
            file=path,
        )


def _rows(connection, after):
    found = connection.execute(
        f"SELECT {', '.join(decision_schema.COLUMNS)}, number FROM decisions "
        "WHERE number > ? ORDER BY number",
        (after,),
    )
    return [
        Decision(
            *row[:7], tuple(json.loads(row[7])), tuple(json.loads(row[8])), *row[9:]
        )
        for row in found
    ]
