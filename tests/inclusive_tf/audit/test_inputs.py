"""Predictions of several folders as one."""

import dataclasses

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf.audit import inputs


@pytest.fixture
def parts(clustered, tmp_path):
    predictions, _ = clustered
    cluster = np.arange(600, dtype=np.int32)
    predictions = dataclasses.replace(predictions, cluster=cluster)
    rows = np.split(np.random.default_rng(0).permutation(600), 3)
    for number, part in enumerate(rows):
        predictions.take(part).save(tmp_path / str(number))
    return predictions.take(np.concatenate(rows)), [tmp_path / str(k) for k in range(3)]


def test_parts_of_one_model_are_what_they_were_before(parts):
    whole, folders = parts
    found = inputs.stacked(inputs.load(folders))
    for name in ("ids", "logits", "features", "group", "cluster", "training_counts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
    np.testing.assert_array_equal(found.truth.multi_hot(), whole.truth.multi_hot())
    assert found.layer_hash == whole.layer_hash
    assert inputs.learnt_from(found)


def test_features_of_several_models_are_left_out(parts, tmp_path):
    whole, folders = parts
    other = dataclasses.replace(
        whole.take(np.arange(400, 600)), bias=np.ones(3, np.float32),
        source={"split": "held_out"},
    )  # fmt: skip
    other.save(tmp_path / "other")
    found = inputs.stacked(inputs.load([folders[0], tmp_path / "other"]))
    assert found.features.shape == (400, 0)
    assert found.kernel is None


def test_groups_are_matched_by_name(parts, tmp_path):
    whole, folders = parts
    dataclasses.replace(
        whole.take(np.arange(400, 600)), group_names=("there", "here"),
        group=np.tile([0, 1], 100).astype(np.int32),
    ).save(tmp_path / "other")  # fmt: skip
    found = inputs.stacked(inputs.load([folders[0], tmp_path / "other"]))
    names = np.array(found.group_names)[found.group]
    assert names[:200].tolist() == ["here"] * 200
    assert names[200:].tolist() == ["there", "here"] * 100


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"vocabulary": labels.Vocabulary("xyz")}, "vocabularies differ"),
        ({"cluster": None}, "belong together"),
        ({"unlisted_is_absent": False}, "as unknown"),
        ({}, "stands in two"),
    ],
    ids=["vocabulary", "clusters", "unlisted", "images"],
)
def test_what_does_not_fit_is_refused(parts, tmp_path, changes, line):
    whole, folders = parts
    rows = np.arange(400, 600) if changes else np.arange(200)
    dataclasses.replace(whole.take(rows), **changes).save(tmp_path / "other")
    with pytest.raises(errors.DataError, match=line):
        inputs.stacked(inputs.load([folders[0], tmp_path / "other"]))


def test_no_folder_is_refused():
    with pytest.raises(errors.DataError, match="no predictions"):
        inputs.load([])
