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
_KINDS = {
    "fitted_ids": "U",
    "kernel": "f",
    "bias": "f",
    "intercept": "f",
    "thresholds": "f",
    "association_offsets": "i",
    "association_index": "i",
    "association_weight": "f",
    "association_centre": "f",
}
_BY_LABEL = ("kernel", "bias", "intercept", "thresholds", "association_centre")
# logits are float32: beyond these a number is infinity or 0
_LARGEST = np.float64(np.finfo(np.float32).max)
_SMALLEST = np.float64(np.finfo(np.float32).tiny)


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
        errors.DataError: the folder is missing, of another format, changed or
            inconsistent.
    """
    folder = pathlib.Path(folder)
    with stored_files.reading(
        folder, "not an adaptation folder", "a folder that `tools.adapt` wrote"
    ):
        file = folder / "adaptation.json"
        stored = stored_files.read_json(file)
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
        stored.setdefault("association_strength", 0.0)
        _require_facts(stored, file)
        _require_arrays(arrays, folder)
        _require_one_way(stored, arrays, folder)
        return (
            {name: stored[name] for name in _FACTS}
            | {name: arrays.get(name) for name in _ARRAYS[1:]}
            | {"fitted_ids": arrays["fitted_ids"]}
            | {"decision": _decision(stored["decision"], arrays, file)}
            | {"smoothing": _smoothing(stored, arrays, folder)}
        )


def _require_facts(stored, file):
    facts = {name: (stored[name], str, "a string") for name in _FACTS}
    facts |= {n: (stored[n], dict, "an object") for n in ("fitted_on", "figures")}
    del facts["slope"]
    for name, (value, kind, expected) in facts.items():
        _require(isinstance(value, kind), name, expected, repr(value), file)
    slope, strength = stored["slope"], stored["association_strength"]
    right = _is_number(slope) and slope >= _SMALLEST
    _require(right, "slope", "a finite number above 0", repr(slope), file)
    right = _is_number(strength) and strength >= 0
    _require(
        right, "association_strength", "a finite number from 0 on", repr(strength), file
    )


def _require_arrays(arrays, folder):
    for name in filter(arrays.__contains__, _KINDS):
        array, kind, axes = arrays[name], _KINDS[name], 2 if name == "kernel" else 1
        file = folder / f"{name}.npy"
        right = array.dtype.kind == kind and array.ndim == axes
        received = f"{array.dtype}, shape {array.shape}"
        _require(right, name, f"dtype kind {kind}, {axes} axes", received, file)
        if kind == "f":
            wrong = array[~(np.abs(array) <= _LARGEST)]
            _require(not len(wrong), name, "finite numbers", str(wrong[:1]), file)
    sizes = {name: arrays[name].shape[-1] for name in _BY_LABEL if name in arrays}
    if len(set(sizes.values())) > 1:
        raise errors.DataError(
            "arrays of an adaptation disagree in the number of labels",
            expected="one number",
            received=", ".join(f"{size} in {name}" for name, size in sizes.items()),
            file=folder,
        )


def _require_one_way(stored, arrays, folder):
    """Logits are remade by a whole last layer or moved by a line, not both."""
    layer = {"kernel", "bias"} & arrays.keys()
    moved = stored["slope"] != 1 or "intercept" in arrays
    if len(layer) == 1 or (layer and moved):
        raise errors.DataError(
            "an adaptation remakes logits in one way",
            expected="kernel and bias, or slope and intercept",
            received=f"{', '.join(sorted(arrays))}, slope {stored['slope']}",
            file=folder,
        )


def _require(right, name, *said):
    stored_files.require(right, f"an adaptation cannot have this {name}", *said)


def _is_number(value):
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and abs(value) <= _LARGEST


def _decision(facts, arrays, file):
    rule = facts["rule"]
    if rule == "threshold":
        logit = facts["logit"]
        _require(_is_number(logit), "threshold", "a finite number", repr(logit), file)
        return float(logit)
    if rule == "thresholds":
        return arrays["thresholds"]
    if rule == rules.EXPECTED_F2:
        return rules.EXPECTED_F2
    raise ValueError(f"unknown rule {rule!r}")


def _smoothing(stored, arrays, folder):
    strength = stored["association_strength"]
    if not strength:
        return None
    weight, centre = arrays["association_weight"], arrays["association_centre"]
    for name, values, most, expected in (
        ("association_weight", weight, _LARGEST, "numbers from 0 on"),
        ("association_centre", centre, 1, "numbers of 0 to 1"),
    ):
        wrong = values[(values < 0) | (values > most)]
        file = folder / f"{name}.npy"
        _require(not len(wrong), name, expected, str(wrong[:1]), file)
    entries = weight, arrays["association_index"], arrays["association_offsets"]
    weights = scipy.sparse.csr_array(entries, (len(centre),) * 2)
    # an index out of range would be read beside the array
    weights.check_format(full_check=True)
    return smoothing.Smoothing(weights, centre, strength)
