"""Submission and truth files of the Inclusive Images Challenge: read, write, score.

Both have two columns, an image id and space-joined label codes, and a header
`image_id,labels` or none. Reading and scoring need the standard library alone, so a
score takes no longer than starting Python.
"""

import csv
import dataclasses
import math
import pathlib

from data_pipelines import atomic, errors

HEADER = ("image_id", "labels")
CODES_HEADER = "label_code"


def read(path):
    """Reads a submission or a truth file.

    A byte order mark, CRLF line ends and empty lines at the end are accepted. A code
    that stands twice in a row counts once.

    Args:
        path: of a UTF-8 CSV file.

    Returns:
        {image id: frozenset of codes}, in the order of the file.

    Raises:
        errors.DataError: the file is missing, empty or no UTF-8 CSV; a row has not two
            fields, an empty id or an id of an earlier row; or the header is another.
    """
    return {image: frozenset(codes) for _, image, codes in _answers(path)}


def read_checked(path, trainable=None):
    """Reads a submission and looks for what a submission should not have.

    What cannot be scored is an error. What scores but must be a mistake is told.

    Args:
        path: as in `read`.
        trainable: codes that may be given; None is any.

    Returns:
        ({image id: frozenset of codes}, notes): sentences that count rows without a
        label and rows that name one twice, with the first of them.

    Raises:
        errors.DataError: as `read`, or a code is not trainable.
    """
    found, empty, repeated = {}, [], []
    for number, image, codes in _answers(path):
        unknown = [] if trainable is None else [c for c in codes if c not in trainable]
        if unknown:
            raise errors.DataError(
                f"label {unknown[0]!r} is not trainable",
                expected=f"one of {len(trainable)} codes",
                received=image,
                file=path,
                row=number,
            )
        found[image] = frozenset(codes)
        if not codes:
            empty.append((number, image))
        elif len(found[image]) < len(codes):
            repeated.append((number, image))
    notes = [
        f"{len(rows)} rows {what}, first row {rows[0][0]} ({rows[0][1]})"
        for what, rows in (
            ("have no label, which always scores 0", empty),
            ("name a label twice, which counts once", repeated),
        )
        if rows
    ]
    return found, notes


def read_codes(path):
    """Reads the codes that may be given, such as the challenge's classes-trainable.csv.

    Args:
        path: of a UTF-8 CSV file, one code a row, with the header label_code or none.

    Returns:
        frozenset of codes.

    Raises:
        errors.DataError: the file cannot be read or is empty, or a row is not one code
            that no earlier row has.
    """
    found = set()
    for number, row in _rows(path):
        if number == 1 and row == [CODES_HEADER]:
            continue
        if len(row) != 1 or row[0].split() != row or row[0] in found:
            raise errors.DataError(
                "not a list of label codes",
                expected=f"one code a row, each once, after the header {CODES_HEADER}",
                received=",".join(row),
                file=path,
                row=number,
            )
        found.add(row[0])
    if not found:
        raise errors.DataError("the file has no rows", file=path)
    return frozenset(found)


def _answers(path):
    """Yields (row, image id, list of codes); refuses what `read` refuses."""
    seen = set()
    for number, row in _rows(path):
        if number == 1 and _is_header(row, path):
            continue
        image, given = _fields(row, path, number)
        if image in seen:
            raise errors.DataError(
                "an image id stands twice", received=image, file=path, row=number
            )
        seen.add(image)
        yield number, image, given
    if not seen:
        raise errors.DataError("the file has no rows", file=path)


