"""Figures agree with scikit-learn, and what is not available is never 0."""

import dataclasses
import json

import numpy as np
import pytest
import sklearn.metrics

from data_pipelines import errors, labels
from inclusive_tf.evaluation import bootstrap, f2, figures, measures


def _scores(function, truth, given, **arguments):
    return function(truth, given, average=None, zero_division=np.nan, **arguments)


def test_every_figure_agrees_with_scikit_learn(make_predictions):
    one = make_predictions()
    truth, given = one.truth.multi_hot(), one.logits >= 0.25
    found = figures.figures(one, 0.25, resamples=20)

    recall = _scores(sklearn.metrics.recall_score, truth, given)
    precision = _scores(sklearn.metrics.precision_score, truth, given)
    f1 = _scores(sklearn.metrics.f1_score, truth, given)
    per_label_f2 = _scores(sklearn.metrics.fbeta_score, truth, given, beta=2)
    oracle = {"recall": recall, "precision": precision, "f1": f1, "f2": per_label_f2}
    for name, expected in oracle.items():
        ours = [row[name]["value"] for row in found["classes"]]
        np.testing.assert_allclose(ours, expected, atol=1e-12)
    values = {name: row["value"] for name, row in found["measures"].items()}
    samples = sklearn.metrics.fbeta_score(
        truth, given, beta=2, average="samples", zero_division=0
    )
    assert values["mean_f2"] == pytest.approx(samples, abs=1e-12)
    assert values["macro_f2"] == pytest.approx(per_label_f2.mean(), abs=1e-12)
    # seven labels, the last never seen in training: thirds of six
    assert values["head_recall"] == pytest.approx(recall[:2].mean(), abs=1e-12)
    assert values["tail_recall"] == pytest.approx(recall[4:6].mean(), abs=1e-12)
    assert found["bands"][3]["labels"] == ["/m/6"]


def test_groups_carry_their_size_and_the_worst_is_the_lowest(make_predictions):
    one = make_predictions()
    per_image = f2.per_image(one.logits, 0.0, one.truth)
    found = figures.figures(one, 0.0, resamples=50)
    for position, group in enumerate(found["groups"]):
        inside = one.group == position
        assert group["n"] == group["mean_f2"]["n"] == inside.sum()
        if inside.any():
            expected = pytest.approx(per_image[inside].mean())
            assert group["mean_f2"]["value"] == expected
    values = [group["mean_f2"]["value"] for group in found["groups"][:3]]
    worst = int(np.argmin(values))
    assert found["worst_group"] == one.group_names[worst]
    # its interval is that of the group, which was chosen after looking
    assert found["measures"]["worst_group_f2"] == found["groups"][worst]["mean_f2"]
    assert found["measures"]["worst_group_f2"]["value"] == min(values)
    assert found["worst_group_choice"].startswith("after looking")


def _with_groups(one, sizes):
    """Groups of these sizes; the images of the last are all wrong."""
    group = np.repeat(np.arange(len(sizes)), sizes).astype(np.int32)
    dense = 40.0 * one.truth.multi_hot() - 20
    dense[group == len(sizes) - 1] *= -1
    names = tuple(f"group {position}" for position in range(len(sizes)))
    logits = dense.astype(np.float32)
    return dataclasses.replace(one, group=group, group_names=names, logits=logits)


def test_a_small_group_is_not_the_worst_unless_all_are_small(make_predictions):
    one = make_predictions(rows=60)
    found = figures.figures(_with_groups(one, [30, 21, 9]), 0.0, 50)
    assert found["groups"][2]["mean_f2"]["value"] == 0.0
    assert found["worst_group"] in ("group 0", "group 1")
    assert figures.figures(_with_groups(one, [30, 20, 10]), 0.0, 50)["worst_group"] == (
        "group 2"
    )
    found = figures.figures(_with_groups(one, [9] * 6 + [6]), 0.0, 50)
    assert found["worst_group"] == "group 6"
    alone = {"value": 0.0, "low": None, "high": None, "n": 6}
    assert found["measures"]["worst_group_f2"] == alone


def test_of_groups_as_bad_the_first_is_the_worst(make_predictions):
    one = make_predictions()
    one = dataclasses.replace(one, logits=np.full_like(one.logits, -9))
    assert figures.figures(one, 0.0, 10)["worst_group"] == "north"


