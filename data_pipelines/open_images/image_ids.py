"""Open Images' image ids: 16 hex digits, held as 64-bit numbers."""

import numpy as np

from data_pipelines import errors

DIGITS = 16
EXPECTED = f"{DIGITS} characters of 0-9 and a-f"
_INVALID = 255
_VALUE_OF = np.full(256, _INVALID, np.uint8)
_VALUE_OF[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
_DIGIT_OF = np.frombuffer(b"0123456789abcdef", np.uint8).astype(np.uint32)


def parse(characters):
    """Turns hex digits into numbers.

    Args:
        characters: uint8 [N, 16], ASCII.

    Returns:
        uint64 [N], or None when a character is not one of 0-9 and a-f.
    """
    values = _VALUE_OF[characters]
    if (values == _INVALID).any():
        return None
    pairs = (values[:, ::2] << 4) | values[:, 1::2]
    return np.ascontiguousarray(pairs).view(">u8")[:, 0].astype(np.uint64)


def text(ids):
    """Returns str [N] of uint64 [N]: 16 lower-case hex digits each."""
    return _characters(ids).view(f"<U{DIGITS}")[:, 0]


def _characters(ids):
    """uint32 [N, 16]: the code points of the digits."""
    octets = np.asarray(ids, np.uint64).astype(">u8").view(np.uint8).reshape(-1, 8)
    digits = np.empty((len(octets), DIGITS), "<u4")
    digits[:, ::2] = _DIGIT_OF[octets >> 4]
    digits[:, 1::2] = _DIGIT_OF[octets & 15]
    return digits


def paths(ids, folder, suffix=".jpg"):
    """Returns str [N]: `folder/<id><suffix>` of uint64 [N]."""
    before = np.array([ord(letter) for letter in f"{folder}/"], "<u4")
    after = np.array([ord(letter) for letter in suffix], "<u4")
    width = len(before) + DIGITS + len(after)
    characters = np.empty((len(ids), width), "<u4")
    characters[:, : len(before)] = before
    characters[:, len(before) : len(before) + DIGITS] = _characters(ids)
    characters[:, len(before) + DIGITS :] = after
    return characters.view(f"<U{width}")[:, 0]


def held_out(ids, fraction, seed):
    """Returns bool [N]: which images a seed holds out, whatever others there are.

    An id is held out when a hash of it and the seed is below `fraction` of its range.
    The hash is the finaliser of SplitMix64 (Steele, Lea and Flood 2014), applied twice.

    Args:
        ids: uint64 [N].
        fraction: share that is held out on average, in [0, 1).
        seed: int, 0 or more.

    Raises:
        errors.SettingError: the fraction lies elsewhere.
    """
    if not 0 <= fraction < 1:
        raise errors.SettingError(
            "A share of images to hold out cannot be used. Expected: at least 0 and "
            f"below 1. Received: {fraction}."
        )
    hashed = _mixed(_mixed(np.asarray(ids, np.uint64)) + np.uint64(seed))
    # 53 bits are what float64 holds exactly
    return (hashed >> np.uint64(11)) * 2.0**-53 < fraction


def _mixed(words):
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
