"""The small files: class lists, class descriptions, truths and sample answers."""

import csv
import re

from data_pipelines import errors, text_files

_CODE_HEADERS = ("label_code", "labelname")
_TEST_ID = re.compile("[0-9a-f]{24}")
_TEST_ID_EXPECTED = "24 characters of 0-9 and a-f"
_ANSWER_HEADER = ["image_id", "labels"]


def _records(path):
    """Yields (row, fields) of a CSV file; empty lines count as rows and are left out.

    Raises:
        errors.DataError: the file is missing, empty, no UTF-8 or no CSV.
    """
    row, empty = 1, True
    with (
        text_files.reading(path, lambda: row),
        open(path, newline="", encoding="utf-8-sig") as file,
    ):
        reader = csv.reader(file, strict=True)
        for fields in reader:
            if fields:
                empty = False
                yield row, fields
            row = reader.line_num + 1
    if empty:
        raise errors.DataError("the file is empty", file=path)


def _coded_records(path, fields_expected):
    """Yields (row, fields) of a file of codes, without its header if it has one.

    Class lists are published with a header (`label_code`, `LabelName`) and without.
    """
    seen = {}
    for number, (row, fields) in enumerate(_records(path)):
        code = fields[0]
        if not number and code.strip().lower() in _CODE_HEADERS:
            continue
        if not number and not code.startswith("/"):
            raise errors.DataError(
                "the first row is neither a header nor a label's code",
                expected=f"{' or '.join(_CODE_HEADERS)}, or a code such as /m/0k4j",
                received=",".join(fields),
                file=path,
                row=row,
            )
        if len(fields) != fields_expected:
            raise errors.DataError(
                "a row has another number of fields",
                expected=str(fields_expected),
                received=f"{len(fields)}: {','.join(fields)}",
                file=path,
                row=row,
            )
        if code.split() != [code]:
            raise errors.DataError(
                "a label's code is empty or holds white space",
                received=repr(code),
                file=path,
                row=row,
            )
        if code in seen:
            raise errors.DataError(
                f"a label's code stands twice (first in row {seen[code]})",
                received=code,
                file=path,
                row=row,
            )
        seen[code] = row
        yield row, fields
    if not seen:
        raise errors.DataError("the file has a header but no rows", file=path)


def read_codes(path):
    """Returns the label codes of a file with one column, in its order.

    Args:
        path: of `classes-trainable.csv`, with or without a header.

    Raises:
        errors.DataError: the file cannot be used; a code is empty or repeated.
    """
    return [fields[0] for _, fields in _coded_records(path, 1)]


def read_descriptions(path):
    """Returns {label code: display name}; several codes may have one name.

    Args:
        path: of a file of two columns, with a header (the challenge's, and Open Images
            from V6 on, whose second title ends in a space) or without (up to V5).

    Raises:
        errors.DataError: the file cannot be used; a code is empty or repeated.
    """
    return {fields[0]: fields[1] for _, fields in _coded_records(path, 2)}


def read_truth(path):
    """Returns {test image id: (row of the file, tuple of distinct label codes)}.

    Args:
        path: of `tuning_labels.csv` or `stage_1_solutions.csv`: no header, an id and
            its codes joined by spaces.

    Raises:
        errors.DataError: the file cannot be used; there is a header; an id is not 24
            hex digits or stands twice; an image has no label.
    """
    found = {}
    for row, fields in _records(path):
        _check_pair(path, row, fields)
        if not found and _is_title(fields[0]):
            raise errors.DataError(
                "there is a header, and this file has none",
                expected="an image id and its labels",
                received=",".join(fields),
                file=path,
                row=row,
            )
        _check_test_id(path, row, fields[0], found)
        codes = tuple(dict.fromkeys(fields[1].split()))
        if not codes:
            raise errors.DataError(
                "an image has no label",
                expected="label codes joined by spaces",
                received=",".join(fields),
                file=path,
                row=row,
            )
        found[fields[0]] = row, codes
    return found


def read_answered_ids(path):
    """Returns the image ids of a sample submission, in its order.

    Args:
        path: of a file with the header `image_id,labels`.

    Raises:
        errors.DataError: the file cannot be used; an id is not 24 hex digits or stands
            twice.
    """
    found = {}
    for number, (row, fields) in enumerate(_records(path)):
        _check_pair(path, row, fields)
        if not number:
            if [field.strip() for field in fields] != _ANSWER_HEADER:
                raise errors.DataError(
                    "there is no header",
                    expected=",".join(_ANSWER_HEADER),
                    received=",".join(fields),
                    file=path,
                    row=row,
                )
            continue
        _check_test_id(path, row, fields[0], found)
        found[fields[0]] = row, ()
    return list(found)


def _check_pair(path, row, fields):
    if len(fields) != 2:
        raise errors.DataError(
            "a row has another number of fields",
            expected="2: an image id and its labels, joined by spaces",
            received=f"{len(fields)}: {','.join(fields)}",
            file=path,
            row=row,
        )


def _is_title(field):
    return field.strip().lower().replace("_", "") in ("imageid", "id", "image")


def _check_test_id(path, row, image, found):
    if not _TEST_ID.fullmatch(image):
        raise errors.DataError(
            "an image id cannot be used",
            expected=_TEST_ID_EXPECTED,
            received=repr(image),
            file=path,
            row=row,
        )
    if image in found:
        raise errors.DataError(
            f"an image id stands twice (first in row {found[image][0]})",
            expected="one row an image",
            received=image,
            file=path,
            row=row,
        )
