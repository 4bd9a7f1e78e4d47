"""A folder of an adaptation that would give wrong figures is refused by its file."""

import json

import numpy as np
import pytest
import scipy.sparse

from data_pipelines import atomic, errors, labels
from inclusive_tf import predictions
from inclusive_tf.adaptation import adapted, smoothing

VOCABULARY = labels.Vocabulary(("a", "b", "c"))


def _adaptation(**parts):
    fields = {"decision": np.zeros(3), "kernel": None, "bias": None} | parts
    return adapted.Adaptation(
        name="one",
        vocabulary_hash=VOCABULARY.hash,
        fitted_ids=np.array(["tuning"]),
        fitted_on={},
        figures={},
        **fields,
    )


def _layer(**parts):
    kernel, bias = np.ones((2, 3), np.float32), np.zeros(3, np.float32)
    return _adaptation(kernel=kernel, bias=bias, **parts)


def _smoothed():
    weights = scipy.sparse.csr_array(np.eye(3, k=1, dtype=np.float32))
    centre = np.full(3, 0.5, np.float32)
    return _adaptation(smoothing=smoothing.Smoothing(weights, centre, 0.7))


def _stage():
    return predictions.Predictions(
        ids=np.array(["x", "y"]),
        logits=np.ones((2, 3), np.float32),
        features=np.ones((2, 2), np.float32),
        truth=labels.SparseLabels.from_lists([[0], [2]], 3),
        unlisted_is_absent=True,
        group=np.zeros(2, np.int32),
        group_names=("all",),
        training_counts=np.ones(3, np.int64),
        vocabulary=VOCABULARY,
    )


def _facts_changed(folder, changes):
    path = folder / "adaptation.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _array_changed(folder, name, array):
    path = folder / f"{name}.npy"
    np.save(path, array)
    sums = json.loads((folder / "adaptation.json").read_text())["sha256"]
    _facts_changed(folder, {"sha256": sums | {path.name: atomic.sha256(path)}})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(
            ("slope", value, "a finite number above 0")
            for value in (0.0, -1.0, 1e-60, 1e60, np.nan, np.inf, "1", True, None)
        ),
        *(
            ("association_strength", value, "a finite number from 0 on")
            for value in (-0.1, np.inf, "0", False)
        ),
        ("name", 3, "a string"),
        ("vocabulary_hash", None, "a string"),
        ("layer_hash", [], "a string"),
        ("variant", {}, "a string"),
        ("fitted_on", "tuning", "an object"),
        ("figures", [], "an object"),
    ],
)
def test_a_fact_that_cannot_be_is_refused(tmp_path, name, value, expected):
    _adaptation().save(tmp_path / "one")
    _facts_changed(tmp_path / "one", {name: value})
    message = rf"adaptation\.json: .*this {name}\. Expected: {expected}\. Received: "
    with pytest.raises(errors.DataError, match=message):
        adapted.load(tmp_path / "one")


@pytest.mark.parametrize("logit", [np.nan, np.inf, "0.5", True, None])
def test_a_threshold_is_a_finite_number(tmp_path, logit):
    _adaptation(decision=0.5).save(tmp_path / "one")
    decision = {"rule": "threshold", "logit": logit}
    _facts_changed(tmp_path / "one", {"decision": decision})
    with pytest.raises(errors.DataError, match=r"adaptation\.json: .*this threshold"):
        adapted.load(tmp_path / "one")


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("thresholds", np.array(["0", "1", "2"]), "dtype kind f, 1 axes.*<U1"),
        ("thresholds", np.zeros((3, 1)), r"1 axes.*\(3, 1\)"),
        ("thresholds", np.zeros(3, int), "dtype kind f.*int64"),
        ("thresholds", np.array([0, np.nan, 0]), "finite numbers.*nan"),
        ("thresholds", np.array([0, np.inf, 0]), "finite numbers.*inf"),
        ("kernel", np.ones(3, np.float32), "2 axes"),
        ("kernel", np.full((2, 3), np.inf, np.float32), "finite numbers.*inf"),
        ("bias", np.array([0, 0, 1e60]), "finite numbers.*e"),
        ("fitted_ids", np.zeros(1), "dtype kind U"),
        ("association_centre", np.full(3, 1.5), "0 to 1.*1.5"),
        ("association_weight", np.array([1.0, -2.0]), "from 0 on.*-2"),
    ],
)
def test_an_array_that_cannot_be_is_refused(tmp_path, name, array, message):
    one = _smoothed() if name.startswith("association") else _layer()
    one.save(tmp_path / "one")
    _array_changed(tmp_path / "one", name, array)
    with pytest.raises(errors.DataError, match=rf"{name}\.npy: .*{message}"):
        adapted.load(tmp_path / "one")


@pytest.mark.parametrize("index", [[1, 3], [-1, 2]])
def test_an_associated_label_out_of_range_is_refused(tmp_path, index):
    _smoothed().save(tmp_path / "one")
    _array_changed(tmp_path / "one", "association_index", np.array(index, np.int32))
    with pytest.raises(errors.DataError, match=r"one: .*indices must be"):
        adapted.load(tmp_path / "one")


@pytest.mark.parametrize("size", [1, 9])
def test_arrays_of_another_number_of_labels_are_refused(tmp_path, size):
    _layer().save(tmp_path / "layer")
    _array_changed(tmp_path / "layer", "thresholds", np.zeros(size))
    message = f"layer: .*3 in kernel, 3 in bias, {size} in thresholds"
    with pytest.raises(errors.DataError, match=message):
        adapted.load(tmp_path / "layer")
    # the number is known from the predictions only
    for name, parts in (
        ("thresholds", {"decision": np.zeros(size)}),
        ("intercept", {"decision": 0.0, "intercept": np.zeros(size, np.float32)}),
    ):
        _adaptation(**parts).save(tmp_path / name)
        one = adapted.load(tmp_path / name)
        with pytest.raises(errors.DataError, match=f"3 labels in {name}"):
            adapted.apply(one, _stage())


def test_associations_of_another_number_of_labels_are_refused():
    few = smoothing.Smoothing(
        scipy.sparse.csr_array((2, 2), dtype=np.float32), np.zeros(2, np.float32), 1.0
    )
    with pytest.raises(errors.DataError, match="3 labels in associations"):
        adapted.apply(_adaptation(decision=0.0, smoothing=few), _stage())


def test_logits_are_remade_in_one_way(tmp_path):
    _layer().save(tmp_path / "one")
    _facts_changed(tmp_path / "one", {"slope": 2.0})
    with pytest.raises(errors.DataError, match=r"one way.*slope 2\.0"):
        adapted.load(tmp_path / "one")
    _adaptation(kernel=np.ones((2, 3), np.float32)).save(tmp_path / "half")
    with pytest.raises(errors.DataError, match=r"one way.*Expected: kernel and bias"):
        adapted.load(tmp_path / "half")


@pytest.mark.parametrize(
    "one", [_adaptation(), _layer(), _smoothed(), _adaptation(decision=-3)]
)
def test_what_is_sound_is_read_and_applied(tmp_path, one):
    one.save(tmp_path / "one")
    changed, _ = adapted.apply(adapted.load(tmp_path / "one"), _stage())
    expected, _ = adapted.apply(one, _stage())
    np.testing.assert_array_equal(changed.logits, expected.logits)
