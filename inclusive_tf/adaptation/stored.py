"""An adaptation's folder: adaptation.json and arrays, with SHA-256 sums."""

import pathlib

import numpy as np
import scipy.sparse

from data_pipelines import atomic, errors, stored_files
from inclusive_tf.adaptation import rules, smoothing

FORMAT = 3
_OLDER = (1, 2)
_ARRAYS = ("fitted_ids", "kernel", "bias", "intercept")
_FACTS = ("name", "slope", "vocabulary_hash", "layer_hash", "variant", "fitted_on",
          "figures")  # fmt: skip


def write(folder, fields):
    """Writes the folder, whole or not at all.

    Args:
        folder: path.
        fields: {name: value} of `adapted.Adaptation`.
    """
    arrays = {n: fields[n] for n in _ARRAYS if fields[n] is not None}
    arrays["fitted_ids"] = np.asarray(arrays["fitted_ids"], str)
    decision, smoothed = fields["decision"], fields["smoothing"]
    strength = 0.0
    if smoothed is not None:
        strength = float(smoothed.strength)
        arrays |= {
            "association_offsets": smoothed.weights.indptr.astype(np.int64),
            "association_index": smoothed.weights.indices.astype(np.int32),
            "association_weight": smoothed.weights.data,
            "association_centre": smoothed.centre,
        }
    if rules.is_expected_f2(decision):
        facts = {"rule": rules.EXPECTED_F2}
    elif np.ndim(decision):
        facts, arrays["thresholds"] = {"rule": "thresholds"}, decision
    else:
        facts = {"rule": "threshold", "logit": float(decision)}
    with atomic.folder(folder) as temporary:
        for name, array in arrays.items():
            np.save(temporary / f"{name}.npy", array, allow_pickle=False)
        sums = {f"{n}.npy": atomic.sha256(temporary / f"{n}.npy") for n in arrays}
        atomic.write_json(
            temporary / "adaptation.json",
            {"format": FORMAT, "decision": facts, "association_strength": strength}
            | {name: fields[name] for name in _FACTS}
            | {"sha256": sums},
        )


def read(folder):
    """Reads a folder of this format or an older one.

    Format 1 knew one threshold only, format 2 no associations.

    Args:
        folder: path that `write` wrote.

    Returns:
        {name: value} of `adapted.Adaptation`.

    Raises:
        errors.DataError: the folder is missing, of another format, or changed.
    """
    folder = pathlib.Path(folder)
    with stored_files.reading(
        folder, "not an adaptation folder", "a folder that `tools.adapt` wrote"
    ):
        stored = stored_files.read_json(folder / "adaptation.json")
        if stored["format"] not in (*_OLDER, FORMAT):
            raise errors.DataError(
                "an adaptation of another format",
                expected=f"format {', '.join(map(str, _OLDER))} or {FORMAT}",
                received=stored["format"],
                file=folder,
            )
        arrays = {}
        for name, expected in stored["sha256"].items():
            path = folder / pathlib.PurePath(name).name
            arrays[path.stem] = np.array(stored_files.read_array(path, expected))
        # older ones speak of the trained model as it is
        stored.setdefault("variant", "")
        if stored["format"] == 1:
            decision = {"rule": "threshold", "logit": stored["threshold_logit"]}
            stored |= {"decision": decision, "slope": 1.0}
            stored.setdefault("layer_hash", "")
        return (
            {name: stored[name] for name in _FACTS}
            | {name: arrays.get(name) for name in _ARRAYS[1:]}
            | {"fitted_ids": arrays["fitted_ids"]}
            | {"decision": _decision(stored["decision"], arrays)}
            | {"smoothing": _smoothing(stored, arrays)}
        )


def _decision(facts, arrays):
    rule = facts["rule"]
    if rule == "threshold":
        return float(facts["logit"])
    if rule == "thresholds":
        return arrays["thresholds"]
    if rule == rules.EXPECTED_F2:
        return rules.EXPECTED_F2
    raise ValueError(f"unknown rule {rule!r}")


def _smoothing(stored, arrays):
    strength = stored.get("association_strength", 0.0)
    if not strength:
        return None
    entries = [arrays[f"association_{name}"] for name in ("weight", "index", "offsets")]
    centre = arrays["association_centre"]
    weights = scipy.sparse.csr_array(tuple(entries), (len(centre),) * 2)
    return smoothing.Smoothing(weights, centre, strength)
