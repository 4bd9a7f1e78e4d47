"""What the columns of annotation files hold: how each is checked and held in memory."""

import dataclasses

import numpy as np
import pyarrow as pa

from data_pipelines.open_images import image_ids


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a column holds.

    Args:
        arrow_type: what Arrow converts it to.
        take: function of Arrow's chunked array to NumPy, which raises `ValueError` when
            a value is wrong.
        is_valid: function of one field's text to bool.
        expected: what a field has to be, for a person.
    """

    arrow_type: object
    take: object
    is_valid: object
    expected: str


@dataclasses.dataclass(frozen=True)
class Runs:
    """Image ids of consecutive rows, each run of equal ones once.

    Args:
        ids: uint64 [R].
        starts: int64 [R + 1]; run r is of rows starts[r] to starts[r + 1].
    """

    ids: np.ndarray
    starts: np.ndarray


@dataclasses.dataclass(frozen=True)
class Codes:
    """Texts of all rows, each distinct one once.

    Args:
        index: int32 [rows] into `texts`.
        texts: tuple of str.
    """

    index: np.ndarray
    texts: tuple


def _take_image_ids(column):
    changes, kept, rows = [], [], 0
    last = None
    for chunk in column.chunks:
        if not len(chunk):
            continue
        first = chunk.offset * image_ids.DIGITS
        octets = np.frombuffer(chunk.buffers()[1], np.uint8)
        octets = octets[first : first + len(chunk) * image_ids.DIGITS]
        halves = np.frombuffer(octets, np.uint64).reshape(-1, 2)
        differs = np.empty(len(halves), bool)
        differs[0] = last is None or bool((halves[0] != last).any())
        differs[1:] = (halves[1:, 0] != halves[:-1, 0]) | (
            halves[1:, 1] != halves[:-1, 1]
        )
        places = np.flatnonzero(differs)
        changes.append(places + rows)
        kept.append(octets.reshape(-1, image_ids.DIGITS)[places])
        last, rows = halves[-1].copy(), rows + len(chunk)
    ids = image_ids.parse(np.concatenate(kept))
    if ids is None:
        raise ValueError
    return Runs(ids, np.concatenate([*changes, [rows]]).astype(np.int64))


def _take_codes(is_valid):
    def take(column):
        column = column.unify_dictionaries()
        texts = tuple(column.chunk(0).dictionary.to_pylist())
        if not all(map(is_valid, texts)):
            raise ValueError
        index = np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])
        return Codes(index, texts)

    return take


def _take_shares(column):
    values = column.to_numpy()
    # NaN fails both comparisons
    if not (values.min() >= 0 and values.max() <= 1):
        raise ValueError
    return values


def _take_states(column):
    values = column.to_numpy()
    if not (values.min() >= -1 and values.max() <= 1):
        raise ValueError
    return values


def _is_image_id(field):
    return len(field) == image_ids.DIGITS and set(field) <= set("0123456789abcdef")


def _is_label(field):
    return field.split() == [field]


def _is_text(field):
    return field != ""


def _is_share(field):
    try:
        return 0 <= float(field) <= 1
    except ValueError:
        return False


def _is_state(field):
    return field in ("-1", "0", "1")


IMAGE_ID = Kind(
    pa.binary(image_ids.DIGITS), _take_image_ids, _is_image_id, image_ids.EXPECTED
)
"""An id as `Runs`."""

LABEL = Kind(
    pa.dictionary(pa.int32(), pa.string()),
    _take_codes(_is_label),
    _is_label,
    "a label's code, without white space",
)
"""A label's code as `Codes`; "NA" is a code like any other."""

TEXT = Kind(
    pa.dictionary(pa.int32(), pa.string()), _take_codes(_is_text), _is_text, "a text"
)
"""An id of any form as `Codes`."""

SHARE = Kind(pa.float32(), _take_shares, _is_share, "a number from 0 to 1")
"""A confidence or a relative coordinate, as float32 [rows]."""

STATE = Kind(pa.int8(), _take_states, _is_state, "1 (yes), 0 (no) or -1 (unknown)")
"""An attribute of a box, as int8 [rows]."""
