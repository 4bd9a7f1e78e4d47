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
    found = {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            blank = None
            for number, row in enumerate(csv.reader(file, strict=True), 1):
                if not row:
                    blank = blank or number
                    continue
                if blank is not None:
                    raise errors.DataError("an empty line", file=path, row=blank)
                if number == 1 and _is_header(row, path):
                    continue
                image, given = _fields(row, path, number)
                if image in found:
                    raise errors.DataError(
                        "an image id stands twice",
                        received=image,
                        file=path,
                        row=number,
                    )
                found[image] = given
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise errors.DataError(
            "the file cannot be read",
            expected="a UTF-8 CSV file",
            received=f"{type(error).__name__}: {error}",
            file=path,
        ) from error
    if not found:
        raise errors.DataError("the file has no rows", file=path)
    return found


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
    return row[0], frozenset(row[1].split())


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


def write(path, answers, vocabulary, expected_images=None, fill=()):
    """Checks a submission and writes it, whole or not at all.

    Args:
        path: of the CSV file.
        answers: a list of (image id, sequence of codes).
        vocabulary: codes that may be given.
        expected_images: the ids to answer, in any order; None asks for none.
        fill: codes for images that would be left without any; () makes such an image
            an error, since an empty row always scores 0.

    Returns:
        How many images were filled.

    Raises:
        errors.DataError: an id is empty, repeated, not expected or missing; a code is
            not in the vocabulary or stands twice; or a row is empty without `fill`.
    """
    known = frozenset(vocabulary)
    expected = None if expected_images is None else frozenset(expected_images)
    rows, seen, filled = [], set(), 0
    for image, given in answers:
        given = list(given)
        filled += not given
        given = given or list(fill)
        problem = _problem_of(image, given, seen, known, expected)
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
        )
    if not rows:
        raise errors.DataError("there is no image to write", file=path)
    atomic.write_csv(path, HEADER, rows)
    return filled


def _problem_of(image, given, seen, known, expected):
    if not image.strip():
        return "an empty image id"
    if image in seen:
        return "an image id stands twice"
    if expected is not None and image not in expected:
        return "an image that is not among the expected ones"
    if not given:
        return "an image without any label, which always scores 0"
    if len(set(given)) != len(given):
        return "a label stands twice"
    for code in given:
        if code not in known:
            return f"label {code!r} is not in the vocabulary"
        if code.split() != [code]:
            return f"label {code!r} holds white space, so it cannot be written"
    return None
