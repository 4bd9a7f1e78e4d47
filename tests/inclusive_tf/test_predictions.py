"""Predictions come back from their folder as they went in, or not at all."""

import dataclasses
import hashlib
import json
import pathlib

import numpy as np
import pytest

from data_pipelines import atomic, errors, labels
from inclusive_tf import predictions


def _predictions(rows=4, truth=((0,), (1, 2), (), (2,))):
    generator = np.random.default_rng(0)
    return predictions.Predictions(
        ids=np.array([f"image {row}" for row in range(rows)], dtype=str),
        logits=generator.normal(size=(rows, 3)).astype(np.float32),
        features=generator.normal(size=(rows, 5)).astype(np.float32),
        truth=labels.SparseLabels.from_lists(truth, 3),
        unlisted_is_absent=True,
        group=(np.arange(rows) % 2).astype(np.int32),
        group_names=("north", "south", "empty"),
        training_counts=np.array([7, 0, 2]),
        vocabulary=labels.Vocabulary(("/m/a", "/m/b", "/m/ü"), ("a", "b", "ü")),
        source={"run": "plain"},
    )


def _with_layer(one):
    return dataclasses.replace(
        one,
        kernel=np.arange(15, dtype=np.float32).reshape(5, 3),
        bias=np.array([0.5, 1.5, -2], np.float32),
        cluster=np.arange(len(one), dtype=np.int32) // 2,
    )


def _assert_same(first, second):
    arrays = ("ids", "logits", "features", "group", "training_counts")
    for name in (*arrays, "kernel", "bias", "cluster"):
        np.testing.assert_equal(getattr(first, name), getattr(second, name))
    for name in ("offsets", "index", "confidence"):
        np.testing.assert_array_equal(
            getattr(first.truth, name), getattr(second.truth, name)
        )
    for name in ("unlisted_is_absent", "group_names", "vocabulary", "source"):
        assert getattr(first, name) == getattr(second, name)


@pytest.mark.parametrize(
    "one",
    [
        _predictions(),
        _predictions(truth=((), (), (), ())),
        _predictions(rows=0, truth=()),
        _with_layer(_predictions()),
        dataclasses.replace(_with_layer(_predictions()), cluster=None),
    ],
    ids=["usual", "no truth", "no rows", "layer and clusters", "layer"],
)
def test_a_folder_gives_back_what_was_saved(tmp_path, one):
    one.save(tmp_path / "predictions")
    loaded = predictions.load(tmp_path / "predictions")
    _assert_same(one, loaded)
    assert isinstance(loaded.logits, np.memmap)
    backwards = np.arange(len(one))[::-1]
    _assert_same(one.take(backwards), loaded.take(backwards))


def test_a_constant_row_seen_many_times_is_saved_whole(tmp_path):
    one = _predictions()
    row = np.array([1, 2, 3], np.float32)
    logits = np.broadcast_to(row, (4, 3))
    dataclasses.replace(one, logits=logits).save(tmp_path / "p")
    np.testing.assert_array_equal(predictions.load(tmp_path / "p").logits, logits)


@pytest.mark.parametrize(
    "name", ["logits.npy", "truth_index.npy", "ids.npy", "kernel.npy", "cluster.npy"]
)
def test_a_changed_file_is_refused_by_name(tmp_path, name):
    _with_layer(_predictions()).save(tmp_path / "p")
    path = tmp_path / "p" / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(errors.DataError, match=rf"{name}.*does not match its sum"):
        predictions.load(tmp_path / "p")


def _rewrite_manifest(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    change(manifest)
    atomic.write_json(path, manifest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["vocabulary"].update(hash="0" * 64), "match its hash"),
        (lambda m: m["vocabulary"].update(ids=["a", "b", "c"]), "match its hash"),
        (lambda m: m.update(format=2), "another format"),
        (lambda m: m.pop("sha256"), "not a predictions folder"),
        (lambda m: m.update(group_names=["one"]), "out of range in group"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(tmp_path, change, message):
    _predictions().save(tmp_path / "p")
    _rewrite_manifest(tmp_path / "p", change)
    with pytest.raises(errors.DataError, match=message):
        predictions.load(tmp_path / "p")


class _Opened:
    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path("opened"),))


def test_a_pickle_is_refused_and_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _predictions().save(tmp_path / "p")
    path = tmp_path / "p" / "ids.npy"
    np.save(path, np.array([_Opened()] * 4, dtype=object), allow_pickle=True)
    with pytest.raises(errors.DataError, match="not a predictions folder"):
        predictions.load(tmp_path / "p", verify=False)
    assert not (tmp_path / "opened").exists()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(errors.DataError, match="nowhere"):
        predictions.load(tmp_path / "nowhere")


def test_an_array_of_another_type_is_refused(tmp_path):
    _predictions().save(tmp_path / "p")
    np.save(tmp_path / "p" / "logits.npy", np.zeros((4, 3), np.int32))
    with pytest.raises(errors.DataError, match="wrong type"):
        predictions.load(tmp_path / "p", verify=False)


@pytest.mark.parametrize(
    "change",
    [
        {"logits": np.zeros((4, 2), np.float32)},
        {"features": np.zeros((3, 5), np.float32)},
        {"group": np.zeros(3, np.int32)},
        {"training_counts": np.zeros(4, np.int64)},
        {"group": np.array([0, 1, 3, 0], np.int32)},
        {"group": np.array([0, -1, 1, 0], np.int32)},
        {"kernel": np.zeros((4, 3), np.float32)},
        {"bias": np.zeros(4, np.float32)},
        {"cluster": np.zeros(3, np.int32)},
    ],
)
def test_arrays_that_disagree_are_refused(change):
    with pytest.raises(errors.DataError, match=next(iter(change))):
        dataclasses.replace(_with_layer(_predictions()), **change)


