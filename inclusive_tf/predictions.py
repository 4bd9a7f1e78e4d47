"""A model's predictions as a folder of memory-mappable arrays.

Everything after the model (thresholds, last-layer refits, evaluation, comparison) is a
function of this folder and needs neither the model nor TensorFlow.
"""

import dataclasses
import hashlib
import pathlib

import numpy as np

from data_pipelines import atomic, errors, labels, stored_files

FORMAT = 1
_ARRAYS = {
    "ids": "U",
    "logits": "f",
    "features": "f",
    "truth_offsets": "i",
    "truth_index": "i",
    "truth_confidence": "f",
    "group": "i",
    "training_counts": "i",
}
_OPTIONAL_ARRAYS = {"kernel": "f", "bias": "f", "cluster": "i"}


@dataclasses.dataclass(frozen=True)
class Predictions:
    """Logits and truth of N images over C classes.

    Args:
        ids: str [N], unique.
        logits: float32 [N, C].
        features: float32 [N, D]; input of the last layer.
        truth: `labels.SparseLabels` of N rows; rows may be empty when unlabelled.
        unlisted_is_absent: whether a label that is not stated is absent.
        group: int32 [N], an index into `group_names`.
        group_names: names of the groups.
        training_counts: int64 [C]; images that showed each label in training.
        vocabulary: the classes.
        source: free facts for the reader, such as run, split and checkpoint.
        kernel: float32 [D, C] or None; the last layer, which made the logits of the
            features. None where it is not known or there is none.
        bias: float32 [C]; None where `kernel` is.
        cluster: int32 [N] or None; images of one value belong together (a scene, a
            track, near-duplicates): folds and resamples take all of them or none.
        variant: how they were made otherwise than by one look of the trained model, in
            words, such as its views; "" for just that. What is fitted on one variant
            fits no other, though the last layer is the same.
    """

    ids: np.ndarray
    logits: np.ndarray
    features: np.ndarray
    truth: labels.SparseLabels
    unlisted_is_absent: bool
    group: np.ndarray
    group_names: tuple
    training_counts: np.ndarray
    vocabulary: labels.Vocabulary
    source: dict = dataclasses.field(default_factory=dict)
    kernel: np.ndarray | None = None
    bias: np.ndarray | None = None
    cluster: np.ndarray | None = None
    variant: str = ""

    def __post_init__(self):
        shapes = {
            "ids": (self.ids.shape, (len(self.ids),)),
            "logits": (self.logits.shape, (len(self.ids), len(self.vocabulary))),
            "features": (
                self.features.shape,
                (len(self.ids), *self.features.shape[-1:]),
            ),
            "truth": ((len(self.truth),), (len(self.ids),)),
            "group": (self.group.shape, (len(self.ids),)),
            "training_counts": (self.training_counts.shape, (len(self.vocabulary),)),
        }
        if (self.kernel is None) != (self.bias is None):
            raise errors.DataError(
                "predictions hold half of a last layer",
                expected="kernel and bias, or neither",
                received="only one of them",
            )
        if self.kernel is not None:
            layer = (self.features.shape[1], len(self.vocabulary))
            shapes["kernel"] = (self.kernel.shape, layer)
            shapes["bias"] = (self.bias.shape, layer[1:])
        if self.cluster is not None:
            shapes["cluster"] = (self.cluster.shape, (len(self.ids),))
        for name, (received, expected) in shapes.items():
            if received != expected:
                raise errors.DataError(
                    f"predictions disagree in the shape of {name}",
                    expected=str(expected),
                    received=str(received),
                )
        labels.check_positions("group", self.group, len(self.group_names))
        self.truth.check()

    def __len__(self):
        return len(self.ids)

    @property
    def layer_hash(self):
        """SHA-256 of kernel and bias as float32, as hex; "" where there is none."""
        return "" if self.kernel is None else hash_layer(self.kernel, self.bias)

    def take(self, rows):
        """Returns the images named by int or boolean `rows`, in that order."""
        return dataclasses.replace(
            self,
            ids=self.ids[rows],
            logits=self.logits[rows],
            features=self.features[rows],
            truth=self.truth.take(rows),
            group=self.group[rows],
            cluster=None if self.cluster is None else self.cluster[rows],
        )

    def save(self, folder):
        """Writes the folder, whole or not at all, with a manifest of SHA-256 sums."""
        arrays = {
            "ids": self.ids,
            "logits": self.logits,
            "features": self.features,
            "truth_offsets": self.truth.offsets,
            "truth_index": self.truth.index,
            "truth_confidence": self.truth.confidence,
            "group": self.group,
            "training_counts": self.training_counts,
        }
        for name in _OPTIONAL_ARRAYS:
            if getattr(self, name) is not None:
                arrays[name] = getattr(self, name)
        with atomic.folder(folder) as temporary:
            for name, array in arrays.items():
                np.save(temporary / f"{name}.npy", array, allow_pickle=False)
            manifest = {
                "format": FORMAT,
                "unlisted_is_absent": self.unlisted_is_absent,
                "group_names": list(self.group_names),
                "vocabulary": self.vocabulary.to_json(),
                "source": self.source,
                "variant": self.variant,
                "sha256": {
                    f"{name}.npy": atomic.sha256(temporary / f"{name}.npy")
                    for name in arrays
                },
            }
            atomic.write_json(temporary / "manifest.json", manifest)


