"""The tables of a log of decisions, and the triggers that keep its rows as they are."""

import sqlite3

FORMAT = 1
APPLICATION = 0x1C1F0001
"""What SQLite's `application_id` is of such a file."""

COLUMNS = (
    "time", "who", "action", "id", "label", "new_label", "question", "before", "after",
    "withdraws",
)  # fmt: skip
"""Columns of a row beside its number, in the order of `decision_log.Decision`."""

_NEVER = "SELECT RAISE(ABORT, 'rows of this log are never changed or deleted')"
_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE decisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    time TEXT NOT NULL CHECK (time <> ''),
    who TEXT NOT NULL CHECK (who <> ''),
    action TEXT NOT NULL CHECK (action IN ({allowed})),
    id TEXT NOT NULL,
    label TEXT NOT NULL,
    new_label TEXT NOT NULL,
    question TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    withdraws INTEGER UNIQUE REFERENCES decisions (number),
    CHECK ((action = 'undo') = (withdraws IS NOT NULL))
) STRICT;
CREATE TRIGGER decisions_update BEFORE UPDATE ON decisions BEGIN {never}; END;
CREATE TRIGGER decisions_delete BEFORE DELETE ON decisions BEGIN {never}; END;
CREATE TRIGGER facts_update BEFORE UPDATE ON facts BEGIN {never}; END;
CREATE TRIGGER facts_delete BEFORE DELETE ON facts BEGIN {never}; END;
CREATE TRIGGER facts_replace BEFORE INSERT ON facts
    WHEN EXISTS (SELECT 1 FROM facts WHERE name = NEW.name) BEGIN {never}; END;
-- INSERT OR REPLACE deletes without asking the triggers of DELETE
CREATE TRIGGER decisions_replace BEFORE INSERT ON decisions
    WHEN EXISTS (SELECT 1 FROM decisions WHERE number = NEW.number
                 OR withdraws = NEW.withdraws) BEGIN {never}; END;
CREATE TRIGGER decisions_withdraw BEFORE INSERT ON decisions
    WHEN NEW.withdraws IS NOT NULL AND NOT EXISTS (SELECT 1 FROM decisions
        WHERE number = NEW.withdraws AND action <> 'undo')
    BEGIN SELECT RAISE(ABORT, 'an undo withdraws an earlier decision'); END;
"""


def make(connection, actions, vocabulary_hash):
    """Makes the tables, within the transaction that is open.

    Args:
        connection: `sqlite3.Connection` of an empty database.
        actions: what a row may say was done.
        vocabulary_hash: of the data that the log is of.
    """
    allowed = ", ".join(f"'{action}'" for action in actions)
    for statement in _statements(_SCHEMA.format(allowed=allowed, never=_NEVER)):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.executemany(
        "INSERT INTO facts VALUES (?, ?)",
        [("format", str(FORMAT)), ("vocabulary", vocabulary_hash)],
    )


def _statements(script):
    """Yields the statements of a script: `executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
