"""The constant answer is the best of the most frequent labels."""

import os
import pathlib

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf.evaluation import baselines, f2, submissions

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("unlisted_is_absent", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_no_other_number_of_frequent_labels_scores_better(seed, unlisted_is_absent):
    generator = np.random.default_rng(seed)
    states = generator.random((50, 8))
    rows, index = np.nonzero(states < 0.7)
    confidence = (states[rows, index] < np.linspace(0.1, 0.5, 8)[index]) * 1.0
    offsets = np.append(0, np.cumsum(np.bincount(rows, minlength=50)))
    truth = labels.SparseLabels(offsets, index, confidence.astype(np.float32), 8)
    ranked = np.argsort(-truth.counts(), kind="stable")

    def score(given):
        logits = np.full((50, 8), -1.0)
        logits[:, given] = 1.0
        return f2.mean_f2(logits, 0.0, truth, unlisted_is_absent)

    scores = [score(ranked[:k]) for k in range(1, 9)]
    found = baselines.constant_answer(truth, unlisted_is_absent=unlisted_is_absent)
    np.testing.assert_array_equal(found, ranked[: int(np.argmax(scores)) + 1])
    capped = baselines.constant_answer(truth, 2, unlisted_is_absent)
    assert len(capped) == np.argmax(scores[:2]) + 1


def test_constant_predictions_give_exactly_these_labels(make_predictions):
    one = make_predictions()
    constant = baselines.constant_predictions(one, [4, 1])
    given = f2.decisions(constant.logits, 0.0).multi_hot()
    assert set(np.flatnonzero(given.all(axis=0))) == {1, 4}
    assert not given[:, [0, 2, 3, 5, 6]].any()
    assert constant.source["constant"] == ["/m/4", "/m/1"]
    np.testing.assert_array_equal(constant.ids, one.ids)


def test_truth_without_labels_has_no_constant_answer():
    with pytest.raises(errors.DataError, match="no image"):
        baselines.constant_answer(labels.SparseLabels.from_lists([[], []], 3))


def test_on_the_challenge_it_is_person_plant_tree():
    data = pathlib.Path(os.environ.get("INCLUSIVE_TF_DATA", ROOT / "../shared/data"))
    path = data / "inclusive_images" / "stage_1_solutions.csv"
    if not path.exists():
        pytest.skip("the challenge's label files are not there")
    truth = submissions.read(path)
    ids = sorted(frozenset().union(*truth.values()))
    index = {code: position for position, code in enumerate(ids)}
    rows = [[index[code] for code in codes] for codes in truth.values()]
    found = baselines.constant_answer(labels.SparseLabels.from_lists(rows, len(ids)))
    answer = {ids[position] for position in found}
    assert answer == {"/m/01g317", "/m/05s2s", "/m/07j7r"}