def _coverage(make_predictions, chances, trials=120, size=50):
    """How often the interval of the worst group holds that group's true mean F2.

    Every image shows label 0, which is given with the chance of its group; F2 is then
    1 or 0, and its true mean the chance.
    """
    generator = np.random.default_rng(0)
    rows = size * len(chances)
    everywhere = labels.SparseLabels.from_lists([[0]] * rows, 7)
    one = make_predictions(rows=rows, truth=everywhere)
    group = np.repeat(np.arange(len(chances)), size).astype(np.int32)
    names = tuple(map(str, range(len(chances))))
    covered = 0
    for trial in range(trials):
        logits = np.full((rows, 7), -9, np.float32)
        logits[generator.random(rows) < np.array(chances)[group], 0] = 9
        drawn = dataclasses.replace(one, logits=logits, group=group, group_names=names)
        found = figures.figures(drawn, 0.0, 200, seed=trial)
        worst = found["measures"]["worst_group_f2"]
        covered += worst["low"] <= chances[int(found["worst_group"])] <= worst["high"]
    return covered / trials


@pytest.mark.parametrize(
    ("chances", "share"), [((0.4, 0.7, 0.8), 0.95), ((0.5, 0.5, 0.5), 0.93)]
)
def test_the_worst_groups_interval_covers_its_true_mean(
    make_predictions, chances, share
):
    # the lowest of each resample would cover 0.5 in but 75 of 100 where all are alike
    spread = np.sqrt(share * (1 - share) / 120)
    assert _coverage(make_predictions, chances) > share - 4 * spread


def test_an_empty_group_is_not_available(make_predictions):
    found = figures.figures(make_predictions(), 0.0, resamples=10)
    nowhere = found["groups"][3]
    nothing = {"value": None, "low": None, "high": None, "n": 0}
    assert nowhere == {"name": "nowhere", "n": 0, "mean_f2": nothing}


def test_a_label_without_support_is_not_available(make_predictions):
    one = make_predictions()
    truth = one.truth.multi_hot()
    truth[:, 2] = False
    one = dataclasses.replace(one, truth=labels.SparseLabels.from_dense(truth))
    found = figures.figures(one, 0.0, resamples=10)
    for name in ("recall", "f1", "f2"):
        assert found["classes"][2][name]["value"] is None
    others = [row["f2"]["value"] for row in found["classes"] if row["n"]]
    macro = found["measures"]["macro_f2"]["value"]
    assert macro == pytest.approx(np.mean(others))


def test_a_label_never_given_has_no_precision_but_an_f2_of_zero(make_predictions):
    one = make_predictions()
    thresholds = np.where(np.arange(7) == 1, np.inf, 0.0)
    row = figures.figures(one, thresholds, resamples=10)["classes"][1]
    assert row["precision"] == {"value": None, "low": None, "high": None, "n": 0}
    assert row["f2"]["value"] == row["recall"]["value"] == 0.0


def test_intervals_hold_their_value_and_json_takes_them(make_predictions):
    found = figures.figures(make_predictions(), 0.0, resamples=200)
    json.dumps(found, allow_nan=False)
    for name in ("mean_f2", "macro_f2", "head_recall", "worst_group_f2"):
        interval = found["measures"][name]
        assert interval["low"] < interval["value"] < interval["high"]


def test_resampled_figures_are_the_figures_of_the_resample(make_predictions):
    one = make_predictions()
    drawn = next(bootstrap.weights(len(one), 40, seed=5))
    whole = measures.Measures(one, 0.0)
    found = whole.statistics(drawn)
    lowest = np.argmin(found["groups"][:, :3], axis=1)
    assert (lowest != whole.worst_group).any()
    for position, counts in enumerate(drawn.astype(int)):
        repeated = one.take(np.repeat(np.arange(len(one)), counts))
        expected = figures.figures(repeated, 0.0, resamples=0)
        for name in set(measures.NAMES) - {"worst_group_f2"}:
            value = expected["measures"][name]["value"]
            assert found[name][position] == pytest.approx(value)
        # the group stays, even where another is worse in the resample
        value = expected["groups"][whole.worst_group]["mean_f2"]["value"]
        assert found["worst_group_f2"][position] == pytest.approx(value)


