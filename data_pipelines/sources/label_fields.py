"""The labels of a table's rows: fields of them, what is said of each, and of how many.

A row states a label once, with one confidence: 1 unless a column of confidences says
otherwise, 0 where the label is verified absent.
"""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_pipelines import errors, labels
from data_pipelines.sources import list_literals, sheets

FORMS = ("separated", "list")
"""A field is `a|b`, or a list as Python and JSON write it: `['a', 'b']`."""


@dataclasses.dataclass(frozen=True)
class Entries:
    """What N rows state, an entry a row and label, in the order of the rows.

    Args:
        row: int64 [entries], ascending.
        code: int64 [entries], an index into `names`.
        confidence: float32 [entries] in [0, 1].
        names: tuple of label ids.
        rows: N.
    """

    row: np.ndarray
    code: np.ndarray
    confidence: np.ndarray
    names: tuple
    rows: int

    def counts(self):
        """Returns int64 [N]: entries of each row."""
        return np.bincount(self.row, minlength=self.rows)

    def take(self, keep):
        """Returns the entries of the rows named by ascending int `keep`, renumbered."""
        place = np.full(self.rows, -1)
        place[keep] = np.arange(len(keep))
        kept = place[self.row] >= 0
        return Entries(
            place[self.row[kept]],
            self.code[kept],
            self.confidence[kept],
            self.names,
            len(keep),
        )

    def sparse(self, vocabulary):
        """Returns `labels.SparseLabels` over a vocabulary; others are left out."""
        index = vocabulary.index()
        position = np.array([index.get(name, -1) for name in self.names] or [-1])
        known = position[self.code] >= 0
        counts = np.bincount(self.row[known], minlength=self.rows)
        return labels.SparseLabels(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            position[self.code[known]].astype(np.int32),
            self.confidence[known],
            len(vocabulary),
        )


def single(names):
    """Returns `Entries` of rows (str [N]) that state one label each, as present."""
    distinct, code = sheets.coded(pa.array(names, pa.string()))
    return Entries(
        np.arange(len(code)),
        code.astype(np.int64),
        np.ones(len(code), np.float32),
        tuple(distinct.tolist()),
        len(code),
    )


def read(sheet, config):
    """Reads the columns of labels, of confidences and of verified absence.

    Args:
        sheet: `sheets.Sheet`.
        config: has `label_columns`, `confidence_columns` (none, or one a label column),
            `absent_columns`, `label_separator` and `label_form`.

    Returns:
        `Entries`.

    Raises:
        errors.DataError: an empty label, a confidence that is no number from 0 to 1,
            another number of confidences than labels, or a label stated twice
            differently; with file and row.
    """
    if config.confidence_columns and (
        len(config.confidence_columns) != len(config.label_columns)
    ):
        raise errors.SettingError(
            "Each column of labels has its column of confidences. Expected: "
            f"{len(config.label_columns)} confidence columns, or none. Received: "
            f"{len(config.confidence_columns)}."
        )
    parents, names, confidence = [], [], []
    for number, column in enumerate(config.label_columns):
        parent, found = _labels(sheet, column, config)
        parents.append(parent)
        names.append(found)
        confidence.append(
            _confidences(sheet, config.confidence_columns[number], parent, config)
            if config.confidence_columns
            else np.ones(len(parent), np.float32)
        )
    for column in config.absent_columns:
        parent, found = _labels(sheet, column, config)
        parents.append(parent)
        names.append(found)
        confidence.append(np.zeros(len(parent), np.float32))
    encoded = pa.concat_arrays(names).dictionary_encode()
    row = np.concatenate(parents)
    order = np.argsort(row, kind="stable")
    return _once(
        Entries(
            row[order],
            encoded.indices.to_numpy().astype(np.int64)[order],
            np.concatenate(confidence)[order],
            tuple(encoded.dictionary.to_pylist()),
            len(sheet),
        ),
        sheet,
    )


def _once(entries, sheet):
    """Leaves out repetitions, and refuses those that contradict."""
    key = entries.row * max(len(entries.names), 1) + entries.code
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    if len(first) == len(key):
        return entries
    other = entries.confidence != entries.confidence[first[inverse]]
    if other.any():
        entry = int(np.argmax(other))
        raise errors.DataError(
            "a label is stated twice in a row, and differently",
            expected="one confidence a label",
            received=entries.names[entries.code[entry]],
            **sheet.place(entries.row[entry]),
        )
    first = np.sort(first)
    return dataclasses.replace(
        entries,
        row=entries.row[first],
        code=entries.code[first],
        confidence=entries.confidence[first],
    )


