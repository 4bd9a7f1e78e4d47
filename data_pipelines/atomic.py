"""Files and folders that appear whole or not at all.

Everything is written under a temporary name beside its place, flushed to the disk and
renamed, so a killed process leaves the old file or the new one, never half of one. A
folder that takes the place of an older one is the exception: a kill between its two
renames leaves neither in place, and both whole under temporary names beside it.
"""

import contextlib
import csv
import hashlib
import io
import json
import os
import pathlib
import shutil
import tempfile


def _sync_folder(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path, data):
    """Writes `data` (bytes) to `path`, creating its folder; replaces an older file."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)


def write_text(path, text):
    """Writes `text` as UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path, value):
    """Writes `value` as indented JSON; NaN is refused, since JSON has none."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_csv(path, header, rows):
    """Writes a header and rows, quoted where needed, for machines to read back."""
    buffer = io.StringIO()
    plain = csv.writer(buffer, lineterminator="\n")
    # the module does not quote a lone carriage return, at which readers end a row
    quoted = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in (header, *rows):
        returns = any(isinstance(field, str) and "\r" in field for field in row)
        (quoted if returns else plain).writerow(row)
    write_text(path, buffer.getvalue())


def sha256(path):
    """Returns the SHA-256 of a file's content, as hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def folder(path):
    """Yields a temporary folder that takes the place of `path` when the block ends.

    An older folder of that name is replaced; when the block raises, it is untouched.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = pathlib.Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield temporary
        for parent, _, names in os.walk(temporary):
            for name in names:
                with open(os.path.join(parent, name), "rb") as file:
                    os.fsync(file.fileno())
        os.chmod(temporary, 0o755)
        if path.exists():
            old = pathlib.Path(
                tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old.")
            )
            os.replace(path, old / path.name)
            os.replace(temporary, path)
            shutil.rmtree(old)
        else:
            os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync_folder(path.parent)
