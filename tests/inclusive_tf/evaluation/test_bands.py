"""Head, middle and tail are thirds by rank, whatever the order of the vocabulary."""

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf.evaluation import bands


def _ids(counts):
    vocabulary = labels.Vocabulary(tuple(counts))
    found = bands.bands(np.array(list(counts.values())), vocabulary)
    return {band.name: [vocabulary.ids[k] for k in band.labels] for band in found}


def test_labels_are_split_in_thirds_by_training_count():
    counts = {"a": 1, "b": 50, "c": 9, "d": 100, "e": 2, "f": 10}
    expected = {"head": ["d", "b"], "middle": ["f", "c"], "tail": ["e", "a"]}
    assert _ids(counts) == expected


def test_equal_counts_go_by_id_in_any_order_of_the_vocabulary():
    counts = dict.fromkeys("gfedcba", 3)
    expected = {"head": ["a", "b", "c"], "middle": ["d", "e"], "tail": ["f", "g"]}
    assert _ids(counts) == expected
    assert _ids(dict(reversed(counts.items()))) == expected


def test_labels_never_seen_are_a_band_of_their_own():
    assert _ids({"a": 5, "b": 0, "c": 2, "d": 1})["unseen"] == ["b"]
    assert "unseen" not in _ids({"a": 5, "c": 2, "d": 1})
    assert _ids({"a": 5, "b": 0}) == {
        "head": ["a"],
        "middle": [],
        "tail": [],
        "unseen": ["b"],
    }


def test_counts_of_another_length_are_refused():
    with pytest.raises(errors.DataError, match="counts"):
        bands.bands(np.ones(2), labels.Vocabulary(("a",)))