def _labels(sheet, column, config):
    """Returns (int64 [entries] row, `pyarrow.StringArray` [entries] label)."""
    parent, found = _elements(sheet, column, config)
    if pa.types.is_null(found.type):
        found = found.cast(pa.string())
    if not pa.types.is_string(found.type):
        raise errors.DataError(
            f"column '{column}' holds no labels",
            expected="lists of text",
            received=f"lists of {found.type}",
            file=sheet.file,
        )
    found = pc.utf8_trim_whitespace(found.fill_null(""))
    empty = pc.equal(found, "").to_numpy(zero_copy_only=False)
    if empty.any():
        row = parent[np.argmax(empty)]
        raise errors.DataError(
            "a label is empty",
            expected=f"labels joined by '{config.label_separator}'",
            received=str(sheet.table.column(column)[row]),
            **sheet.place(row),
        )
    return parent, found


def _confidences(sheet, column, label_parent, config):
    """Returns float32 [entries]: what is said of each label of the column beside."""
    parent, found = _elements(sheet, column, config)
    stated = np.bincount(parent, minlength=len(sheet))
    expected = np.bincount(label_parent, minlength=len(sheet))
    if (stated != expected).any():
        row = int(np.argmax(stated != expected))
        raise errors.DataError(
            f"column '{column}' has not as many confidences as there are labels",
            expected=f"{expected[row]}",
            received=f"{stated[row]}: {sheet.table.column(column)[row]}",
            **sheet.place(row),
        )
    try:
        numbers = _numbers(found)
    except pa.ArrowNotImplementedError as error:
        raise errors.DataError(
            f"column '{column}' holds no confidences",
            expected="numbers from 0 to 1",
            received=f"lists of {found.type}",
            file=sheet.file,
        ) from error
    # a comparison with nan is false
    wrong = ~((numbers >= 0) & (numbers <= 1))
    if wrong.any():
        entry = int(np.argmax(wrong))
        raise errors.DataError(
            f"column '{column}' holds what is no confidence",
            expected="a number from 0 to 1",
            received=str(found[entry]),
            **sheet.place(parent[entry]),
        )
    return numbers.astype(np.float32)


def _numbers(array):
    """Returns float64 [entries], nan where there is no number."""
    if pa.types.is_string(array.type):
        array = pc.utf8_trim_whitespace(array)
        try:
            array = array.cast(pa.float64())
        except pa.ArrowInvalid:
            encoded = array.dictionary_encode()
            array = pa.array(
                [_number(text) for text in encoded.dictionary.to_pylist()], pa.float64()
            ).take(encoded.indices)
    return array.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)


def _number(text):
    try:
        return pa.scalar(text).cast(pa.float64()).as_py()
    except pa.ArrowInvalid:
        return np.nan


def _elements(sheet, column, config):
    """Returns (int64 [entries] row, Arrow array [entries]) of a column's fields."""
    lists = sheet.lists(column)
    if lists is None:
        text = sheet.text(column)
        blank = sheets.is_blank(text)
        if config.label_form == "list":
            lists = _literals(text, blank, column, sheet)
        elif config.label_separator:
            lists = pc.split_pattern(text, config.label_separator)
        else:
            lists = pa.ListArray.from_arrays(np.arange(len(text) + 1), text)
    else:
        blank = np.zeros(len(lists), bool)
    lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    parent = np.repeat(np.arange(len(lists)), lengths)
    found = lists.flatten()
    if blank.any():
        stated = ~blank[parent]
        parent, found = parent[stated], found.filter(pa.array(stated))
    if pa.types.is_dictionary(found.type):
        found = found.dictionary_decode()
    if pa.types.is_large_string(found.type) or pa.types.is_string_view(found.type):
        found = found.cast(pa.string())
    return parent, found


def _literals(text, blank, column, sheet):
    """Reads fields such as `['a', 'b']`, each distinct one once."""
    encoded = text.dictionary_encode()
    index = encoded.indices.to_numpy()
    empty = set(index[blank].tolist())
    parsed = []
    for code, field in enumerate(encoded.dictionary.to_pylist()):
        elements = [] if code in empty else list_literals.parse(field)
        if elements is None:
            raise errors.DataError(
                f"column '{column}' holds no list",
                expected="a list such as ['a', 'b']",
                received=field,
                **sheet.place(int(np.argmax(index == code))),
            )
        parsed.append(elements)
    return pa.array(parsed, pa.list_(pa.string())).take(encoded.indices)