def test_images_of_which_nothing_is_known_are_left_out(make_predictions):
    truth = labels.SparseLabels(
        np.array([0, 2, 2, 3]),
        np.array([0, 1, 2], np.int32),
        np.array([1.0, 0.0, 1.0], np.float32),
        7,
    )
    one = make_predictions(rows=3, unlisted_is_absent=False, truth=truth)
    one = dataclasses.replace(one, logits=np.ones((3, 7), np.float32))
    found = figures.figures(one, 0.0, resamples=10)
    assert found["n"] == 2
    # image 0: one hit, one known false label; image 2: one hit alone
    assert found["measures"]["mean_f2"]["value"] == pytest.approx((5 / 6 + 1) / 2)
    assert [row["precision"]["n"] for row in found["classes"]] == [1, 1, 1, 0, 0, 0, 0]
    listed = dataclasses.replace(one, unlisted_is_absent=True)
    assert figures.figures(listed, 0.0, resamples=10)["n"] == 3


def test_predictions_without_truth_are_refused(make_predictions):
    nothing = labels.SparseLabels.from_lists([[]] * 4, 7)
    one = make_predictions(rows=4, truth=nothing)
    with pytest.raises(errors.DataError, match="no image shows any label"):
        figures.figures(one, 0.0)
    with pytest.raises(errors.DataError, match="no labelled image"):
        figures.figures(one.take(np.zeros(4, bool)), 0.0)


def test_a_comparison_with_itself_is_exactly_zero(make_predictions):
    one = make_predictions()
    for interval in figures.compare(one, 0.0, one, 0.0, 50)["measures"].values():
        assert interval["difference"] == interval["low"] == interval["high"] == 0.0


def test_a_comparison_is_the_difference_of_the_figures(make_predictions):
    one = make_predictions()
    found_all = figures.compare(one, 0.0, one, -0.5, resamples=300)
    found = found_all["measures"]
    before, after = (
        figures.figures(one, threshold, resamples=0)["measures"]
        for threshold in (0.0, -0.5)
    )
    for name in measures.NAMES:
        expected = after[name]["value"] - before[name]["value"]
        assert found[name]["difference"] == pytest.approx(expected)
    (worst,) = found_all["worst_groups"]
    assert worst == {
        "before": figures.figures(one, 0.0, 0)["worst_group"],
        "after": figures.figures(one, -0.5, 0)["worst_group"],
    }
    scores = [f2.per_image(one.logits, t, one.truth) for t in (0.0, -0.5)]
    paired = bootstrap.mean_interval(scores[1] - scores[0], 300)
    assert found["mean_f2"]["low"] == pytest.approx(paired["low"])
    assert found["mean_f2"]["high"] == pytest.approx(paired["high"])


def test_each_side_is_compared_in_its_own_worst_group(make_predictions):
    one = make_predictions()
    right = (40 * one.truth.multi_hot() - 20).astype(np.float32)
    sides = []
    for wrong in (0, 2):
        logits = np.where((one.group == wrong)[:, None], one.logits, right)
        sides.append(dataclasses.replace(one, logits=logits))
    found = figures.compare(sides[0], 0.0, sides[1], 0.0, 400)
    assert found["worst_groups"] == [{"before": "north", "after": "south"}]
    interval = found["measures"]["worst_group_f2"]
    scores = f2.per_image(one.logits, 0.0, one.truth)
    north, south = scores[one.group == 0], scores[one.group == 2]
    assert interval["difference"] == pytest.approx(south.mean() - north.mean())
    half = 1.96 * np.sqrt((north.var() + south.var()) / 20)
    assert interval["high"] - interval["low"] == pytest.approx(2 * half, rel=0.2)
    assert interval["n"] == 20


