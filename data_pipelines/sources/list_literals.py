"""Lists in a field of text, as JSON or as Python writes them: `["a"]`, `['a']`."""

import ast
import json
import warnings


def parse(field):
    """Returns the elements of a list in text, as strings, or None where it is none.

    Args:
        field: a list of texts or numbers.
    """
    try:
        # first: escapes that JSON has in pairs would be two halves to Python
        elements = json.loads(field)
    except (ValueError, RecursionError):
        elements = _python_literal(field)
    plain = isinstance(elements, (list, tuple)) and all(
        # nan is no label, and the only number that is not itself
        isinstance(element, (str, int, float)) and element == element
        for element in elements
    )
    if not plain:
        return None
    elements = [str(element) for element in elements]
    # half of a pair of escapes is no text
    return elements if all(map(_is_text, elements)) else None


def _python_literal(field):
    try:
        with warnings.catch_warnings():
            # an escape that Python does not know stays as it is written
            warnings.simplefilter("ignore")
            return ast.literal_eval(field.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _is_text(value):
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
