"""What is written of images as numbers of words, for models that read text.

A text is lower-cased, stripped of punctuation and split at spaces, inside TensorFlow's
graph, so that training, prediction and the exported model cut it alike. Number 0 is
padding, 1 any word that the vocabulary lacks, and the vocabulary's words follow, the
most frequent first.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from data_pipelines import errors

RESERVED = 2
"""Numbers that are no word of the vocabulary: padding and unknown."""

FORMAT = 1
_UNKNOWN = 1
_CHUNK = 1 << 16


def standardise(texts):
    """Returns string tensors in lower case without ASCII punctuation.

    As Keras' `lower_and_strip_punctuation`, but letters beyond ASCII have a lower case
    as well, and bytes that are no UTF-8 become the replacement character.
    """
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf.strings.lower(texts, encoding="utf-8")
    return tf.strings.regex_replace(texts, r"[[:punct:]]", "")


@dataclasses.dataclass(frozen=True)
class Tokeniser:
    """A vocabulary of words and how many of a text are read.

    Args:
        words: the vocabulary, most frequent first; unique, none empty.
        length: L, words read of a text.

    Raises:
        errors.SettingError: there is no word, or the length is below 1.
    """

    words: tuple
    length: int

    def __post_init__(self):
        object.__setattr__(self, "words", tuple(self.words))
        if not self.words or self.length < 1:
            raise errors.SettingError(
                "A tokeniser needs words to know and to read. Expected: at least 1 of "
                f"each. Received: {len(self.words)} and {self.length}."
            )

    @property
    def size(self):
        """Numbers that a token can have: the words and `RESERVED`."""
        return len(self.words) + RESERVED

    def layer(self):
        """Returns a `keras.layers.TextVectorization`: string [B] → ragged int64."""
        layer = keras.layers.TextVectorization(
            standardize=standardise, ragged=True, vocabulary=list(self.words)
        )
        # an export takes only layers that have been called
        layer(tf.constant([""]))
        return layer

    def pad(self, ragged):
        """Returns int32 [B, L] of what `layer` gives: the first L words, or padded."""
        return tf.cast(ragged.to_tensor(shape=(None, self.length)), tf.int32)

    def tokens(self, texts):
        """Reads texts, all in one pass.

        Args:
            texts: str [N].

        Returns:
            (int32 [N, L], `Tally`).
        """
        layer, found, tally = self.layer(), [], Tally()
        for start in range(0, len(texts), _CHUNK):
            chunk = _encoded(texts[start : start + _CHUNK])
            ragged = layer(tf.constant(chunk))
            lengths = ragged.row_lengths().numpy()
            tally += Tally(
                texts=len(chunk),
                empty=int(np.count_nonzero(lengths == 0)),
                cut=int(np.count_nonzero(lengths > self.length)),
                words=int(lengths.sum()),
                unknown=int(np.count_nonzero(ragged.flat_values == _UNKNOWN)),
            )
            found.append(self.pad(ragged).numpy())
        empty = np.zeros((0, self.length), np.int32)
        return np.concatenate([empty, *found]), tally

    def to_json(self):
        """Returns what JSON can hold, for `from_json`."""
        return {"format": FORMAT, "length": self.length, "words": list(self.words)}

    @classmethod
    def from_json(cls, stored, file=None):
        """Returns the tokeniser that was stored.

        Args:
            stored: what `to_json` gave.
            file: where it was read, for the error.

        Raises:
            errors.DataError: it is something else.
        """
        try:
            if stored["format"] != FORMAT:
                raise ValueError(f"format {stored['format']}")
            if len(set(stored["words"])) < len(stored["words"]):
                raise ValueError("a word stands twice")
            return cls(stored["words"], stored["length"])
        except (KeyError, TypeError, ValueError) as error:
            raise errors.DataError(
                "not a vocabulary of words",
                expected=f"what a training wrote, format {FORMAT}",
                received=f"{type(error).__name__}: {error}",
                file=file,
            ) from error


@dataclasses.dataclass(frozen=True)
class Tally:
    """What was read of texts, and what was not.

    Args:
        texts: texts.
        empty: of these, without a word.
        cut: of these, with more words than are read.
        words: words of all.
        unknown: of these, not in the vocabulary.
    """

    texts: int = 0
    empty: int = 0
    cut: int = 0
    words: int = 0
    unknown: int = 0

    def __add__(self, other):
        mine, others = dataclasses.astuple(self), dataclasses.astuple(other)
        return Tally(*(one + two for one, two in zip(mine, others, strict=True)))

    def note(self, what, length):
        """Returns a sentence.

        Args:
            what: whose texts, such as "train".
            length: words read of a text.
        """
        return (
            f"texts of {what}: {self.unknown:,} of {self.words:,} words are not in the "
            f"vocabulary; of {self.texts:,} texts {self.empty:,} hold no word and "
            f"{self.cut:,} more than the {length} words that are read"
        )


def fit(texts, most, length):
    """Learns the vocabulary of training texts.

    Args:
        texts: str [N], of the training split only.
        most: words to keep, the most frequent; equals last by sort order, high to low,
            as `keras.layers.TextVectorization.adapt` has it.
        length: words to read of a text.

    Returns:
        `Tokeniser`.

    Raises:
        errors.DataError: no text holds a word.
        errors.SettingError: `most` or `length` is below 1.
    """
    if most < 1:
        raise errors.SettingError(
            f"A vocabulary has at least 1 word. Expected: 1 or more. Received: {most}."
        )
    layer = keras.layers.TextVectorization(most + RESERVED, standardise, ragged=True)
    encoded = _encoded(texts)
    # an adaptation to no word at all fails inside Keras
    if not any(text.strip() for text in encoded):
        raise _no_word()
    layer.adapt(tf.data.Dataset.from_tensor_slices(encoded).batch(_CHUNK))
    words = layer.get_vocabulary(include_special_tokens=False)
    words = [str(word) for word in words if word]
    if not words:
        raise _no_word()
    return Tokeniser(words, length)


def of_table(table):
    """Returns str [N]: the texts of a label table.

    Raises:
        errors.DataError: it has none.
    """
    if table.text is None:
        raise errors.DataError(
            "the data say nothing of the images in words",
            expected="a column of text, such as --text_column=title",
            received="none",
        )
    return table.text


def _encoded(texts):
    """Returns a list of bytes: an array would give all the longest one's width."""
    return [str(text).encode("utf-8", "replace") for text in texts]


def _no_word():
    return errors.DataError(
        "no training text holds a word", expected="texts to learn a vocabulary of"
    )
