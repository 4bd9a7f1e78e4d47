"""Other people's names on one line of a terminal or page."""

import unicodedata

SHORT = 80
"""Characters of a name that are shown."""

_JOINERS = "\u200c\u200d"  # join letters in several scripts, and emoji


def clean(text):
    """Returns `text` (any object) on one line, without control or direction marks.

    Direction marks could turn round what follows a name, control characters would
    reach a terminal, and half of a surrogate pair cannot be written as UTF-8.
    """
    kept = []
    for character in str(text):
        category = unicodedata.category(character)
        if character.isspace() or category in ("Zl", "Zp"):
            kept.append(" ")
        elif category in ("Cc", "Cs"):
            kept.append("\ufffd")
        elif category != "Cf" or character in _JOINERS:
            kept.append(character)
    return " ".join("".join(kept).split()) or "(empty)"


def short(text, limit=SHORT):
    """Returns `clean(text)`, cut to `limit` characters with an ellipsis."""
    text = clean(text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