def test_every_image_twice_in_one_cluster_is_the_same_data(make_predictions):
    one = make_predictions(rows=90)
    twice = dataclasses.replace(
        one.take(np.tile(np.arange(90), 2)), cluster=np.tile(np.arange(90), 2)
    )
    once, clustered = (figures.figures(x, 0.0, 300) for x in (one, twice))
    assert (once["clusters"], clustered["clusters"]) == (None, 90)
    for name in measures.NAMES:
        expected, found = (x["measures"][name] for x in (once, clustered))
        for key in ("value", "low", "high"):
            assert found[key] == pytest.approx(expected[key], abs=1e-9)
        assert (found["n"], found["clusters"]) == (2 * expected["n"], expected["n"])
    once = figures.compare(one, 0.0, one, -0.5, 300)
    clustered = figures.compare(twice, 0.0, twice, -0.5, 300)
    assert clustered["clusters"] == 90
    for name in measures.NAMES:
        for key in ("difference", "low", "high"):
            found = clustered["measures"][name][key]
            assert found == pytest.approx(once["measures"][name][key], abs=1e-9)


def test_too_few_clusters_give_no_interval_however_many_images(make_predictions):
    one = make_predictions(rows=60)
    cluster = np.where(one.group == 0, np.arange(60), one.group).astype(np.int32)
    found = figures.figures(dataclasses.replace(one, cluster=cluster), 0.0, 50)
    assert found["clusters"] == 22
    north, east, *_ = (group["mean_f2"] for group in found["groups"])
    assert (north["clusters"], east["clusters"]) == (20, 1)
    assert north["low"] < north["high"]
    assert (east["n"], east["low"], east["high"]) == (20, None, None)


def test_a_rare_label_has_a_value_and_no_interval(make_predictions):
    one = make_predictions()
    truth = one.truth.multi_hot()
    truth[:, 3] = np.arange(60) < 3
    one = dataclasses.replace(one, truth=labels.SparseLabels.from_dense(truth))
    recall = figures.figures(one, -99.0, 50)["classes"][3]["recall"]
    assert recall == {"value": 1.0, "low": None, "high": None, "n": 3}


def test_several_seeds_are_compared_pair_by_pair(make_predictions):
    one = make_predictions()
    moved = [dataclasses.replace(one, logits=one.logits + shift) for shift in (0, 0.1)]
    pairs = [(side, -0.5) for side in moved]
    found = figures.compare_seeds([(one, 0.0)] * 2, pairs, 100)["measures"]
    singles = [figures.compare(one, 0.0, *pair, 0)["measures"] for pair in pairs]
    expected = np.mean([single["mean_f2"]["difference"] for single in singles])
    assert found["mean_f2"]["difference"] == pytest.approx(expected)
    with pytest.raises(errors.DataError, match="one run before"):
        figures.compare_seeds([(one, 0.0)], pairs)


def test_other_images_are_refused_and_the_first_is_named(make_predictions):
    one = make_predictions()
    swapped = one.take(np.array([0, 2, 1, *range(3, 60)]))
    with pytest.raises(errors.DataError, match="image 1 at position 1"):
        figures.compare(one, 0.0, swapped, 0.0)
    with pytest.raises(errors.DataError, match="60 images"):
        figures.compare(one, 0.0, one.take(np.arange(59)), 0.0)
    truth = one.truth.multi_hot()
    truth[5, 0] ^= True
    other = dataclasses.replace(one, truth=labels.SparseLabels.from_dense(truth))
    with pytest.raises(errors.DataError, match=r"truth.*image 5"):
        figures.compare(one, 0.0, other, 0.0)
    other = dataclasses.replace(one, group=one.group[::-1])
    with pytest.raises(errors.DataError, match="groups"):
        figures.compare(one, 0.0, other, 0.0)
    other = dataclasses.replace(one, cluster=np.arange(60))
    with pytest.raises(errors.DataError, match="clusters"):
        figures.compare(one, 0.0, other, 0.0)


def test_the_constant_answer_says_where_it_was_chosen(make_predictions):
    one = make_predictions()
    tuning = make_predictions(seed=3)
    with pytest.raises(errors.DataError, match="60 shared, first image 0"):
        figures.constant(one, tuning, resamples=0)
    ids = np.char.add("tuning ", tuning.ids)
    tuning = dataclasses.replace(tuning, ids=ids, source={"split": "tuning"})
    optimistic = figures.constant(one, resamples=0)
    honest = figures.constant(one, tuning, resamples=0)
    assert "optimistic" in optimistic["chosen_on"]
    assert honest["chosen_on"] == "tuning"
    assert honest["labels"] == [one.vocabulary.ids[k] for k in honest["positions"]]
