"""Associations of a data set or of a corpus, counted and measured in one go."""

import numpy as np

from data_pipelines import datasets, errors
from inclusive_tf.adaptation import associations, corpora, label_mentions


def in_splits(data, splits, vocabulary=None, measure="ppmi", shrinkage=0.5):
    """Counts the labels of splits of a data set.

    Args:
        data: `datasets.DataConfig`.
        splits: names.
        vocabulary: `labels.Vocabulary` to read the data for; None is the data's own.
        measure: one of `associations.MEASURES`.
        shrinkage: k, in images.

    Returns:
        `associations.Associations`.

    Raises:
        errors.DataError: whatever is wrong with the data, or no label is shown.
        errors.SettingError: no split, or a setting out of its range.
    """
    if not splits:
        raise errors.SettingError("expected at least one split; received none")
    table, notes = datasets.read_labels(data, vocabulary)
    numbers = [table.split_index(name) for name in splits]
    table = table.take(np.isin(table.split, numbers))
    counts = associations.count(table.labels, table.unlisted_is_absent)
    source = {"dataset": data.dataset, "splits": list(splits)}
    return _measured(
        counts, table.vocabulary, measure, shrinkage, table.ids, source, notes
    )


def in_corpus(config, vocabulary, measure="ppmi", shrinkage=0.5, progress=False):
    """Counts the names of labels in a text corpus.

    Args:
        config: `corpora.CorpusConfig`.
        vocabulary: `labels.Vocabulary`; its names are looked for.
        measure: one of `associations.MEASURES`.
        shrinkage: k, in documents.
        progress: whether to show a bar on the standard error stream.

    Returns:
        `associations.Associations`.

    Raises:
        errors.DataError: a file cannot be read, or no name is found.
        errors.MissingExtraError: a dump, and gensim is not installed.
        errors.SettingError: a setting is out of its range.
    """
    names, tally = label_mentions.names_of(vocabulary), corpora.Tally()
    chunks = corpora.mentions(config, names, tally, progress)
    counts = associations.count_chunks(chunks, len(vocabulary))
    source = {
        "corpus": [str(path) for path in config.paths],
        "documents": tally.documents,
        "window": config.window,
        "min_words": config.min_words,
    }
    notes = [*names.notes, *tally.notes()]
    return _measured(counts, vocabulary, measure, shrinkage, (), source, notes)


def vocabulary_of(data):
    """Returns the `labels.Vocabulary` of a data set (`datasets.DataConfig`)."""
    table, _ = datasets.read_labels(data)
    return table.vocabulary


def lines(found, count):
    """What was found, a line each.

    Args:
        found: `associations.Associations`.
        count: how many of the strongest pairs.

    Returns:
        list of str.
    """
    names = found.vocabulary.names
    unit = "documents or stretches" if "corpus" in found.source else "images"
    said = [f"note: {note}" for note in found.notes]
    for one, other, weight, together in found.strongest(count):
        said.append(f"{weight:6.2f} {together:8,}  {names[one]} + {names[other]}")
    seen = int(np.count_nonzero(found.label))
    associated = int(np.count_nonzero(np.diff(found.weights.indptr)))
    said.append(
        f"{found.images:,} {unit}; {seen:,} of {len(names):,} labels seen, "
        f"{associated:,} with associations, {found.weights.nnz // 2:,} pairs"
    )
    return said


def _measured(counts, vocabulary, measure, shrinkage, ids, source, notes):
    if not counts.label.any():
        raise errors.DataError(
            "no label was found",
            expected="images that show labels, or a corpus that names them",
            received=f"{counts.images} without",
        )
    weights, together = associations.measure(counts, measure, shrinkage)
    return associations.Associations(
        weights=weights,
        together=together,
        label=counts.label,
        images=counts.images,
        vocabulary=vocabulary,
        measure=measure,
        shrinkage=float(shrinkage),
        counted_ids=np.asarray(ids, str),
        source=source,
        notes=tuple(notes),
    )
