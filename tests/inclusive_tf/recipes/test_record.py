"""A record is small, and gives back what was answered to which questions."""

import json

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf.recipes import record

GENERATOR = np.random.default_rng(0)


def a_record(images=50, classes=13):
    answer = record.Answer(
        GENERATOR.random((images, classes)) < 0.3,
        GENERATOR.integers(0, classes, (images, 5)),
        "abc",
    )
    return record.Record(
        "ours", 3, "f" * 64, {"stage": answer}, np.arange(classes),
        {"mean_f2": 0.5, "estimate": "5-fold"},
        {"seconds": 1.5, "images": 10, "parameters": 20, "members": 1}, {"keras": "3"},
    )  # fmt: skip


@pytest.mark.parametrize("classes", [1, 8, 13])
def test_what_is_written_is_read_back(tmp_path, classes):
    written = a_record(classes=classes)
    record.write(tmp_path / "one.json", written)
    found = record.read(tmp_path / "one.json")
    answer, before = found.answers["stage"], written.answers["stage"]
    np.testing.assert_array_equal(answer.given, before.given)
    np.testing.assert_array_equal(answer.ranking, before.ranking)
    np.testing.assert_array_equal(found.training_counts, written.training_counts)
    for name in ("recipe", "seed", "flags", "tuning", "cost", "versions"):
        assert getattr(found, name) == getattr(written, name)
    assert answer.digest == "abc"


def test_three_thousand_images_take_a_few_kilobytes(tmp_path):
    record.write(tmp_path / "one.json", a_record(3000, 15))
    assert (tmp_path / "one.json").stat().st_size < 25_000


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: stored.update(format=9),
        lambda stored: stored.pop("seed"),
        lambda stored: stored["answers"]["stage"].update(given="AAAA"),
        lambda stored: stored["answers"]["stage"].update(images=51),
    ],
)
def test_another_file_is_refused_by_name(tmp_path, change):
    path = tmp_path / "one.json"
    record.write(path, a_record())
    stored = json.loads(path.read_text())
    change(stored)
    path.write_text(json.dumps(stored))
    with pytest.raises(errors.DataError, match=r"one.json.*record"):
        record.read(path)


def test_a_digest_does_not_look_at_the_order_of_an_images_labels():
    vocabulary, group = labels.Vocabulary(("x", "y")), np.zeros(1, np.int32)
    found = {
        record.digest(
            ["a"],
            labels.SparseLabels(np.array([0, 2]), np.array(index), np.array(share), 2),
            group,
            vocabulary,
        )
        for index, share in (([0, 1], [1.0, 0.5]), ([1, 0], [0.5, 1.0]))
    }
    assert len(found) == 1


def test_a_digest_tells_questions_apart():
    ids = np.array(["a", "b"])
    truth = labels.SparseLabels.from_lists([[0], [1]], 2)
    group = np.zeros(2, np.int32)
    vocabulary = labels.Vocabulary(("x", "y"))
    found = {
        record.digest(ids, truth, group, vocabulary),
        record.digest(ids[::-1], truth, group, vocabulary),
        record.digest(ids, truth.take([1, 0]), group, vocabulary),
        record.digest(ids, truth, group + 1, vocabulary),
        record.digest(ids, truth, group, labels.Vocabulary(("x", "z"))),
    }
    assert len(found) == 5
