"""What a prepared image is like, and the key that names it by what it is made of."""

import dataclasses
import hashlib
import json
import os

import numpy as np

from data_pipelines import errors, storage

ENCODINGS = ("jpeg", "png")
_ABSENT = (-1, -1)


@dataclasses.dataclass(frozen=True)
class EncodingConfig:
    """What a prepared image is like.

    Args:
        short_side: pixels of the shorter side; longer ones are shrunk to it, smaller
            images stay as they are. 0 keeps every size.
        encoding: `jpeg`, or `png`, which loses nothing of 8-bit pixels.
        quality: of JPEG, 1 to 100.
        max_pixels: larger images are refused from their header, undecoded.

    Raises:
        errors.SettingError: a value is none of these.
    """

    short_side: int = 256
    encoding: str = "jpeg"
    quality: int = 95
    max_pixels: int = 50_000_000

    def __post_init__(self):
        for name, least, most in (
            ("short_side", 0, 2**31), ("quality", 1, 100), ("max_pixels", 1, 2**62),
        ):  # fmt: skip
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not least <= value <= most:
                raise errors.SettingError(
                    f"{name} of a prepared image cannot be used. Expected: a whole "
                    f"number from {least} to {most}. Received: {value!r}."
                )
        if self.encoding not in ENCODINGS:
            raise errors.SettingError(
                f"Unknown encoding. Expected: one of {', '.join(ENCODINGS)}. "
                f"Received: {self.encoding}."
            )

    @property
    def name(self):
        """A word for folders, such as `short256_jpeg95`."""
        size = f"short{self.short_side}" if self.short_side else "full"
        return f"{size}_png" if self.encoding == "png" else f"{size}_jpeg{self.quality}"


def keys(table, config):
    """Names each image's encoded form by what it is made from.

    The key is a hash of where the bytes lie, how many they are and when they were
    written, and of the settings: a file that has changed, or another setting, has
    another key; labels and the order of rows do not matter.

    Args:
        table: `labels.LabelTable`.
        config: `EncodingConfig`.

    Returns:
        (uint64 [N] keys, int64 [N] sizes of the files in bytes, -1 where there is none
        or the storage is not files).
    """
    settings = json.dumps(dataclasses.asdict(config), sort_keys=True).encode()
    seed = hashlib.blake2b(settings + repr(table.storage).encode(), digest_size=16)
    of_files = table.storage == storage.FILES
    found = np.empty(len(table), np.uint64)
    sizes = np.empty(len(table), np.int64)
    for row, location in enumerate(table.locations.tolist()):
        size, written = _stat(location) if of_files else _ABSENT
        named = os.fsencode(location) + b"\0%d\0%d" % (size, written)
        digest = hashlib.blake2b(named, key=seed.digest(), digest_size=8).digest()
        found[row] = int.from_bytes(digest, "little")
        sizes[row] = size
    _require_distinct(found, table.locations)
    return found, sizes


def _stat(path):
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return _ABSENT
    return status.st_size, status.st_mtime_ns


def _require_distinct(found, locations):
    order = np.argsort(found, kind="stable")
    same = found[order][1:] == found[order][:-1]
    differ = locations[order][1:] != locations[order][:-1]
    if (same & differ).any():
        place = int(np.argmax(same & differ))
        first, second = locations[order[place : place + 2]].tolist()
        raise errors.DataError(
            "two images have the same key of 64 bits by chance",
            expected="touching one of the two files, so that its time changes",
            received=f"{first} and {second}",
        )
