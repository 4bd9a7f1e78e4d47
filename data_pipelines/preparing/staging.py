"""Encoded images on disk as they come, found again by key after any interruption.

A staging folder holds part files. A part is a sequence of records: key (uint64), length
and CRC-32 (uint32 each), kind (a byte: image or fault), then the image's bytes or the
reason why there is none. Each record is written by one call, so that a killed process
leaves whole records and at most one torn at the end, which is not counted. Each call
that encodes writes a part of its own; nothing is ever rewritten.
"""

import contextlib
import fcntl
import itertools
import os
import pathlib
import struct
import threading
import zlib

import numpy as np

from data_pipelines import errors

IMAGE, FAULT = 0, 1
"""Kinds of records."""

_HEADER = struct.Struct("<QIIB")
_SUFFIX = ".part"
_OPEN_FILES = 64


def record(key, kind, payload):
    """Returns the bytes of one record.

    Args:
        key: int, 64 bits.
        kind: `IMAGE` or `FAULT`.
        payload: bytes; a reason is UTF-8.
    """
    return _HEADER.pack(int(key), len(payload), zlib.crc32(payload), kind) + payload


class Part:
    """A new part file that records are appended to; a context manager.

    Args:
        folder: the staging folder.
        stem: what the part belongs to; a number that is free is put behind.
    """

    def __init__(self, folder, stem):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        for number in itertools.count():
            self._path = folder / f"{stem}-{number:06d}{_SUFFIX}"
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                self._descriptor = os.open(self._path, flags, 0o644)
                break
            except FileExistsError:
                continue

    def append(self, key, kind, payload):
        """Writes one record in one call; threads take turns.

        Raises:
            OSError: it is not on the disk, or the part is closed.
        """
        data = record(key, kind, payload)
        with self._lock:
            if self._descriptor is None:
                raise OSError(f"{self._path}: this part is closed")
            # unbuffered: what has been appended outlives this process
            try:
                written = os.write(self._descriptor, data)
            except OSError as error:
                said = error.errno, error.strerror, str(self._path)
                raise OSError(*said) from error
            if written != len(data):
                self._take_back(written)
                raise OSError(f"{self._path}: {written} of {len(data)} bytes written")

    def _take_back(self, count):
        """Removes a torn end, behind which no record would be found."""
        end = os.lseek(self._descriptor, -count, os.SEEK_CUR)
        os.ftruncate(self._descriptor, end)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self._lock:
            # after an error, threads may still come with images
            descriptor, self._descriptor = self._descriptor, None
        os.fsync(descriptor)
        os.close(descriptor)


@contextlib.contextmanager
def alone(folder):
    """Holds a staging folder for this process.

    Raises:
        errors.DataError: another process holds it.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise errors.DataError(
                "another process is preparing here", file=folder
            ) from error
        yield


class Staged:
    """What lies in a staging folder at one moment.

    Args:
        folder: the staging folder; need not exist.
        stem: of the parts to look at; empty means all.
    """

    def __init__(self, folder, stem=""):
        self._paths = sorted(pathlib.Path(folder).glob(f"{stem}*{_SUFFIX}"))
        self._open = {}
        found = [_scan(path) for path in self._paths]
        records = np.concatenate([np.empty(0, _INDEX), *found])
        part = np.repeat(np.arange(len(found)), [len(each) for each in found])
        # of two records of a key the first will do
        self._keys, first = np.unique(records["key"], return_index=True)
        self._records, self._part = records[first], part[first]

    def __len__(self):
        return len(self._keys)

    def has(self, keys):
        """Returns bool [N]: whether each of uint64 [N] keys is staged."""
        if not len(self):
            return np.zeros(len(keys), bool)
        places = np.minimum(np.searchsorted(self._keys, keys), len(self) - 1)
        return self._keys[places] == keys

    def is_fault(self, keys):
        """Returns bool [N]: whether each of the staged `keys` is a fault."""
        return self._records["kind"][self._places(keys)] == FAULT

    def sizes(self, keys):
        """Returns int64 [N]: the bytes of each of the staged `keys`."""
        return self._records["length"][self._places(keys)].astype(np.int64)

    def read(self, key):
        """Returns the payload of one staged key, bytes.

        Raises:
            errors.DataError: it has changed on the disk since it was written.
        """
        (place,) = self._places(np.array([key], np.uint64))
        found, part = self._records[place], int(self._part[place])
        data = os.pread(self._descriptor(part), int(found["length"]), found["offset"])
        if zlib.crc32(data) != found["crc"]:
            raise errors.DataError(
                "a staged image is damaged",
                expected="the file removed, and preparing started again",
                file=self._paths[part],
            )
        return data

    def _places(self, keys):
        if not self.has(keys).all():
            raise KeyError("not staged")
        return np.searchsorted(self._keys, keys)

    def _descriptor(self, part):
        if part not in self._open:
            if len(self._open) == _OPEN_FILES:
                os.close(self._open.pop(next(iter(self._open))))
            self._open[part] = os.open(self._paths[part], os.O_RDONLY)
        return self._open[part]

    def close(self):
        """Closes the parts that were read from."""
        while self._open:
            os.close(self._open.popitem()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


_INDEX = np.dtype(
    [("key", "u8"), ("length", "u4"), ("crc", "u4"), ("kind", "u1"), ("offset", "i8")]
)


def _scan(path):
    """Returns the whole records of a part; a torn end is left out."""
    size = path.stat().st_size
    found, place = [], 0
    with open(path, "rb") as file:
        while place + _HEADER.size <= size:
            file.seek(place)
            key, length, crc, kind = _HEADER.unpack(file.read(_HEADER.size))
            place += _HEADER.size
            if kind not in (IMAGE, FAULT) or place + length > size:
                break
            found.append((key, length, crc, kind, place))
            place += length
        found = found[:-1] if found and not _is_whole(file, found[-1]) else found
    return np.array(found, _INDEX)


def _is_whole(file, last):
    _, length, crc, _, place = last
    file.seek(place)
    return zlib.crc32(file.read(length)) == crc
