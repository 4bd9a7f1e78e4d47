"""Figures of labels against pandas, SciPy and plain counting."""

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies

from data_pipelines import errors, labels
from inclusive_tf.exploration import co_occurrence, confidence, config, frequency

SEEDS = strategies.integers(0, 10_000)
CHECKED = hypothesis.settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)


@CHECKED
@hypothesis.given(seed=SEEDS)
def test_labels_per_image_are_those_of_pandas(random_table, seed):
    table = random_table(seed)
    found = frequency.labels_per_image(table.labels.present())
    numbers = pd.Series(table.labels.multi_hot().sum(axis=1))
    assert found["mean"] == pytest.approx(numbers.mean())
    assert found["median"] == numbers.median()
    assert (found["min"], found["max"]) == (numbers.min(), numbers.max())
    assert found["none"] == (numbers == 0).sum()
    counts = numbers.value_counts()
    assert [bar["images"] for bar in found["bars"]] == [
        counts.get(number, 0) for number in range(numbers.max() + 1)
    ]


def test_many_labels_an_image_are_put_into_wider_bars_that_lose_no_image():
    rows = [list(range(number)) for number in range(0, 400, 3)]
    found = frequency.labels_per_image(labels.SparseLabels.from_lists(rows, 400))
    assert len(found["bars"]) <= 60
    for bar in found["bars"]:
        inside = [row for row in rows if bar["from"] <= len(row) <= bar["to"]]
        assert bar["images"] == len(inside)
    assert sum(bar["images"] for bar in found["bars"]) == len(rows)


def test_no_images_are_refused():
    with pytest.raises(errors.DataError, match="no image to describe"):
        frequency.labels_per_image(labels.SparseLabels.from_lists([], 3))


@CHECKED
@hypothesis.given(seed=SEEDS)
def test_most_and_least_common_labels_are_those_of_pandas(random_table, seed):
    table = random_table(seed)
    counts = table.labels.counts()
    found = frequency.frequency(counts, table.vocabulary, len(table), 4)
    expected = pd.DataFrame({"id": table.vocabulary.ids, "images": counts})
    expected = expected[expected.images > 0].sort_values(
        ["images", "id"], ascending=[False, True]
    )
    for rows, part in (
        (found["most"], expected[:4]),
        (found["least"], expected[4:][-4:]),
    ):
        assert [row["id"] for row in rows] == part.id.tolist()
        assert [row["images"] for row in rows] == part.images.tolist()
        assert [row["share"] for row in rows] == pytest.approx(
            (part.images / len(table)).tolist()
        )
    assert found["in_use"] == len(expected)


@CHECKED
@hypothesis.given(seed=SEEDS)
def test_the_fewest_labels_that_cover_a_share_do_and_one_less_does_not(
    random_table, seed
):
    table = random_table(seed)
    counts = table.labels.counts()
    found = frequency.long_tail(counts, table.vocabulary)
    falling = sorted(counts.tolist(), reverse=True)
    total = sum(falling)
    for one in found["cover"]:
        held = sum(falling[: one["labels"]])
        assert held >= one["share"] * total
        assert sum(falling[: one["labels"] - 1]) < one["share"] * total
        assert one["held"] == pytest.approx(held / total)
    assert sum(band["assignments"] for band in found["bands"]) == total
    assert sum(band["share"] for band in found["bands"]) == pytest.approx(1)
    assert found["curve"]["share"][-1] == pytest.approx(1)


def test_a_share_that_is_met_exactly_needs_no_further_label():
    vocabulary = labels.Vocabulary([str(number) for number in range(20)])
    cover = frequency.long_tail(np.ones(20, int), vocabulary)["cover"]
    assert [one["labels"] for one in cover] == [10, 16, 19, 20]


def test_a_table_without_labels_has_no_tail(random_table):
    found = frequency.long_tail(np.zeros(12, int), random_table().vocabulary)
    assert found == {"missing": "no image shows a label"}


def test_the_curve_of_many_labels_is_thinned_but_keeps_its_ends():
    vocabulary = labels.Vocabulary([str(number) for number in range(7000)])
    counts = np.arange(7000, 0, -1)
    curve = frequency.long_tail(counts, vocabulary)["curve"]
    assert len(curve["labels"]) <= 200
    assert (curve["labels"][0], curve["labels"][-1]) == (1, 7000)
    expected = np.cumsum(counts) / counts.sum()
    np.testing.assert_allclose(curve["share"], expected[np.array(curve["labels"]) - 1])


@CHECKED
@hypothesis.given(seed=SEEDS, block=strategies.integers(1, 7))
def test_pairs_are_those_of_a_dense_product(random_table, seed, block):
    table = random_table(seed, density=0.7)
    dense = table.labels.multi_hot().astype(int)
    together = dense.T @ dense
    counts = dense.sum(axis=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(co_occurrence, "_BLOCK", block)
        found = co_occurrence.strongest_pairs(
            table.labels.present(), counts, table.vocabulary, 1000, 2
        )
    expected = {}
    for first in range(12):
        for second in range(first + 1, 12):
            both = together[first, second]
            if both >= 2:
                lift = both * len(table) / (counts[first] * counts[second])
                if lift > 1:
                    expected[first, second] = (both, lift)
    assert found["beyond"] == len(expected)
    position = table.vocabulary.index()
    for pair in found["pairs"]:
        both, lift = expected.pop(
            (position[pair["a"]["id"]], position[pair["b"]["id"]])
        )
        assert pair["together"] == both
        assert pair["lift"] == pytest.approx(lift)
        assert pair["pmi"] == pytest.approx(np.log2(lift))
        assert pair["expected"] == pytest.approx(both / lift)
    assert not expected
    lifts = [pair["lift"] for pair in found["pairs"]]
    assert lifts == sorted(lifts, reverse=True)


@CHECKED
@hypothesis.given(seed=SEEDS)
def test_the_matrix_is_that_of_the_most_common_labels(random_table, seed):
    table = random_table(seed, density=0.7)
    dense = table.labels.multi_hot().astype(int)
    found = co_occurrence.matrix(
        table.labels.present(), dense.sum(axis=0), table.vocabulary, 5
    )
    position = table.vocabulary.index()
    shown = [position[label["id"]] for label in found["labels"]]
    np.testing.assert_array_equal(
        found["together"], (dense.T @ dense)[np.ix_(shown, shown)]
    )
    assert [label["images"] for label in found["labels"]] == np.diag(
        found["together"]
    ).tolist()


def test_one_label_an_image_makes_no_pairs():
    single = labels.SparseLabels.from_lists([[0], [1], []], 2)
    found = co_occurrence.co_occurrence(
        single, np.array([1, 1]), labels.Vocabulary(["a", "b"]),
        config.ExplorationConfig(),
    )  # fmt: skip
    assert found == {"missing": "no image has more than one label"}


def test_confidences_in_tenths_fall_into_the_bin_that_begins_with_them():
    values = np.arange(11, dtype=np.float32) / np.float32(10)
    stated = labels.SparseLabels(
        np.array([0, 11]), np.arange(11, dtype=np.int32), values, 11
    )
    found = confidence.confidence(stated)["table"]
    expected = np.zeros(20, int)
    expected[[0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 19]] = 1
    assert found["counts"] == expected.tolist()
    assert (found["stated"], found["present"], found["absent"], found["certain"]) == (
        11, 6, 1, 1,
    )  # fmt: skip