def test_half_of_a_last_layer_is_refused():
    with pytest.raises(errors.DataError, match="half of a last layer"):
        dataclasses.replace(_predictions(), bias=np.zeros(3, np.float32))


def test_the_hash_of_a_last_layer_names_its_weights(tmp_path):
    assert _predictions().layer_hash == ""
    one = _with_layer(_predictions())
    content = one.kernel.tobytes() + one.bias.tobytes()
    assert one.layer_hash == hashlib.sha256(content).hexdigest()
    # what the arrays hold counts, not how they lie in memory or on disk
    turned = dataclasses.replace(one, kernel=np.asfortranarray(one.kernel))
    one.save(tmp_path / "p")
    for other in (turned, predictions.load(tmp_path / "p"), one.take([1])):
        assert other.layer_hash == one.layer_hash
    moved = dataclasses.replace(one, bias=one.bias + np.float32(1e-6))
    assert moved.layer_hash != one.layer_hash


def test_the_variant_is_kept_and_older_folders_have_none(tmp_path):
    one = dataclasses.replace(_predictions(), variant="mirror, mean of logits")
    one.save(tmp_path / "p")
    assert predictions.load(tmp_path / "p").variant == one.variant
    assert one.take([1]).variant == one.variant
    _rewrite_manifest(tmp_path / "p", lambda manifest: manifest.pop("variant"))
    assert predictions.load(tmp_path / "p").variant == ""


def test_one_layer_behind_other_views_is_another_way_of_the_model():
    one = _with_layer(_predictions())
    other = dataclasses.replace(one, variant="mirror, mean of logits")
    predictions.require_same_model(one, one, "they differ")
    message = r"they differ, or .*another way.*one view by.*Received: mirror, mean of"
    for first, second in (
        (one, other),
        (dataclasses.replace(one, kernel=None, bias=None), other),
    ):
        with pytest.raises(errors.DataError, match=message):
            predictions.require_same_model(first, second, "they differ")
    moved = dataclasses.replace(one, bias=one.bias + 1)
    with pytest.raises(errors.DataError, match=r"they differ\. Expected: last layer"):
        predictions.require_same_model(one, moved, "they differ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(unlisted_is_absent="false"), "true or false.*false"),
        (lambda m: m.update(unlisted_is_absent=1), "true or false.*1"),
        (lambda m: m.update(group_names="abc"), "group_names.*list of strings"),
        (lambda m: m.update(group_names=["a", 2, "c"]), "group_names.*strings"),
        (lambda m: m["vocabulary"].update(names=["a", None, "c"]), "names of labels"),
        (lambda m: m.update(source="plain"), "source.*object"),
        (lambda m: m.update(source={"split": 3}), "source.*splits are strings"),
        (lambda m: m.update(variant=None), "variant.*string"),
    ],
)
def test_a_fact_of_another_kind_is_refused(tmp_path, change, message):
    _predictions().save(tmp_path / "p")
    _rewrite_manifest(tmp_path / "p", change)
    with pytest.raises(errors.DataError, match=f"manifest.json: .*{message}"):
        predictions.load(tmp_path / "p")


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("ids", np.array(["a", "b", "c", "b"]), "each id once.*b"),
        ("truth_index", np.array([0, 2, 2, 2], np.int32), "twice.*ü of image image 1"),
        ("truth_confidence", np.array([1, 1, np.nan, 1], np.float32), "0 to 1.*nan"),
        ("truth_confidence", np.array([1, 2, 1, 1], np.float32), "0 to 1.*2"),
        ("training_counts", np.array([7, -1, 2]), "from 0 on.*-1"),
        ("kernel", np.full((5, 3), np.inf, np.float32), "finite.*inf"),
        ("bias", np.array([0, np.nan, 0], np.float32), "finite.*nan"),
    ],
)
def test_values_that_would_give_wrong_figures_are_refused_by_file(
    tmp_path, name, array, message
):
    _with_layer(_predictions()).save(tmp_path / "p")
    np.save(tmp_path / "p" / f"{name}.npy", array)
    with pytest.raises(errors.DataError, match=rf"{name}\.npy: .*{message}"):
        predictions.load(tmp_path / "p", verify=False)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("ids", np.full((4, 1), "a")),
        ("features", np.zeros(4, np.float32)),
        ("features", np.zeros((4, 5, 1), np.float32)),
        ("group", np.zeros((4, 1), np.int32)),
    ],
)
def test_an_array_of_another_shape_is_refused_by_folder(tmp_path, name, array):
    _predictions().save(tmp_path / "p")
    np.save(tmp_path / "p" / f"{name}.npy", array)
    with pytest.raises(errors.DataError, match=rf"/p: .*shape of {name}"):
        predictions.load(tmp_path / "p", verify=False)


def test_vocabularies_that_differ_are_named_by_hash():
    one = _predictions()
    other = dataclasses.replace(
        one, vocabulary=labels.Vocabulary(("/m/b", "/m/a", "/m/ü"))
    )
    with pytest.raises(errors.DataError, match=one.vocabulary.hash[:12]):
        predictions.require_same_vocabulary(one, other)
