"""Errors with their maps, as a folder that the report reads.

`cases.json` describes each error and what was explained ("facts"); the pictures lie
beside it as PNG files.
"""

import json
import pathlib

import numpy as np

from data_pipelines import atomic, errors
from inclusive_tf.evaluation import bootstrap
from inclusive_tf.explain import cases as explained_cases
from inclusive_tf.explain import errors_to_explain, maps, pointing

METHOD_NAMES = {
    "grad_cam": "Grad-CAM",
    "saliency": "saliency",
    "occlusion": "occlusion",
}
ROLE_NAMES = {"wrong": "wrongly given", "missed": "missed"}
SCORES_SHOWN = 5
TOP_WIDTH = 224


def choose(predictions, threshold_logit, count, tail=None):
    """Chooses errors: a third by loss, a third most confident, a third rare and missed.

    Args:
        predictions: `predictions.Predictions`.
        threshold_logit: float or [C].
        count: how many at most.
        tail: positions of the rare labels.

    Returns:
        list of (`errors_to_explain.ErrorCase`, why it was chosen), no image twice,
        taken in turn from the three rankings.
    """
    ranked = {
        "highest loss": errors_to_explain.worst(predictions, threshold_logit, count),
        "most confident wrong": errors_to_explain.confident_wrong(
            predictions, threshold_logit, count
        ),
        "rare label missed": errors_to_explain.missed_rare(
            predictions, threshold_logit, count, tail
        ),
    }
    chosen = {}
    for rank in range(count):
        for why, ranking in ranked.items():
            if rank < len(ranking) and len(chosen) < count:
                chosen.setdefault(ranking[rank].row, (ranking[rank], why))
    return list(chosen.values())


def describe(explained, reasons, predictions, split):
    """Turns rows of `cases.explain_cases` into what the report shows.

    Args:
        explained: its return value.
        reasons: why each case was chosen.
        predictions: the `predictions.Predictions` the cases are of.
        split: name of the split.

    Returns:
        list of dicts of the form `report.page.render` takes.
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
    top |= {label for label in (case.wrong, case.missed) if label is not None}
    return sorted(top, key=lambda label: -logits[label])


def _sigmoid(logits):
    return 0.5 * (1 + np.tanh(0.5 * logits))


def _panel(image, role, asked, names):
    drawn = []
    for method, name in METHOD_NAMES.items():
        picture = maps.overlay(
            image, asked[method], method in explained_cases.SIGNED, TOP_WIDTH
        )
        drawn.append(
            {"method": name, "png": picture.png, "degenerate": picture.degenerate}
        )
    return {"label": names[asked["label"]], "role": ROLE_NAMES[role], "maps": drawn}


def check_places(model, final_feature_map, images, label_index, places, config):
    """Measures whether maps of rightly given labels point where the label is.

    Args:
        model: flat functional Keras model that gives logits.
        final_feature_map: name of its final feature map's layer.
        images: float32 [N, H, W, C] in 0..1.
        label_index: int [N], a label that each image shows.
        places: bool [N, H, W], where it shows it.
        config: `cases.ExplainConfig`.

    Returns:
        {"pointing": [{"method", "hits": interval, "baseline"}], "energy": […]}; the
        interval is over images, and the baseline is the share of the area.
    """
    asked = [
        errors_to_explain.ErrorCase(
            row=row, id="", loss=0.0, truth=(label,), decided=(label,), wrong=label,
            missed=None,
        )
        for row, label in enumerate(map(int, label_index))
    ]  # fmt: skip
    explained = explained_cases.explain_cases(
        model, final_feature_map, images, asked, config
    )
    baseline = float(pointing.area(places).mean())
    found = {"pointing": [], "energy": []}
    for method, name in METHOD_NAMES.items():
        taken = np.stack([one["maps"]["wrong"][method] for one in explained])
        hits = pointing.pointing(taken, places).astype(float)
        energy = pointing.energy_inside(taken, places)
        flat = int(np.isnan(energy).sum())
        # a flat map points nowhere, which is a miss, and has no share to speak of
        for key, values in (("pointing", hits), ("energy", energy[~np.isnan(energy)])):
            found[key].append({
                "method": name,
                "hits": bootstrap.mean_interval(values),
                "baseline": baseline,
                "degenerate": flat,
            })  # fmt: skip
    return found


def save(folder, described, facts):
    """Writes the folder, whole or not at all.

    Args:
        folder: where.
        described: list of dicts from `describe`.
        facts: JSON dict: "row" (name of the adaptation), "split", "given_from"
            (probability from which a label is given, or None where it differs by
            label), and what `check_places` found, if places are known.
    """
    with atomic.folder(folder) as temporary:
        written = []
        for number, case in enumerate(described):
            case = dict(case)
            case["image_png"] = _keep(temporary, f"{number:04d}.png", case["image_png"])
            case["panels"] = [
                {
                    **panel,
                    "maps": [
                        {**one, "png": _keep(
                            temporary,
                            f"{number:04d}-{index}-{place}.png",
                            one["png"],
                        )}
                        for place, one in enumerate(panel["maps"])
                    ],
                }
                for index, panel in enumerate(case["panels"])
            ]  # fmt: skip
            written.append(case)
        stored = {"cases": written, "facts": facts}
        atomic.write_json(temporary / "cases.json", stored)


def _keep(folder, name, png):
    (folder / name).write_bytes(png)
    return name


def load(folder):
    """Reads a folder written by `save`.

    Returns:
        (list of dicts as `describe` made them, the facts given to `save`).

    Raises:
        errors.DataError: the folder is missing or no such folder.
    """
    folder = pathlib.Path(folder)
    try:
        stored = json.loads((folder / "cases.json").read_text("utf-8"))
        for case in stored["cases"]:
            case["image_png"] = _read(folder, case["image_png"])
            for panel in case["panels"]:
                for one in panel["maps"]:
                    one["png"] = _read(folder, one["png"])
        return stored["cases"], stored["facts"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise errors.DataError(
            "not a folder of explained errors",
            expected="a folder that `tools.explain` wrote",
            received=f"{type(error).__name__}: {error}",
            file=folder,
        ) from error


def _read(folder, name):
    # the name comes from a file that somebody may have changed
    return (folder / pathlib.PurePath(name).name).read_bytes()
