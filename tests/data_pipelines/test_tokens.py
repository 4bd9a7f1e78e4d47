"""Texts become numbers as a plain Python reading of them would have it."""

import collections
import json
import string

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipelines import errors, labels, tokens

TEXTS = np.array(["Red T-Shirt, men's", "red shoe", "", "Çay ÇAY Kахлo", "red  shoe"])
ALPHABET = "abcXYZ ÇÖ.,-'яЖ\t"


def words_of(text):
    """What the module says of a text, in Python."""
    bare = text.lower().translate(str.maketrans("", "", string.punctuation))
    return bare.split()


def plain_tokens(texts, words, length):
    number = {word: place for place, word in enumerate(words, start=tokens.RESERVED)}
    rows = [[number.get(word, 1) for word in words_of(text)] for text in texts]
    return np.array([(row + [0] * length)[:length] for row in rows], np.int32)


def test_words_are_the_commonest_of_training_texts():
    found = tokens.fit(TEXTS, 2, 4)
    assert found.words == ("red", "shoe") or found.words == ("red", "çay")
    counts = collections.Counter(word for text in TEXTS for word in words_of(text))
    found = tokens.fit(TEXTS, 100, 4)
    assert set(found.words) == set(counts)
    frequencies = [counts[word] for word in found.words]
    assert frequencies == sorted(frequencies, reverse=True)
    assert found == tokens.fit(TEXTS, 100, 4)


@given(st.lists(st.text(ALPHABET, max_size=12), min_size=1, max_size=6),
       st.integers(1, 4))  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_tokens_are_those_of_a_plain_reading(texts, length):
    words = ("çö", "a", "жя", "xyz", "ab")
    found, tally = tokens.Tokeniser(words, length).tokens(np.array(texts))
    np.testing.assert_array_equal(found, plain_tokens(texts, words, length))
    assert found.dtype == np.int32
    read = [words_of(text) for text in texts]
    assert tally == tokens.Tally(
        texts=len(texts),
        empty=sum(not row for row in read),
        cut=sum(len(row) > length for row in read),
        words=sum(map(len, read)),
        unknown=sum(word not in words for row in read for word in row),
    )


def test_ascii_texts_are_read_as_keras_reads_them():
    texts = ["Hello, World! it's", "a_b c-d (e)", "x"]
    tokeniser = tokens.Tokeniser(("hello", "its", "ab", "cd"), 5)
    keras_layer = keras.layers.TextVectorization(
        vocabulary=list(tokeniser.words), output_sequence_length=5
    )
    found, _ = tokeniser.tokens(np.array(texts))
    np.testing.assert_array_equal(found, keras_layer(texts))


def test_texts_are_read_in_parts_as_in_one(monkeypatch):
    tokeniser = tokens.fit(TEXTS, 100, 3)
    whole = tokeniser.tokens(TEXTS)
    monkeypatch.setattr(tokens, "_CHUNK", 2)
    parts = tokeniser.tokens(TEXTS)
    np.testing.assert_array_equal(whole[0], parts[0])
    assert whole[1] == parts[1]
    none, tally = tokeniser.tokens(TEXTS[:0])
    assert none.shape == (0, 3)
    assert tally == tokens.Tally()


def test_bytes_that_are_no_utf_8_are_read_as_unknown_words():
    tokeniser = tokens.Tokeniser(("red",), 2)
    found = tokeniser.pad(tokeniser.layer()(tf.constant([b"red \xff\xfe"])))
    np.testing.assert_array_equal(found, [[2, 1]])


def test_what_is_not_read_is_said():
    _, tally = tokens.Tokeniser(("red",), 2).tokens(TEXTS)
    assert tally.note("train", 2) == (
        "texts of train: 7 of 10 words are not in the vocabulary; of 5 texts 1 hold no "
        "word and 2 more than the 2 words that are read"
    )


def test_a_tokeniser_is_plain_json():
    tokeniser = tokens.fit(TEXTS, 100, 3)
    stored = json.loads(json.dumps(tokeniser.to_json()))
    assert tokens.Tokeniser.from_json(stored) == tokeniser


@pytest.mark.parametrize(
    "changes",
    [{"format": 9}, {"words": ["a", "a"]}, {"words": []}, {"length": 0}, {"words": 3}],
)
def test_json_of_something_else_is_refused_with_its_file(changes):
    stored = tokens.Tokeniser(("a", "b"), 3).to_json() | changes
    with pytest.raises(errors.DataError, match=r"run/text.json: not a vocabulary"):
        tokens.Tokeniser.from_json(stored, "run/text.json")


def test_texts_without_words_and_tables_without_texts_are_refused():
    for texts in ([""], ["!?", " "]):
        with pytest.raises(errors.DataError, match="no training text holds a word"):
            tokens.fit(np.array(texts), 5, 5)
    for most, length in ((0, 5), (5, 0)):
        with pytest.raises(errors.SettingError, match="at least 1"):
            tokens.fit(TEXTS, most, length)
    table = labels.LabelTable(
        ids=np.array(["a"]),
        locations=np.array(["a"]),
        labels=labels.SparseLabels.from_lists([[0]], 1),
        vocabulary=labels.Vocabulary(("x",)),
        group=np.zeros(1, np.int32),
        group_names=("all",),
        split=np.zeros(1, np.int32),
        split_names=("train",),
    )
    with pytest.raises(errors.DataError, match="text_column"):
        tokens.of_table(table)
