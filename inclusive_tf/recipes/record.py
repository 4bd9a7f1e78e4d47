"""What is kept of a recipe that was run: small, and enough to make every figure again.

The labels that were given to each image are packed into bits, and the most likely
labels of each image into small numbers; truth is not kept, but a digest of it is, so
that figures are made from these and the data set, on any machine.
"""

import base64
import dataclasses
import hashlib
import zlib

import numpy as np

from data_pipelines import atomic, errors, stored_files

FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a recipe answered to one split of N images and C labels.

    Args:
        given: bool [N, C], the labels that were given.
        ranking: int64 [N, k], the most likely labels of each image, best first.
        digest: of the questions (`digest`).
    """

    given: np.ndarray
    ranking: np.ndarray
    digest: str


@dataclasses.dataclass(frozen=True)
class Record:
    """One recipe with one seed.

    Args:
        recipe: its name.
        seed: its seed.
        flags: digest of the flags it was made with.
        answers: {split: `Answer`}.
        training_counts: int64 [C], images that showed each label in training.
        tuning: {"mean_f2", "estimate"} on the images that were fitted on, or {}.
        cost: {"seconds": of training, "images": trained on, "parameters", "members"}.
        versions: {package: version}.
    """

    recipe: str
    seed: int
    flags: str
    answers: dict
    training_counts: np.ndarray
    tuning: dict
    cost: dict
    versions: dict


def digest(ids, truth, group, vocabulary):
    """Returns the SHA-256, as hex, of what is asked: images, labels and groups.

    The labels of an image are a set: their order does not count.
    """
    found = hashlib.sha256(vocabulary.hash.encode())
    found.update(
        "\0".join(np.asarray(ids, str).tolist()).encode("utf-8", "surrogatepass")
    )
    order = np.lexsort((truth.index, truth.rows()))
    stated = truth.index[order], truth.confidence[order]
    for values in (truth.offsets, *stated, group):
        found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def write(path, record):
    """Writes a record as JSON, whole or not at all."""
    answers = {
        split: {
            "digest": answer.digest,
            "images": len(answer.given),
            "labels": answer.given.shape[1],
            "ranked": answer.ranking.shape[1],
            "given": _pack(np.packbits(answer.given, axis=1)),
            "ranking": _pack(answer.ranking.astype("<u2")),
        }
        for split, answer in record.answers.items()
    }
    atomic.write_json(
        path,
        {
            "format": FORMAT,
            "recipe": record.recipe,
            "seed": record.seed,
            "flags": record.flags,
            "answers": answers,
            "training_counts": np.asarray(record.training_counts).tolist(),
            "tuning": record.tuning,
            "cost": record.cost,
            "versions": record.versions,
        },
    )


def read(path):
    """Reads a record.

    Raises:
        errors.DataError: not a record, or one of another format.
    """
    with stored_files.reading(
        path, "not the record of a recipe", "a file that tools.recipe wrote"
    ):
        stored = stored_files.read_json(path)
        if stored.pop("format") != FORMAT:
            raise errors.DataError(
                "a record of another format",
                expected=f"format {FORMAT}",
                file=path,
            )
        stored["answers"] = {
            split: _answer(**answer) for split, answer in stored["answers"].items()
        }
        stored["training_counts"] = np.array(stored["training_counts"], np.int64)
        return Record(**stored)


def _answer(digest, images, labels, ranked, given, ranking):
    bits = _unpack(given, np.uint8).reshape(images, -1)
    return Answer(
        np.unpackbits(bits, axis=1, count=labels).astype(bool),
        _unpack(ranking, "<u2").reshape(images, ranked).astype(np.int64),
        digest,
    )


def _pack(array):
    return base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()


def _unpack(text, dtype):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype)
