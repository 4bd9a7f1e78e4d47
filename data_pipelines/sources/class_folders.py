"""A folder of classes: ROOT/CLASS/IMAGE, where the class is the folder's name.

Splits come from list files (`TrainImages.txt` of MIT Indoor 67), from folders above the
classes (ROOT/train/CLASS/IMAGE), or are drawn (`validation_fraction`). All images below
a class folder are of that class, however deep they lie. An image's id is its path below
the root, so a name that stands in two classes is two images.
"""

import dataclasses
import os
import pathlib

import numpy as np

from data_pipelines import errors, labels, strict_csv
from data_pipelines.sources import (
    class_lists,
    label_fields,
    presence,
    sheets,
    vocabularies,
    walking,
)
from data_pipelines.sources import splits as split_rules

SPLIT_FOLDERS = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "tuning": "tuning",
    "test": "test",
}
"""Folders that are splits when they are all there is in the root, and what they say."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp")
"""Names that end so are images; in whichever case."""


@dataclasses.dataclass(frozen=True)
class ClassFoldersConfig:
    """How to read a folder of classes.

    Args:
        data_dir: the folder; list files are looked for in it.
        image_dir: folder of the class folders; empty means `data_dir`.
        list_files: `split:FILE`, each a list of images; empty means that folders say.
        validation_fraction: share of the images of split `train` that become split
            `validation`.
        unseen_labels: `error` or `keep` classes that no image of `train` shows.
        missing_images: with list files, `keep` refuses an entry that is not there and
            `drop` counts it.
        names: CSV of `label,name` display names; empty means that names are ids.
        seed: decides which images are held out.
    """

    data_dir: str = ""
    image_dir: str = ""
    list_files: tuple = ()
    validation_fraction: float = 0.0
    unseen_labels: str = "error"
    missing_images: str = "keep"
    names: str = ""
    seed: int = 0


@dataclasses.dataclass
class _Found:
    """What lies below the root, and what was left aside."""

    paths: list = dataclasses.field(default_factory=list)
    splits: list = dataclasses.field(default_factory=list)
    classes: list = dataclasses.field(default_factory=list)
    empty: list = dataclasses.field(default_factory=list)
    other: list = dataclasses.field(default_factory=list)
    loose: list = dataclasses.field(default_factory=list)
    unsplit: list = dataclasses.field(default_factory=list)
    links: list = dataclasses.field(default_factory=list)


def _children(folder):
    """Returns (folders, files) in a folder, as sorted names; hidden ones left out."""
    try:
        with os.scandir(folder) as entries:
            seen = [entry for entry in entries if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise errors.DataError("there is no such folder", file=folder) from error
    except OSError as error:
        walking.refuse_unlisted(error)
    folders = sorted(entry.name for entry in seen if entry.is_dir())
    return folders, sorted(entry.name for entry in seen if not entry.is_dir())


def _is_image(name):
    return name.lower().endswith(SUFFIXES)


def _walk_class(root, prefix, name, split, found):
    """Adds the images below one class folder, whose name must be text."""
    if name != strict_csv.printable_name(name):
        raise errors.DataError(
            "the name of a class is not UTF-8",
            expected="another name for the folder",
            received=strict_csv.printable_name(name),
            file=root,
        )
    before = len(found.paths)
    for parent, folders, files in os.walk(
        os.path.join(root, prefix, name), onerror=walking.refuse_unlisted
    ):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        below = os.path.relpath(parent, root)
        found.links += walking.links(root, parent, folders)
        for file in sorted(files):
            if file.startswith("."):
                continue
            (found.paths if _is_image(file) else found.other).append(f"{below}/{file}")
    added = len(found.paths) - before
    found.splits += [split] * added
    found.classes += [name] * added
    if not added:
        found.empty.append(f"{prefix}{name}")


def _walk(root):
    """Returns `_Found` of all classes, by split where the folders are splits."""
    found = _Found()
    folders, files = _children(root)
    found.loose += [file for file in files if _is_image(file)]
    are_splits = "train" in folders and all(
        folder in SPLIT_FOLDERS and _children(os.path.join(root, folder))[0]
        for folder in folders
    )
    named = [folder for folder in folders if folder in SPLIT_FOLDERS]
    if not are_splits and "train" in named and len(named) > 1:
        found.unsplit = named
    for folder in folders:
        if not are_splits:
            _walk_class(root, "", folder, "train", found)
            continue
        classes, files = _children(os.path.join(root, folder))
        found.loose += [f"{folder}/{file}" for file in files if _is_image(file)]
        for name in classes:
            _walk_class(root, f"{folder}/", name, SPLIT_FOLDERS[folder], found)
    return found


def _notes(found):
    said = (
        (found.empty, "class folder(s) hold no image"),
        (found.other, "file(s) are no images by their name and were left out"),
        (found.loose, "image(s) lie in no class folder and were left out"),
        (
            found.unsplit,
            "folder(s) named as splits were taken for classes, since not every folder "
            "of the root is a split of class folders",
        ),
        (found.links, "linked folder(s) below a class were not followed"),
    )
    return walking.notes(said)


def _listed(config, root):
    """Returns (paths, splits, classes, place, notes) of the list files."""
    paths, split, places, notes = class_lists.read(
        config.list_files, config.data_dir, root, config.missing_images
    )
    found = _walk(root)
    unlisted = sorted(set(found.paths) - set(paths))
    if unlisted:
        notes.append(
            f"{len(unlisted):,} image(s) stand in no list and were left out: "
            f"{walking.some(unlisted)}"
        )
    if found.empty:
        notes.append(_notes(_Found(empty=found.empty))[0])
    classes = [path.partition("/")[0] for path in paths]
    for row, name in enumerate(classes):
        if name != strict_csv.printable_name(name):
            raise errors.DataError(
                "the name of a class is not UTF-8",
                received=strict_csv.printable_name(name),
                file=places[row][0],
                row=places[row][1],
            )

    def place(row):
        return {"file": places[row][0], "row": places[row][1]}

    return paths, split, classes, place, notes


def _found(root):
    """Returns the same of the folders."""
    found = _walk(root)

    def place(row):
        return {"file": strict_csv.printable_name(os.path.join(root, found.paths[row]))}

    return found.paths, np.array(found.splits, str), found.classes, place, _notes(found)


def read_with_notes(config, vocabulary=None):
    """Reads a folder of classes.

    Args:
        config: `ClassFoldersConfig`.
        vocabulary: `labels.Vocabulary` of a trained model, to read data for it: other
            classes are refused, and no training split is asked for. None takes the
            classes of split `train`.

    Returns:
        (`labels.LabelTable` of one label an image, list of sentences). Ids of names
        that are no UTF-8 are written with backslashes; locations are as they are.

    Raises:
        errors.DataError: no such folder, no image, a class that is not trained on or
            whose name is no text, or a list that does not hold.
    """
    errors.require_choices(config, {"missing_images": presence.CHOICES})
    if not config.data_dir:
        raise errors.DataError("no folder is named", expected="--data_dir=FOLDER")
    root = os.path.realpath(config.image_dir or config.data_dir)
    paths, split, classes, place, notes = (
        _listed(config, root) if config.list_files else _found(root)
    )
    if not paths:
        raise errors.DataError(
            "the folder holds no image in a class folder",
            expected="ROOT/CLASS/IMAGE, images named " + ", ".join(SUFFIXES),
            received="; ".join(notes) or "nothing",
            file=root,
        )
    ids = strict_csv.printable(paths)
    split = split.astype(object)
    split_rules.hold_out(split, ids, config, pathlib.Path(root))
    split = split.astype(str)
    entries = label_fields.single(np.array(classes))
    vocabulary, sparse, _ = vocabularies.settle(
        entries, split, config, place, root, vocabulary
    )
    table = labels.LabelTable(
        ids=ids,
        locations=np.array([f"{root}/{path}" for path in paths]),
        labels=sparse,
        vocabulary=vocabulary,
        **sheets.group_fields(None, len(ids)),
        **split_rules.fields(split),
    )
    return table, notes