def hash_layer(kernel, bias):
    """Returns the SHA-256 of kernel [D, C] and bias [C] as float32, as hex."""
    arrays = [np.ascontiguousarray(values, "<f4") for values in (kernel, bias)]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def load(folder, verify=True):
    """Reads a predictions folder; arrays are memory-mapped, read-only.

    Args:
        folder: path written by `Predictions.save`.
        verify: whether to check the SHA-256 sums first.

    Raises:
        errors.DataError: the folder is missing, of another format, changed or
            inconsistent.
    """
    folder = pathlib.Path(folder)
    with stored_files.reading(
        folder, "not a predictions folder", "a folder that `tools.predict` wrote"
    ):
        manifest = stored_files.read_json(folder / "manifest.json")
        if manifest["format"] != FORMAT:
            raise errors.DataError(
                "predictions of another format",
                expected=f"format {FORMAT}",
                received=manifest["format"],
                file=folder,
            )
        _require_manifest(manifest, folder / "manifest.json")
        sums = manifest["sha256"]
        kinds = dict(_ARRAYS)
        kinds |= {n: k for n, k in _OPTIONAL_ARRAYS.items() if f"{n}.npy" in sums}
        arrays = {
            name: _load_array(folder / f"{name}.npy", kind, sums if verify else None)
            for name, kind in kinds.items()
        }
        vocabulary = labels.Vocabulary.from_json(
            manifest["vocabulary"], folder / "manifest.json"
        )
        try:
            found = Predictions(
                ids=arrays["ids"],
                logits=arrays["logits"],
                features=arrays["features"],
                truth=labels.SparseLabels(
                    arrays["truth_offsets"],
                    arrays["truth_index"],
                    arrays["truth_confidence"],
                    len(vocabulary),
                ),
                unlisted_is_absent=manifest["unlisted_is_absent"],
                group=arrays["group"],
                group_names=tuple(manifest["group_names"]),
                training_counts=arrays["training_counts"],
                vocabulary=vocabulary,
                source=manifest["source"],
                variant=manifest.get("variant", ""),
                **{name: arrays.get(name) for name in _OPTIONAL_ARRAYS},
            )
        except errors.DataError as error:
            raise errors.DataError(str(error).removesuffix("."), file=folder) from error
        _require_values(found, folder)
        return found


