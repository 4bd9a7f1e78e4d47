"""Associations as a folder: associations.json, associations.npz and pairs.csv.

The JSON names the vocabulary, its hash and the SHA-256 of the arrays; pairs.csv has the
strongest pairs for people and is not read back.
"""

import pathlib

import numpy as np
import scipy.sparse

from data_pipelines import atomic, errors, labels, stored_files, strict_csv
from inclusive_tf.adaptation import associations as associations_module

FORMAT = 1
_FACTS, _ARRAYS, _PAIRS = "associations.json", "associations.npz", "pairs.csv"
_LISTED = 10_000


def save(folder, associations):
    """Writes the folder, whole or not at all.

    Args:
        folder: path.
        associations: `associations.Associations`.
    """
    weights, vocabulary = associations.weights, associations.vocabulary
    with atomic.folder(folder) as temporary:
        with open(temporary / _ARRAYS, "wb") as file:
            np.savez_compressed(
                file,
                allow_pickle=False,
                offsets=weights.indptr.astype(np.int64),
                index=weights.indices.astype(np.int32),
                weight=weights.data.astype(np.float32),
                together=associations.together.astype(np.int64),
                label=associations.label.astype(np.int64),
                counted_ids=np.asarray(associations.counted_ids, str),
            )
        atomic.write_csv(temporary / _PAIRS, *pair_rows(associations, _LISTED))
        facts = {
            "format": FORMAT,
            "measure": associations.measure,
            "shrinkage": associations.shrinkage,
            "images": associations.images,
            "source": associations.source,
            "notes": list(associations.notes),
            "vocabulary": vocabulary.to_json(),
            "sha256": {_ARRAYS: atomic.sha256(temporary / _ARRAYS)},
        }
        atomic.write_json(temporary / _FACTS, facts)


def load(folder):
    """Reads what `save` wrote.

    Args:
        folder: path.

    Returns:
        `associations.Associations`.

    Raises:
        errors.DataError: the folder is missing, of another format, changed or
            inconsistent.
    """
    folder = pathlib.Path(folder)
    with stored_files.reading(
        folder, "not a folder of associations", "a folder that `tools.associate` wrote"
    ):
        facts = stored_files.read_json(folder / _FACTS)
        if facts["format"] != FORMAT:
            raise errors.DataError(
                "associations of another format",
                expected=f"format {FORMAT}",
                received=facts["format"],
                file=folder,
            )
        if atomic.sha256(folder / _ARRAYS) != facts["sha256"][_ARRAYS]:
            raise errors.DataError(
                f"the file does not match its sum in {_FACTS}", file=folder / _ARRAYS
            )
        arrays = stored_files.read_archive(folder / _ARRAYS)
        vocabulary = labels.Vocabulary.from_json(facts["vocabulary"], folder / _FACTS)
        entries = arrays["weight"], arrays["index"], arrays["offsets"]
        return associations_module.Associations(
            weights=scipy.sparse.csr_array(entries, (len(vocabulary),) * 2),
            together=arrays["together"],
            label=arrays["label"],
            images=facts["images"],
            vocabulary=vocabulary,
            measure=facts["measure"],
            shrinkage=facts["shrinkage"],
            counted_ids=arrays["counted_ids"],
            source=facts["source"],
            notes=tuple(facts["notes"]),
        )


def pair_rows(associations, count):
    """The strongest pairs as a table.

    Args:
        associations: `associations.Associations`.
        count: how many at most.

    Returns:
        (header, list of rows of strings): ids and names of both labels, the weight, how
        often both come, and how often each.
    """
    header = ("label", "name", "other_label", "other_name", "weight", "together")
    ids, names = associations.vocabulary.ids, associations.vocabulary.names
    counted = associations.label
    rows = [
        (*map(strict_csv.for_people, (ids[one], names[one], ids[other], names[other])),
         f"{weight:.4f}", f"{seen}", f"{counted[one]}", f"{counted[other]}")
        for one, other, weight, seen in associations.strongest(count)
    ]  # fmt: skip
    return (*header, "count", "other_count"), rows
