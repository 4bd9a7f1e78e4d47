"""Errors with their maps, as a folder that the report reads.

`cases.json` describes each error and what was explained ("facts"); the pictures lie
beside it as PNG files.
"""

import contextlib
import pathlib

import numpy as np

from data_pipelines import atomic, stored_files
from inclusive_tf.explain import maps, methods

ROLE_NAMES = {"wrong": "wrongly given", "missed": "missed", "right": "rightly given"}
SCORES_SHOWN = 5
TOP_WIDTH = 224
_PICTURES = ("png", "image_png")
"""Keys whose values are pictures, wherever they stand."""


def describe(explained, reasons, predictions, split):
    """Turns rows of `cases.explain_cases` into what the report shows.

    Args:
        explained: its return value.
        reasons: why each case was chosen.
        predictions: the `predictions.Predictions` the cases are of.
        split: name of the split.

    Returns:
        list of dicts of the form `report.page.render` takes. `add_example`, and another
        such dict under "beside", add what else is shown of a case.
    """
    names = predictions.vocabulary.names
    described = []
    for found, why in zip(explained, reasons, strict=True):
        case = found["case"]
        logits = np.asarray(predictions.logits[case.row], np.float64)
        shown = _scores_shown(logits, case)
        described.append({
            "id": case.id,
            "split": split,
            "why": why,
            "group": predictions.group_names[predictions.group[case.row]],
            "image_png": maps.picture(found["image"], TOP_WIDTH).png,
            "truth": [names[label] for label in case.truth],
            "decided": [names[label] for label in case.decided],
            "loss": case.loss,
            "scores": [
                {"name": names[label], "probability": float(_sigmoid(logits[label]))}
                for label in shown
            ],
            "panels": [
                _panel(found["image"], role, asked, names)
                for role, asked in found["maps"].items()
            ],
        })  # fmt: skip
    return described


def _scores_shown(logits, case):
    """The highest labels, and those the maps are of, in the order of their scores."""
    top = set(np.argsort(-logits, kind="stable")[:SCORES_SHOWN].tolist())
    top |= {
        label for label in (case.wrong, case.missed, case.right) if label is not None
    }
    return sorted(top, key=lambda label: -logits[label])


def _sigmoid(logits):
    return 0.5 * (1 + np.tanh(0.5 * logits))


def _panel(image, role, asked, names):
    drawn = []
    for name, method in methods.METHODS.items():
        if name not in asked:
            continue
        picture = maps.overlay(image, asked[name], method.signed, TOP_WIDTH)
        drawn.append({
            "method": method.title,
            "png": picture.png,
            "degenerate": picture.degenerate,
        })  # fmt: skip
    return {"label": names[asked["label"]], "role": ROLE_NAMES[role], "maps": drawn}


def add_example(described, role, example_id, image, truth, distance):
    """Adds a training example to the panel of a described case.

    Args:
        described: a dict from `describe`; changed.
        role: that of the label the example shows, a key of `ROLE_NAMES`.
        example_id: its id.
        image: float32 [H, W, C] in 0..1.
        truth: names of its labels.
        distance: from the case's image, between features.
    """
    (panel,) = [one for one in described["panels"] if one["role"] == ROLE_NAMES[role]]
    panel.setdefault("examples", []).append({
        "id": example_id,
        "image_png": maps.picture(image, TOP_WIDTH).png,
        "truth": truth,
        "distance": distance,
    })  # fmt: skip


def label_picture(label, image, probability):
    """Returns what a page shows of a label's grown picture: "label", "png", ...

    Args:
        label: its name.
        image: float32 [H, W, C] in 0..1.
        probability: that the model gives the label on the picture.
    """
    png = maps.picture(image, TOP_WIDTH, smooth=False).png
    return {"label": label, "probability": float(probability), "png": png}


def save(folder, described, facts, label_pictures=()):
    """Writes the folder, whole or not at all.

    Args:
        folder: where.
        described: list of dicts from `describe`.
        facts: JSON dict: "row" (name of the adaptation), "split", "given_from"
            (probability from which a label is given, or None where it differs by
            label), and what `checks` found.
        label_pictures: list of `label_picture`.
    """
    with atomic.folder(folder) as temporary:
        stored = {
            "cases": described,
            "facts": facts,
            "label_pictures": list(label_pictures),
        }
        stored = _kept(stored, temporary, [])
        atomic.write_json(temporary / "cases.json", stored)


def _kept(value, folder, names):
    """Returns `value` with pictures written to files and their names in their place."""
    if isinstance(value, list):
        return [_kept(one, folder, names) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, one in value.items():
        if key in _PICTURES:
            names.append(f"{len(names):05d}.png")
            (folder / names[-1]).write_bytes(one)
            kept[key] = names[-1]
        else:
            kept[key] = _kept(one, folder, names)
    return kept


@contextlib.contextmanager
def reading(folder):
    """Gives the JSON of a folder written by `save`, and says what is wrong with it.

    Yields:
        dict of "cases", "facts" and what else was saved; pictures are names of files.

    Raises:
        errors.DataError: the folder is missing or no such folder, be it found here or
            by whoever reads on in the context.
    """
    with stored_files.reading(
        folder, "not a folder of explained errors", "one that `tools.explain` wrote"
    ):
        yield stored_files.read_json(pathlib.Path(folder) / "cases.json")


def load(folder):
    """Reads a folder written by `save`.

    Returns:
        (list of dicts as `describe` made them, the facts given to `save`).

    Raises:
        errors.DataError: the folder is missing or no such folder.
    """
    with reading(folder) as stored:
        found = _restored(stored, pathlib.Path(folder))
        return found["cases"], found["facts"]


def _restored(value, folder):
    if isinstance(value, list):
        return [_restored(one, folder) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        # the name comes from a file that somebody may have changed
        key: (folder / pathlib.PurePath(one).name).read_bytes()
        if key in _PICTURES
        else _restored(one, folder)
        for key, one in value.items()
    }
