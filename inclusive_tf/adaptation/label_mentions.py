"""Where a text names labels: names as words, and one pass over the words of a text.

Words are runs of letters and digits, case folded; everything else separates them. A
name is its words without what stands in brackets. It is found in the plural too, by its
last word: "s", "es" after s, x, z, ch and sh, "ies" for y after a consonant, and back
from a name that is a plural itself. The longest name wins, and names do not overlap:
"ice cream cone" is no "ice cream". What a word means is not looked at.
"""

import dataclasses
import re

_WORD = re.compile(r"[^\W_]+")
_BRACKETS = re.compile(r"\([^()]*\)")
_END = ""
"""Key of a trie's node under which the label stands: no word is empty."""


def words(text):
    """Returns the words of a text, case folded."""
    return _WORD.findall(text.casefold())


@dataclasses.dataclass(frozen=True)
class Names:
    """Names of labels, ready to be looked for.

    Args:
        trie: {word: {word: ... {"": label}}}.
        num_classes: C.
        notes: sentences that count the labels that are not looked for, and why.
    """

    trie: dict
    num_classes: int
    notes: tuple = ()

    def find(self, text):
        """Finds labels in a list of words.

        Args:
            text: list of words, as `words` gives them.

        Returns:
            (positions, labels), two lists: the word at which each mention starts.
        """
        positions, found, root = [], [], self.trie
        at, size = 0, len(text)
        while at < size:
            node = root.get(text[at])
            if node is None:
                at += 1
                continue
            label, end = node.get(_END), at + 1
            ahead = end
            while ahead < size and (node := node.get(text[ahead])) is not None:
                ahead += 1
                if _END in node:
                    label, end = node[_END], ahead
            if label is None:
                at += 1
                continue
            positions.append(at)
            found.append(label)
            at = end
        return positions, found

    def rows(self, text, window):
        """Finds which labels each stretch of a text names.

        Args:
            text: str, one document.
            window: words a stretch; 0 takes the document as a whole. A name belongs
                where it starts.

        Returns:
            (how many words, list of sorted lists of labels, one a stretch).
        """
        split = words(text)
        positions, found = self.find(split)
        if not window:
            return len(split), [sorted(set(found))]
        stretches = [set() for _ in range(max(1, -(-len(split) // window)))]
        for position, label in zip(positions, found, strict=True):
            stretches[position // window].add(label)
        return len(split), [sorted(stretch) for stretch in stretches]


def names_of(vocabulary):
    """Makes the names of a vocabulary ready.

    A name that several labels have says which is meant of none, and none is looked for.
    A plural that is another label's own name is that label's.

    Args:
        vocabulary: `labels.Vocabulary`.

    Returns:
        `Names`.
    """
    owners = {}
    for label, name in enumerate(vocabulary.names):
        owners.setdefault(tuple(words(_BRACKETS.sub(" ", name))), []).append(label)
    without = owners.pop((), [])
    shared = {words_ for words_, found in owners.items() if len(found) > 1}
    own = {words_: found[0] for words_, found in owners.items() if len(found) == 1}
    forms = {}
    for words_, label in own.items():
        for last in _other_numbers(words_[-1]):
            forms.setdefault((*words_[:-1], last), set()).add(label)
    looked_for = {
        words_: next(iter(found)) for words_, found in forms.items() if len(found) == 1
    }
    for words_ in shared:
        looked_for.pop(words_, None)
    notes = []
    if without:
        notes.append(f"{len(without)} labels have no word in their name")
    if shared:
        count = sum(len(owners[words_]) for words_ in shared)
        notes.append(f"{count} labels share their name with another")
    return Names(_trie(looked_for | own), len(vocabulary), tuple(notes))


def _other_numbers(word):
    """Plurals of a word, and the singulars if it looks like a plural."""
    if len(word) < 3 or not word.isalpha():
        return []
    if word.endswith("s") and not word.endswith("ss"):
        singular = [word[:-1]]
        if word.endswith("ies") and len(word) > 4:
            singular.append(word[:-3] + "y")
        if word.endswith(("ses", "xes", "zes", "ches", "shes")):
            singular.append(word[:-2])
        return [*singular, word + "es"]
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return [word + "es"]
    if word.endswith("y") and word[-2] not in "aeiou":
        return [word[:-1] + "ies"]
    return [word + "s"]


def _trie(labels_of):
    root = {}
    for words_, label in labels_of.items():
        node = root
        for word in words_:
            node = node.setdefault(word, {})
        node[_END] = label
    return root
