"""The vocabulary that training rows make, and what becomes of labels outside it."""

import numpy as np

from data_pipelines import errors, labels
from data_pipelines.sources import sheets, splits


def display_names(path):
    """Returns {label: display name} of a CSV `label,name`; an empty path means none.

    Raises:
        errors.DataError: the file has fewer than two columns, names a label twice and
            differently, or cannot be read.
    """
    if not path:
        return {}
    sheet = sheets.read(path)
    if len(sheet.columns) < 2:
        raise errors.DataError(
            "a file of names has two columns",
            expected="label,name",
            received=",".join(sheet.columns),
            file=path,
            row=1,
        )
    first, second = (sheet.text(column).to_pylist() for column in sheet.columns[:2])
    names = {}
    for row, (label, name) in enumerate(zip(first, second, strict=True)):
        if names.setdefault(label, name) != name:
            raise errors.DataError(
                "a label is named twice, and differently",
                expected=f"'{names[label]}', as before",
                received=f"{label},{name}",
                **sheet.place(row),
            )
    return names


def known_in_training(entries, in_training):
    """Returns bool [labels]: which labels some training row states as present.

    Args:
        entries: `label_fields.Entries` of N rows.
        in_training: bool [N].
    """
    known = np.zeros(len(entries.names), bool)
    known[entries.code[(entries.confidence > 0) & in_training[entries.row]]] = True
    return known


def of_training(entries, in_training, unseen_labels, names, place, file=None):
    """Makes the vocabulary: labels of the training rows, sorted, then unseen ones.

    A label that is stated nowhere but as absent is in no vocabulary: nothing could be
    learnt of it.

    Args:
        entries: `label_fields.Entries` of N rows.
        in_training: bool [N].
        unseen_labels: `error` to refuse labels that no training row shows, `keep` to
            put them at the end, where they count as missed.
        names: {label: display name}; others are named by their id.
        place: function from a row to {"file", "row"}, for the error.
        file: for an error of no row.

    Returns:
        `labels.Vocabulary`.

    Raises:
        errors.DataError: an unseen label is refused, or there is no label at all.
    """
    known = known_in_training(entries, in_training)
    unseen = np.zeros(len(entries.names), bool)
    unseen[entries.code[entries.confidence > 0]] = True
    unseen &= ~known
    if unseen.any() and unseen_labels == "error":
        entry = np.argmax(unseen[entries.code] & (entries.confidence > 0))
        raise errors.DataError(
            f"{int(unseen.sum())} label(s) never seen in split 'train'",
            expected="labels of the training rows, or --unseen_labels=keep to count "
            "them as missed",
            received=entries.names[entries.code[entry]],
            **place(entries.row[entry]),
        )
    stated = np.array(entries.names, dtype=object)
    ids = sorted(stated[known]) + sorted(stated[unseen])
    if not ids:
        raise errors.DataError("no row has a label", file=file)
    return labels.Vocabulary(ids, [names.get(label) or label for label in ids])


def refuse_unknown(entries, vocabulary, place):
    """Refuses data that show a label which a trained model does not know.

    Args:
        entries: `label_fields.Entries`.
        vocabulary: `labels.Vocabulary` of the model.
        place: function from a row to {"file", "row"}, for the error.

    Raises:
        errors.DataError: a label is not in the vocabulary.
    """
    ids = set(vocabulary.ids)
    strange = np.array([name not in ids for name in entries.names] + [False])
    strange = strange[entries.code] & (entries.confidence > 0)
    if strange.any():
        entry = int(np.argmax(strange))
        raise errors.DataError(
            "the model does not know a label",
            expected=f"one of its {len(ids)} labels",
            received=entries.names[entries.code[entry]],
            **place(entries.row[entry]),
        )


def note_of_lost(count):
    """Returns a list of the sentence on so many statements left out, if any."""
    if not count:
        return []
    return [f"{count:,} statements of absence, of labels not learnt, were left out"]


def settle(entries, split, config, place, file, vocabulary=None, names=None):
    """Makes the vocabulary, or holds the data to that of a model.

    Args:
        entries: `label_fields.Entries` of N rows.
        split: str [N].
        config: has `unseen_labels` and `names`.
        place: function from a row to {"file", "row"}, for errors.
        file: for errors of no row.
        vocabulary: `labels.Vocabulary` of a trained model; None makes one.
        names: {label: display name} where `config.names` says nothing.

    Returns:
        (`labels.Vocabulary`, `labels.SparseLabels`, list of sentences that count the
        statements left out).

    Raises:
        errors.DataError: as of `of_training` and `refuse_unknown`, or no row is in
            split `train` although a vocabulary is to be made.
    """
    if vocabulary is None:
        splits.require_training(split, file)
        vocabulary = of_training(
            entries,
            split == "train",
            config.unseen_labels,
            (names or {}) | display_names(config.names),
            place,
            file,
        )
    else:
        refuse_unknown(entries, vocabulary, place)
    sparse = entries.sparse(vocabulary)
    return vocabulary, sparse, note_of_lost(len(entries.code) - len(sparse.index))
