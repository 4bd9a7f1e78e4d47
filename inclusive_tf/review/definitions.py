"""What each label means, as a person wrote it: a definition and a checklist.

    label,definition,checklist
    bar,A room where drinks are sold over a counter,high chairs|bottles|counter

or, in TOML:

    [bar]
    definition = "A room where drinks are sold over a counter"
    checklist = ["high chairs", "bottles", "counter"]
"""

import dataclasses
import pathlib
import tomllib

from data_pipelines import errors, strict_csv, text_files

HEADER = ("label", "definition", "checklist")
_BETWEEN = "|"


@dataclasses.dataclass(frozen=True)
class Definition:
    """One label's meaning.

    Args:
        definition: a sentence or more; may be empty.
        checklist: what to look for, a tuple of str.
    """

    definition: str
    checklist: tuple = ()


def read(path, vocabulary):
    """Reads a file of definitions; TOML by its ending, else CSV.

    Args:
        path: the file.
        vocabulary: label ids that the data have.

    Returns:
        ({label id: `Definition`}, sentences that count labels that the data lack).

    Raises:
        errors.DataError: another form, a label defined twice, or none that is known.
    """
    is_toml = pathlib.PurePath(path).suffix.lower() == ".toml"
    found = _of_toml(path) if is_toml else _of_csv(path)
    known = {label: one for label, one in found.items() if label in vocabulary}
    lost = [label for label in found if label not in vocabulary]
    if found and not known:
        raise errors.DataError(
            "no label that is defined is in the data",
            expected="ids of labels",
            received=", ".join(lost[:5]),
            file=path,
        )
    notes = []
    if lost:
        notes.append(
            f"{len(lost):,} defined labels are not in the data and are left out "
            f"(first: {lost[0]})"
        )
    return known, notes


def _of_csv(path):
    found = {}
    for number, (label, definition, items) in enumerate(
        strict_csv.read(path, HEADER), start=2
    ):
        if label in found:
            raise errors.DataError(
                "a label is defined twice", received=label, file=path, row=number
            )
        checklist = (item.strip() for item in items.split(_BETWEEN))
        found[label] = Definition(definition.strip(), tuple(filter(None, checklist)))
    return found


def _of_toml(path):
    try:
        with text_files.reading(path), open(path, "rb") as file:
            stored = tomllib.load(file)
    except tomllib.TOMLDecodeError as error:
        raise errors.DataError(
            "the file is no TOML", received=str(error), file=path
        ) from error
    return {label: _of_table(label, one, path) for label, one in stored.items()}


def _of_table(label, stored, path):
    fits = isinstance(stored, dict) and set(stored) <= set(HEADER[1:])
    if fits:
        definition, checklist = (
            stored.get("definition", ""),
            stored.get("checklist", []),
        )
        fits = (
            isinstance(definition, str)
            and isinstance(checklist, list)
            and all(isinstance(item, str) for item in checklist)
        )
    if not fits:
        raise errors.DataError(
            f"the definition of '{label}' has another form",
            expected="definition, a text, and checklist, a list of texts",
            received=stored,
            file=path,
        )
    return Definition(definition, tuple(checklist))
