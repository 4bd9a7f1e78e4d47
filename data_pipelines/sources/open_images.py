"""Open Images V4 to V7: the published CSV files and a folder of images.

Human files state presence (confidence 1) and verified absence (0); what they do not
state is unknown. Machine confidences are soft targets. Files say by their names which
split they are of, and are found in `data_dir` under their published names:

    [oidv6-]train-annotations-human-imagelabels[-boxable].csv
    [oidv6-]train-annotations-machine-imagelabels.csv
    [oidv6-]train-annotations-bbox.csv
    [oidv6-]class-descriptions[-boxable].csv

and the same for validation (`val` in some releases) and test. Images are
`<image_dir>/<split>/<id>.jpg`, or `<image_dir>/<id>.jpg` where there is no such folder.
"""

import dataclasses
import os
import pathlib

import numpy as np

from data_pipelines import errors, labels
from data_pipelines.open_images import facts as file_facts
from data_pipelines.open_images import fused, fusion, lists, parts, published
from data_pipelines.sources import presence


@dataclasses.dataclass(frozen=True)
class OpenImagesConfig:
    """How to read Open Images.

    Args:
        data_dir: folder in which files are looked for by their published names, when
            none of the next three is given.
        human_labels: paths of human image-level labels, at most one a split.
        machine_labels: paths of machine image-level labels, the same.
        boxes: paths of boxes, the same.
        class_descriptions: path of the display names; empty: looked for in `data_dir`.
        class_list: path of a list of the label codes to use, such as the boxable ones;
            empty: every label that any file states to be present.
        image_dir: folder of the images; empty: `data_dir`.
        fusion: a name in `open_images.fusion.RULES`.
        unlabelled: `keep` or `drop` images of which no label is known to be present.
        missing_images: `keep` or `drop` images whose file is not there.
        validation_fraction: share of the training images that become `validation`.
        seed: decides which.
    """

    data_dir: str = ""
    human_labels: tuple = ()
    machine_labels: tuple = ()
    boxes: tuple = ()
    class_descriptions: str = ""
    class_list: str = ""
    image_dir: str = ""
    fusion: str = "first_source"
    unlabelled: str = "keep"
    missing_images: str = "keep"
    validation_fraction: float = 0.0
    seed: int = 0


def read_with_notes(config, vocabulary=None):
    """Reads Open Images.

    Rows of labels outside the vocabulary are left out and counted. Of the sources that
    the fusion rule looks at, those count that are there.

    Args:
        config: `OpenImagesConfig`.
        vocabulary: `labels.Vocabulary` of a trained model; None takes `class_list`, or
            every label that a file of any split states to be present.

    Returns:
        (`labels.LabelTable` with `unlisted_is_absent=False`, list of sentences).

    Raises:
        errors.DataError: whatever is wrong, with file and row.
        errors.SettingError: an unknown rule or choice.
    """
    _check(config)
    notes = []
    wanted = fusion.rule(config.fusion).sources
    paths = {
        split: {source: path for source, path in its.items() if source in wanted}
        for split, its in published.find(_given(config), config.data_dir, notes).items()
    }
    paths = {split: its for split, its in paths.items() if its}
    _check_splits(paths, config, vocabulary)
    rows = {split: fused.read_rows(its) for split, its in paths.items()}
    if vocabulary is None:
        vocabulary = _vocabulary(config, rows, notes)
    found, seen = [], {}
    for split in paths:
        read = fused.fuse(rows.pop(split), vocabulary, config.fusion)
        notes += [f"{split}: {note}" for note in read.notes]
        _refuse_shared_images(read.images, split, seen, paths)
        seen[split] = read.images
        part = parts.of_fused(
            read,
            split,
            "open_images",
            _image_folder(config, split, paths[split]),
            config.unlabelled,
            notes,
        )
        if split == "train":
            found += parts.hold_out(part, config.validation_fraction, config.seed)
        else:
            found.append(part)
    table = parts.joined(found, vocabulary, unlisted_is_absent=False)
    if config.missing_images == "drop":
        return presence.drop_missing(table, notes)
    return table, notes


def facts(config):
    """Returns what the training files know beside labels; see `open_images.facts`.

    All its files are read, whatever the fusion rule looks at. Without a split train, it
    is the first split that there is.

    Raises:
        errors.DataError: as `read_with_notes`.
    """
    _check(config)
    given = published.find(_given(config), config.data_dir, [])
    split, paths = next(iter(given.items()))
    rows = fused.read_rows(paths)
    vocabulary = _vocabulary(config, {"train": rows}, [])
    return file_facts.measure(paths, rows, vocabulary, config.fusion, split)


def box_files(config, split):
    """Returns the paths of the boxes of a split, a tuple.

    Those of split train stand in for a split without files, which is held out of it.

    Raises:
        errors.DataError: as `read_with_notes`.
    """
    paths = published.find(_given(config), config.data_dir, [])
    its = paths.get(split, paths.get("train", {}))
    return tuple(path for source, path in its.items() if source == "box")


def _given(config):
    return {
        "human": config.human_labels,
        "machine": config.machine_labels,
        "box": config.boxes,
    }


def _check(config):
    errors.require_choices(
        config, {"unlabelled": ("keep", "drop"), "missing_images": presence.CHOICES}
    )
    fusion.rule(config.fusion)


def _check_splits(paths, config, vocabulary):
    if not paths:
        raise errors.DataError(
            f"there is no file that fusion rule {config.fusion} looks at",
            expected=" or ".join(fusion.rule(config.fusion).sources) + " labels",
            file=config.data_dir or None,
        )
    if vocabulary is None and "train" not in paths:
        raise errors.DataError(
            "no file is of split train",
            expected="a file whose name has 'train'",
            received=", ".join(path for its in paths.values() for path in its.values()),
        )
    if config.validation_fraction and {"train", "validation"} <= set(paths):
        raise errors.DataError(
            "validation_fraction is set, yet there is a split 'validation'",
            expected="one or the other",
            file=next(iter(paths["validation"].values())),
        )


def _vocabulary(config, rows, notes):
    if config.class_list:
        codes = lists.read_codes(config.class_list)
    else:
        codes = sorted(
            {code for its in rows.values() for code in fused.given_codes(its)}
        )
        unseen = set(codes) - set(fused.given_codes(rows["train"]))
        if unseen:
            notes.append(
                f"{len(unseen):,} labels are in no training row; a model can only miss "
                "them"
            )
    path = config.class_descriptions or published.descriptions(config.data_dir)
    names = lists.read_descriptions(path) if path else {}
    bare = sum(code not in names for code in codes)
    if bare:
        notes.append(f"{bare:,} labels have no display name; their code stands for it")
    return labels.Vocabulary(codes, [names.get(code) or code for code in codes])


def _image_folder(config, split, paths):
    folder = config.image_dir or config.data_dir
    folder = pathlib.Path(folder or os.path.dirname(next(iter(paths.values()))))
    inner = folder / split
    return (inner if inner.is_dir() else folder).resolve()


def _refuse_shared_images(images, split, seen, paths):
    for other, theirs in seen.items():
        shared = np.intersect1d(images, theirs, assume_unique=True)
        if len(shared):
            raise errors.DataError(
                f"{len(shared):,} images are in split {other} and in split {split}",
                expected="an image in one split",
                received=f"such as {int(shared[0]):016x}",
                file=next(iter(paths[split].values())),
            )
