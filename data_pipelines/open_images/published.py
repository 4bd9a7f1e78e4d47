"""Open Images' files by their published names."""

import os
import pathlib
import re

from data_pipelines import errors

SPLITS = ("train", "validation", "test")
_SPLIT = re.compile(r"(?<![a-z])(train|validation|val|test)(?![a-z])")
_PUBLISHED = {
    "human": "annotations-human-imagelabels",
    "machine": "annotations-machine-imagelabels",
    "box": "annotations-bbox",
}
_VERSION = r"(?:oidv\d+-)?"
_FLAGS = {"human": "human_labels", "machine": "machine_labels", "box": "boxes"}


def find(given, folder, notes):
    """Returns {split: {source: path}} of the files there are, train first.

    Args:
        given: {source: paths}; when there is none, files are looked for.
        folder: where files are looked for, by their published names.
        notes: list; gets a sentence for each file that stands back for a fuller one.

    Raises:
        errors.DataError: there is none, a name does not tell its split, or two are of
            one kind and split.
    """
    if not any(given.values()):
        given = _published(folder, notes)
    found = {}
    for source, paths in given.items():
        for path in map(str, paths):
            split = split_of(path)
            its = found.setdefault(split, {})
            if source in its:
                raise errors.DataError(
                    f"two files of {source} labels are of split {split}",
                    expected=f"one, named with --{_FLAGS[source]}",
                    received=f"{its[source]} and {path}",
                )
            its[source] = path
    return {split: found[split] for split in SPLITS if split in found}


def split_of(path):
    """Returns the split that a file's name tells.

    Raises:
        errors.DataError: it tells none, or several.
    """
    told = set(_SPLIT.findall(os.path.basename(path).lower()))
    told = {"validation" if name == "val" else name for name in told}
    if len(told) != 1:
        raise errors.DataError(
            "the file's name does not tell its split",
            expected="a name with one of train, validation and test",
            received=os.path.basename(path),
            file=path,
        )
    return told.pop()


def _published(folder, notes):
    """{source: paths} of the files of a folder that have a published name."""
    if not folder or not pathlib.Path(folder).is_dir():
        raise errors.DataError(
            "there is no folder of Open Images' files",
            expected="--data_dir=FOLDER, or files by --human_labels, --machine_labels "
            "and --boxes",
            received=folder or "none",
        )
    names = sorted(os.listdir(folder))
    found = {}
    for source, stem in _PUBLISHED.items():
        form = rf"{_VERSION}(?:train|validation|val|test)-{stem}"
        its = [name for name in names if re.fullmatch(rf"{form}\.csv", name)]
        splits = {split_of(name) for name in its}
        for name in names:
            if re.fullmatch(rf"{form}-boxable\.csv", name):
                if split_of(name) in splits:
                    notes.append(f"{name} was not read: there is the full file too")
                else:
                    its.append(name)
        found[source] = [os.path.join(folder, name) for name in its]
    if not any(found.values()):
        raise errors.DataError(
            "the folder has no annotation file of a published name",
            expected="names such as train-annotations-human-imagelabels.csv",
            received=", ".join(names) or "an empty folder",
            file=folder,
        )
    return found


def descriptions(folder):
    """Returns the path of the fullest published file of display names, or None."""
    if not folder or not os.path.isdir(folder):
        return None
    for ending in ("", "-boxable"):
        form = re.compile(rf"{_VERSION}class-descriptions{ending}\.csv")
        # the newest release last
        its = sorted(name for name in os.listdir(folder) if form.fullmatch(name))
        if its:
            return os.path.join(folder, its[-1])
    return None
