"""Faults put into data on purpose, to measure what an audit finds of them."""

import pathlib
import shutil

import numpy as np
import pandas as pd
from PIL import Image

from data_pipelines import atomic, correction_log, errors

TIME, WHO = "2000-01-01T00:00:00+00:00", "planted"


def wrong_labels(table, families, share, seed=0):
    """Plants wrong labels: one label of some images becomes another, family and all.

    The images are drawn evenly, then for each one of its labels that have a family, and
    another such label that it does not show. So every label is given wrongly about as
    often, and most of what a rare label is given to may be wrong.

    Args:
        table: `labels.LabelTable` of N images.
        families: {label id: id of its family}; an image that shows a label shows its
            family as well.
        share: of the images, in (0, 1).
        seed: of the draws.

    Returns:
        (a list of `correction_log.Correction` that turn the truth into the faulty
        labels; {image id: (label id that was shown, label id that is given instead)}).

    Raises:
        errors.DataError: too few images show such a label.
    """
    shown = table.labels.multi_hot()
    ids = table.vocabulary.ids
    members = np.array([label in families for label in ids])
    candidates = np.flatnonzero(shown[:, members].any(axis=1))
    wanted = round(share * len(table))
    if not 0 < wanted <= len(candidates):
        raise errors.DataError(
            "wrong labels cannot be planted",
            expected=f"1 to {len(candidates):,} images",
            received=f"{wanted:,}",
        )
    generator = np.random.default_rng(seed)
    rows, planted = [], {}
    for row in np.sort(generator.choice(candidates, wanted, replace=False)).tolist():
        old = ids[generator.choice(np.flatnonzero(shown[row] & members))]
        new = ids[generator.choice(np.flatnonzero(~shown[row] & members))]
        before = {ids[label] for label in np.flatnonzero(shown[row] & members)}
        image = str(table.ids[row])
        planted[image] = (old, new)
        rows.append(_row("relabel", image, old, new))
        rows += _family_rows(image, before, before - {old} | {new}, families)
    return rows, planted


def _family_rows(image, before, after, families):
    old, new = ({families[label] for label in these} for these in (before, after))
    rows = [_row("remove", image, label) for label in sorted(old - new)]
    return rows + [_row("add", image, label) for label in sorted(new - old)]


def _row(action, image, label, new_label=""):
    return correction_log.Correction(TIME, WHO, action, image, label, new_label)


def darkened(folder, output, label, gain=0.4, split="train"):
    """Plants a shortcut: the images of one label are dark in one split only.

    Args:
        folder: of a table data set, with `labels.csv` and the images it names.
        output: folder to write, whole or not at all: a copy of it, in which the images
            of `split` that show `label` are darker.
        label: a label id.
        gain: what their pixels are multiplied by, in (0, 1).
        split: name of the split.

    Returns:
        How many images were darkened.

    Raises:
        errors.DataError: no image of the split shows the label, or one of those that do
            lies outside the folder, so that the copy would not have its own.
    """
    folder = pathlib.Path(folder)
    rows = pd.read_csv(folder / "labels.csv", dtype=str, keep_default_na=False)
    shows = rows["labels"].str.split("|").map(lambda shown: label in shown)
    chosen = rows["path"][shows & (rows["split"] == split)].tolist()
    if not chosen:
        raise errors.DataError(
            f"no image of {split} can be darkened", expected=f"images of {label}",
            received="none", file=folder / "labels.csv",
        )  # fmt: skip
    for path in map(pathlib.PurePath, chosen):
        if path.is_absolute() or ".." in path.parts:
            raise errors.DataError(
                "an image to darken lies outside the data set",
                expected="a path within its folder", received=str(path),
                file=folder / "labels.csv",
            )  # fmt: skip
    with atomic.folder(output) as temporary:
        shutil.copytree(folder, temporary, dirs_exist_ok=True)
        for path in chosen:
            with Image.open(folder / path) as image:
                dark = image.point([round(gain * value) for value in range(256)] *
                                   len(image.getbands()))  # fmt: skip
            dark.save(temporary / path)
    return len(chosen)
