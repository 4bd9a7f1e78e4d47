"""Names of labels are found in a text, the longest first, in singular and plural."""

import hypothesis
import hypothesis.strategies as st
import pytest

from data_pipelines import labels
from inclusive_tf.adaptation import label_mentions


def _names(*names):
    ids = tuple(f"/m/{number}" for number in range(len(names)))
    return label_mentions.names_of(labels.Vocabulary(ids, names))


def _found(names, text):
    return names.find(label_mentions.words(text))


def test_words_are_folded_and_parted_by_anything_but_letters_and_digits():
    assert label_mentions.words("It's a CAT_dog, straße 42!") == [
        "it", "s", "a", "cat", "dog", "strasse", "42",
    ]  # fmt: skip


def test_the_longest_name_wins_and_names_do_not_overlap():
    names = _names("Ice", "Ice cream", "Ice cream cone", "Cream", "Cone shell")
    text = "ice cream cone shell, ice cream, ice creams cream ice"
    assert _found(names, text) == ([0, 4, 6, 8, 9], [2, 1, 1, 3, 0])


def test_a_long_name_that_breaks_off_gives_way_to_the_shorter_one():
    names = _names("Sea", "Sea lion pup show", "Lion")
    assert _found(names, "a sea lion pup") == ([1, 2], [0, 2])
    assert _found(names, "pup show sea") == ([2], [0])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dog", "dogs"), ("Box", "boxes"), ("Church", "churches"), ("Bus", "buses"),
        ("Berry", "berries"), ("Toy", "toys"), ("Trousers", "trouser"),
        ("Glasses", "glass"), ("Berries", "berry"), ("Paddy field", "paddy fields"),
    ],
)  # fmt: skip
def test_plurals_are_found(name, text):
    assert _found(_names(name), text)[1] == [0]


def test_a_plural_that_is_another_label_is_that_label():
    names = _names("Glass", "Glasses")
    assert _found(names, "glass glasses")[1] == [0, 1]


def test_names_that_labels_share_are_not_looked_for_and_counted():
    names = _names("Crane (bird)", "Crane (machine)", "Dog", "(?)")
    assert _found(names, "crane cranes dog")[1] == [2]
    assert names.notes == (
        "1 labels have no word in their name",
        "2 labels share their name with another",
    )


def test_a_plural_of_two_labels_is_neither():
    names = _names("Bases", "Bas", "Dog")
    # "base" of the first, "bas" is the second's own
    assert _found(names, "bas base dog")[1] == [1, 0, 2]
    assert _found(_names("Axis", "Axi"), "axis axi")[1] == [0, 1]
    # may be two of either
    assert _found(_names("Boxe", "Box"), "boxes boxe")[1] == [0]


def test_windows_cut_a_document_in_stretches():
    names = _names("Cat", "Dog")
    text = "cat and dog and a tree and a dog or dog"
    assert names.rows(text, 0) == (11, [[0, 1]])
    assert names.rows(text, 3) == (11, [[0, 1], [], [1], [1]])
    assert names.rows("", 3) == (0, [[]])
    assert names.rows("", 0) == (0, [[]])


_word = st.sampled_from(["a", "b", "c", "d"])


@hypothesis.given(
    st.lists(
        st.lists(_word, min_size=1, max_size=3).map(tuple), min_size=1, unique=True
    ),
    st.lists(_word, max_size=30),
)
@hypothesis.settings(max_examples=150, deadline=None)
def test_what_is_found_is_what_a_plain_search_finds(names, text):
    expected, at = [], 0
    while at < len(text):
        for length in (3, 2, 1):
            piece = tuple(text[at : at + length])
            if len(piece) == length and piece in names:
                expected.append((at, names.index(piece)))
                at += length
                break
        else:
            at += 1
    found = _names(*map(" ".join, names)).find(text)
    assert list(zip(*found, strict=True)) == expected
