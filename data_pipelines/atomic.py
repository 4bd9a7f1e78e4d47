"""Files and folders that appear whole or not at all.

Everything is written under a temporary name beside its place, flushed to the disk and
renamed, so a killed process leaves the old file or the new one, never half of one. A
folder that takes the place of an older one changes names with it at once, where the
file system can (Linux' own do); elsewhere, a kill between two renames leaves neither in
place, and both whole under temporary names beside it.

A full disk is a `StoppedError` that names the file, and leaves what stood there.
"""

import contextlib
import ctypes
import errno
import hashlib
import json
import os
import pathlib
import re
import shutil
import tempfile

from data_pipelines import errors, strict_csv

# libraries in C say it in words only, and NumPy by what it could not write
_SAID_FULL = re.compile(
    "|".join([
        *map(os.strerror, (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)),
        r"^\d+ requested and \d+ written$",
    ]),
    re.IGNORECASE,
)  # fmt: skip
# of <fcntl.h> and <linux/fs.h>
_RELATIVE_TO_HERE, _EXCHANGE = -100, 2


@contextlib.contextmanager
def named_when_full(path):
    """Says of which file or folder it is that there is no room to write it.

    Args:
        path: what is written within; it must be left as it was.

    Raises:
        errors.StoppedError: the disk is full.
    """
    try:
        yield
    except Exception as error:
        found = _SAID_FULL.search(str(error))
        if found is None:
            raise
        raise errors.StoppedError(
            f"{path}: there is no room to write it. Expected: space on the disk, and "
            f"files that may be as large. Received: {found.group()}. What stood there "
            "before is as it was."
        ) from error


def require_room(folder, size):
    """Refuses a file of `size` bytes in a folder before anything is written of it.

    For libraries that a full disk does harm to: HDF5 ends the process once a file of it
    could not be written.

    Raises:
        OSError: there is no room.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, size)


def _sync_folder(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exchange(first, second):
    """Gives two paths each other's name at once; returns whether that can be done."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    names = os.fsencode(first), os.fsencode(second)
    here = _RELATIVE_TO_HERE
    return rename(here, names[0], here, names[1], _EXCHANGE) == 0


def write_bytes(path, data):
    """Writes `data` (bytes) to `path`, creating its folder; replaces an older file.

    Raises:
        errors.StoppedError: the disk is full.
    """
    path = pathlib.Path(path)
    with named_when_full(path):
        _write_bytes(path, data)


def _write_bytes(path, data):
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
    """Writes a header and rows for `strict_csv.read` to read back."""
    write_text(path, strict_csv.text(header, rows))


def sha256(path):
    """Returns the SHA-256 of a file's content, as hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def folder(path):
    """Yields a temporary folder that takes the place of `path` when the block ends.

    An older folder of that name is replaced; when the block raises, it is untouched.

    Raises:
        errors.StoppedError: the disk is full.
    """
    path = pathlib.Path(path)
    with named_when_full(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = pathlib.Path(
            tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.")
        )
        try:
            yield temporary
            _sync(temporary)
            os.chmod(temporary, 0o755)
            _put(temporary, path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        _sync_folder(path.parent)


def _sync(folder):
    """Flushes a folder's files, and what it and the folders in it hold."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(parent, name), "rb") as file:
                os.fsync(file.fileno())
        _sync_folder(parent)


def _put(temporary, path):
    """Gives a whole folder the name `path`, and removes what had it before."""
    if not path.exists():
        os.replace(temporary, path)
    elif _exchange(temporary, path):
        # the old one has the temporary name now
        shutil.rmtree(temporary)
    else:
        old = pathlib.Path(
            tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old.")
        )
        os.replace(path, old / path.name)
        os.replace(temporary, path)
        shutil.rmtree(old)