def _rows(path):
    """Yields (row counted from 1, list of fields); empty lines may end the file."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            blank = None
            for number, row in enumerate(csv.reader(file, strict=True), 1):
                if not row:
                    blank = blank or number
                    continue
                if blank is not None:
                    raise errors.DataError("an empty line", file=path, row=blank)
                yield number, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise errors.DataError(
            "the file cannot be read",
            expected="a UTF-8 CSV file",
            received=f"{type(error).__name__}: {error}",
            file=path,
        ) from error


def _is_header(row, path):
    if tuple(row) == HEADER:
        return True
    if row[0].strip().lower().replace("_", "") in ("imageid", "id", "image"):
        raise errors.DataError(
            "an unknown header",
            expected=f"{','.join(HEADER)}, or no header",
            received=",".join(row),
            file=path,
            row=1,
        )
    return False


def _fields(row, path, number):
    if len(row) != len(HEADER):
        raise errors.DataError(
            "a row of another number of fields",
            expected="2: image id, space-joined labels",
            received=f"{len(row)}: {','.join(row)}",
            file=path,
            row=number,
        )
    if not row[0].strip():
        raise errors.DataError("an empty image id", file=path, row=number)
    return row[0], row[1].split()


@dataclasses.dataclass(frozen=True)
class Score:
    """How a submission did.

    Args:
        per_image: {image id: F2}, in the order of the truth.
        extra: ids of the submission that are not in the truth.
        excluded: how many images of the truth were left out.
    """

    per_image: dict
    extra: tuple
    excluded: int

    @property
    def mean_f2(self):
        """The plain mean over images, correctly rounded."""
        return math.fsum(self.per_image.values()) / len(self.per_image)


def score(submission, truth, exclude=()):
    """Scores a submission: F2 = 5 TP / (4 |Y| + |Z|) an image, 0 where TP is 0.

    Args:
        submission: {image id: set of codes}.
        truth: {image id: set of codes}.
        exclude: image ids to leave out, such as the tuning set's.

    Returns:
        `Score`.

    Raises:
        errors.DataError: images of the truth are not in the submission, or none is
            left to score.
    """
    exclude = frozenset(exclude)
    scored = {image: y for image, y in truth.items() if image not in exclude}
    if not scored:
        raise errors.DataError(
            "no image is left to score", received=f"{len(truth)} images, all excluded"
        )
    missing = [image for image in scored if image not in submission]
    if missing:
        raise errors.DataError(
            "the submission lacks images of the truth",
            expected=f"{len(scored)} images",
            received=f"{len(missing)} missing, first {', '.join(missing[:3])}",
        )
    per_image = {}
    for image, present in scored.items():
        given = submission[image]
        hits = len(present & given)
        per_image[image] = 5 * hits / (4 * len(present) + len(given)) if hits else 0.0
    extra = tuple(image for image in submission if image not in truth)
    return Score(per_image, extra, len(truth) - len(scored))


def stems(paths):
    """Returns the file names of paths, without folder and last extension.

    The challenge's ids are such stems, and those of a folder's predictions are paths.

    Args:
        paths: a list of str, relative, with "/" between folders.

    Raises:
        errors.DataError: two paths have one stem, so a submission could not tell them
            apart.
    """
    path_of = {}
    for path in paths:
        stem = pathlib.PurePosixPath(path).stem
        if stem in path_of:
            raise errors.DataError(
                f"two images have the stem {stem!r}",
                expected="file names that differ without folder and extension",
                received=f"{path_of[stem]} and {path}",
            )
        path_of[stem] = path
    return list(path_of)


def write(path, answers, vocabulary, expected_images=None, fill=(), trainable=None):
    """Checks a submission and writes it, whole or not at all.

    Args:
        path: of the CSV file.
        answers: a list of (image id, sequence of codes).
        vocabulary: codes that may be given.
        expected_images: the ids to answer, in any order; None asks for none.
        fill: codes for images that would be left without any; () makes such an image
            an error, since an empty row always scores 0.
        trainable: codes that the challenge takes; None is all of the vocabulary.

    Returns:
        How many images were filled.

    Raises:
        errors.DataError: an id is empty, repeated, not expected or missing; a code is
            not in the vocabulary, not trainable or stands twice; a row is empty without
            `fill`; or a code of `fill` may not be given.
    """
    known = frozenset(vocabulary)
    expected = None if expected_images is None else frozenset(expected_images)
    rows, seen, filled = [], set(), 0
    problem = _problem_of_codes(fill, known, trainable)
    if problem:
        raise errors.DataError(
            f"images without a label cannot be filled: {problem}", file=path
        )
    for image, given in answers:
        given = list(given)
        filled += not given
        given = given or list(fill)
        problem = _problem_of(image, given, seen, expected) or _problem_of_codes(
            given, known, trainable
        )
        if problem:
            raise errors.DataError(
                problem,
                received=f"{image!r}: {' '.join(given) or 'no label'}",
                file=path,
                row=len(rows) + 2,
            )
        seen.add(image)
        rows.append((image, " ".join(given)))
    missing = sorted((expected or frozenset()) - seen)
    if missing:
        raise errors.DataError(
            "expected images have no answer",
            expected=f"{len(expected)} images",
            received=f"{len(missing)} missing, first {', '.join(missing[:3])}",
            file=path,
        )
    if not rows:
        raise errors.DataError("there is no image to write", file=path)
    atomic.write_csv(path, HEADER, rows)
    return filled


def _problem_of(image, given, seen, expected):
    if not image.strip():
        return "an empty image id"
    if image in seen:
        return "an image id stands twice"
    if expected is not None and image not in expected:
        return "an image that is not among the expected ones"
    if not given:
        return "an image without any label, which always scores 0"
    return None


def _problem_of_codes(given, known, trainable):
    if len(set(given)) != len(given):
        return "a label stands twice"
    for code in given:
        if code not in known:
            return f"label {code!r} is not in the vocabulary"
        if trainable is not None and code not in trainable:
            return f"label {code!r} is not trainable"
        if code.split() != [code]:
            return f"label {code!r} holds white space, so it cannot be written"
    return None