def _require_manifest(manifest, file):
    absent, source = manifest["unlisted_is_absent"], manifest["source"]
    variant, vocabulary = manifest.get("variant", ""), manifest["vocabulary"]
    right = isinstance(absent, bool)
    _require(right, "unlisted_is_absent", "true or false", repr(absent), file)
    _require(isinstance(variant, str), "variant", "a string", repr(variant), file)
    right = isinstance(source, dict) and _are_strings(splits(source))
    _require(right, "source", "an object whose splits are strings", repr(source), file)
    for name, values in (
        ("group_names", manifest["group_names"]),
        ("ids of labels", vocabulary["ids"]),
        ("names of labels", vocabulary["names"]),
    ):
        _require(_are_strings(values), name, "a list of strings", repr(values), file)


def _require_values(found, folder):
    """Refuses values that would give wrong figures; shapes have been looked at."""
    ids, truth = np.sort(found.ids), found.truth
    twice = ids[1:][ids[1:] == ids[:-1]]
    _require(not len(twice), "ids", "each id once", str(twice[:1]), folder / "ids.npy")
    entries = np.sort(truth.rows() * truth.num_classes + truth.index)
    twice = entries[1:][entries[1:] == entries[:-1]]
    if len(twice):
        row, label = divmod(int(twice[0]), truth.num_classes)
        raise errors.DataError(
            "the truth of an image names a label twice",
            expected="each label once",
            received=f"{found.vocabulary.ids[label]} of image {found.ids[row]}",
            file=folder / "truth_index.npy",
        )
    rows = [
        ("truth_confidence", truth.confidence, 0, 1, "numbers of 0 to 1"),
        ("training_counts", found.training_counts, 0, np.inf, "numbers from 0 on"),
    ]
    if found.kernel is not None:
        largest = np.finfo(np.float32).max
        for name, values in (("kernel", found.kernel), ("bias", found.bias)):
            rows.append((name, values, -largest, largest, "finite numbers"))
    for name, values, least, most, expected in rows:
        wrong = values[~((values >= least) & (values <= most))]
        _require(not len(wrong), name, expected, str(wrong[:1]), folder / f"{name}.npy")


def _require(right, name, *said):
    stored_files.require(right, f"predictions cannot have such {name}", *said)


def _are_strings(values):
    return isinstance(values, list) and all(isinstance(one, str) for one in values)


def _load_array(path, kind, sums):
    array = stored_files.read_array(path, None if sums is None else sums[path.name])
    if array.dtype.kind != kind:
        raise errors.DataError(
            "an array of the wrong type",
            expected=f"dtype kind {kind}",
            received=str(array.dtype),
            file=path,
        )
    return array


def require_same_vocabulary(first, second):
    """Raises `errors.DataError` naming both hashes unless the vocabularies agree."""
    if first.vocabulary.hash != second.vocabulary.hash:
        raise errors.DataError(
            "the vocabularies differ",
            expected=f"vocabulary {first.vocabulary.hash[:12]}",
            received=f"vocabulary {second.vocabulary.hash[:12]}",
        )


def require_same_model(first, second, problem):
    """Refuses two that were not made by one model in one way.

    Args:
        first: has `layer_hash` and `variant`, as `Predictions` and adaptations do; a
            `layer_hash` of "" is not compared.
        second: likewise.
        problem: what to say is wrong.

    Raises:
        errors.DataError: the last layers or the variants differ; both are named.
    """
    layers = first.layer_hash, second.layer_hash
    if "" not in layers and layers[0] != layers[1]:
        raise errors.DataError(
            problem,
            expected=f"last layer {layers[0]}",
            received=f"last layer {layers[1]}",
        )
    if first.variant != second.variant:
        raise errors.DataError(
            f"{problem}, or of the same one in another way",
            expected=_in_words(first.variant),
            received=_in_words(second.variant),
        )


def _in_words(variant):
    return variant or "one view by the model as it was trained"


def splits(source):
    """Returns which splits the images of predictions are of, as far as it is known.

    Args:
        source: of `Predictions`: "split" of one network, "splits" of an ensemble, whose
            networks may have been trained on different images, or "several" of which
            each is one of these.

    Returns:
        A sorted list of names; "" stands for one that is not known.
    """
    if "several" in source:
        return sorted({name for one in source["several"] for name in splits(one)})
    return sorted(source.get("splits", [source.get("split") or ""]))
