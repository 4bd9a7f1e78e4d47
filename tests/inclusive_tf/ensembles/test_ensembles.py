"""Ensembles are what NumPy says of all members at once, read one at a time."""

import dataclasses

import numpy as np
import pytest
import scipy.special

from data_pipelines import errors, labels
from inclusive_tf import predictions
from inclusive_tf.adaptation import adapted, thresholds
from inclusive_tf.ensembles import combining, members, selection
from inclusive_tf.evaluation import f2

ROWS, CLASSES = 40, 6


def _truth():
    generator = np.random.default_rng(9)
    return labels.SparseLabels.from_dense(generator.random((ROWS, CLASSES)) < 0.3)


def _predictions(seed, contrast=2.0, prefix="image"):
    generator = np.random.default_rng(seed)
    truth = _truth()
    logits = contrast * (truth.multi_hot() - 0.5) + generator.normal(
        size=(ROWS, CLASSES)
    )
    return predictions.Predictions(
        ids=np.array([f"{prefix} {row}" for row in range(ROWS)]),
        logits=logits.astype(np.float32),
        features=np.zeros((ROWS, 3), np.float32),
        truth=truth,
        unlisted_is_absent=True,
        group=np.zeros(ROWS, np.int32),
        group_names=("here",),
        training_counts=np.ones(CLASSES, np.int64),
        vocabulary=labels.Vocabulary(tuple("abcdef")),
        source={"split": "tuning"},
    )


@pytest.fixture
def saved(tmp_path):
    """Returns a function that saves predictions and returns their member."""

    def save(one, name, **fields):
        one.save(tmp_path / name)
        return members.Member(str(tmp_path / name), **fields)

    return save


@pytest.fixture
def three(saved):
    """Three members with weights 1, 2 and 0.5, and their logits [3, N, C]."""
    every = [_predictions(seed) for seed in range(3)]
    weights = (1.0, 2.0, 0.5)
    found = [
        saved(one, f"m{number}", weight=weight)
        for number, (one, weight) in enumerate(zip(every, weights, strict=True))
    ]
    return found, np.stack([one.logits for one in every])


def test_the_mean_of_logits_and_of_probabilities_are_weighted(three, monkeypatch):
    every, logits = three
    monkeypatch.setattr(combining, "_CHUNK_CELLS", 3 * CLASSES)
    weights = [1.0, 2.0, 0.5]
    found = combining.mean(every)
    expected = np.average(logits, axis=0, weights=weights)
    np.testing.assert_allclose(found.logits, expected, atol=1e-5)
    assert (found.features.shape, found.kernel) == ((ROWS, 0), None)
    found = combining.mean(every, "probabilities")
    expected = np.average(scipy.special.expit(logits), axis=0, weights=weights)
    np.testing.assert_allclose(scipy.special.expit(found.logits), expected, atol=1e-5)
    assert found.source["weights"] == weights


def test_probabilities_of_0_and_1_have_finite_logits(saved):
    sure = _predictions(0)
    sure = dataclasses.replace(sure, logits=np.sign(sure.logits) * np.float32(200))
    found = combining.mean([saved(sure, "sure")], "probabilities")
    assert np.isfinite(found.logits).all()
    np.testing.assert_array_equal(found.logits > 0, sure.logits > 0)


@pytest.mark.parametrize("at_least", [None, 1, 3])
def test_votes_decide_at_probability_one_half(three, at_least):
    every, logits = three
    rule = combining.Vote(at_least, union=False, threshold_logit=0.4)
    found, numbers = combining.vote(every, rule)
    votes = (logits >= 0.4).sum(axis=0)
    needed = 2 if at_least is None else at_least
    np.testing.assert_array_equal(found.logits >= 0, votes >= needed)
    # more votes are a higher logit
    order = np.argsort(votes, axis=None, kind="stable")
    assert (np.diff(found.logits.ravel()[order]) >= 0).all()
    assert numbers["empty"] == (votes.max(axis=1) < needed).sum()


def test_empty_images_take_the_union_and_then_the_constant_answer(saved):
    first, second = _predictions(0), _predictions(1)
    logits = np.full((2, ROWS, CLASSES), -1.0, np.float32)
    logits[:, 2:] = 1.0  # both give all labels from image 2 on
    logits[0, 0, 3] = logits[1, 0, 4] = 1.0  # they disagree on image 0
    every = [
        saved(dataclasses.replace(one, logits=row), str(number))
        for number, (one, row) in enumerate(zip((first, second), logits, strict=True))
    ]
    found, numbers = combining.vote(every, combining.Vote(fill=(5, 1)))
    given = found.logits >= 0
    assert np.flatnonzero(given[0]).tolist() == [3, 4]
    assert np.flatnonzero(given[1]).tolist() == [1, 5]
    assert given[2:].all()
    assert numbers == {"union": 1, "filled": 1, "empty": 0}
    found, numbers = combining.vote(every)
    assert not (found.logits[1] >= 0).any()
    assert numbers == {"union": 1, "filled": 0, "empty": 1}


def test_members_with_adaptations_are_decided_by_them(saved, tmp_path):
    every, given = [], []
    for seed in range(3):
        one = _predictions(seed)
        tuning = _predictions(seed + 20, prefix="tuning")
        adaptation = adapted.fit(tuning, False, "per_class" if seed else "global")
        adaptation.save(tmp_path / f"a{seed}")
        every.append(saved(one, f"m{seed}", adaptation=str(tmp_path / f"a{seed}")))
        changed, threshold = adapted.apply(adaptation, one)
        given.append((changed.logits - threshold).astype(np.float32))
    found, _ = combining.vote(every, combining.Vote(union=False))
    votes = sum(margin >= 0 for margin in given)
    np.testing.assert_array_equal(found.logits >= 0, votes >= 2)
    mean = combining.mean(every)
    np.testing.assert_allclose(mean.logits, np.mean(given, axis=0), atol=1e-5)


def _greedy_by_hand(logits, truth, steps):
    """The published algorithm with everything in memory."""
    chosen, cut, scores = [], None, []
    for _ in range(steps):
        tried = []
        for candidate in range(len(logits)):
            mean = np.mean(logits[[*chosen, candidate]], axis=0, dtype=np.float32)
            if cut is None:
                tried.append(thresholds.global_threshold(mean, truth).mean_f2)
            else:
                tried.append(f2.mean_f2(mean, cut, truth))
        chosen.append(int(np.argmax(tried)))
        mean = np.mean(logits[chosen], axis=0, dtype=np.float32)
        fitted = thresholds.global_threshold(mean, truth)
        cut = fitted.threshold_logit
        scores.append(fitted.mean_f2)
    return chosen, scores


def test_greedy_selection_is_the_published_algorithm(saved):
    every = [_predictions(seed, contrast) for seed, contrast in
             enumerate((0.2, 1.5, 1.2, 1.4, 0.1))]  # fmt: skip
    folders = [saved(one, str(number)) for number, one in enumerate(every)]
    logits = np.stack([one.logits for one in every])
    found = selection.greedy(folders, steps=8)
    chosen, scores = _greedy_by_hand(logits, _truth(), 8)
    assert [step["member"] for step in found.path] == chosen
    np.testing.assert_allclose([step["mean_f2"] for step in found.path], scores)
    size = int(np.argmax(scores)) + 1
    np.testing.assert_array_equal(found.counts, np.bincount(chosen[:size], minlength=5))
    assert found.counts[[0, 4]].sum() == 0
    mean = np.average(logits, axis=0, weights=found.counts)
    reached = f2.mean_f2(mean, found.threshold_logit, _truth())
    assert reached == pytest.approx(max(scores), abs=1e-6)
    assert max(scores) >= scores[0]


def test_greedy_selection_of_probabilities_gives_a_threshold_as_logit(saved):
    folders = [saved(_predictions(seed), str(seed)) for seed in range(3)]
    found = selection.greedy(folders, steps=4, of="probabilities")
    weighted = [
        dataclasses.replace(member, weight=float(count))
        for member, count in zip(folders, found.counts, strict=True)
        if count
    ]
    mean = combining.mean(weighted, "probabilities")
    reached = f2.mean_f2(mean.logits, found.threshold_logit, _truth())
    best = max(step["mean_f2"] for step in found.path)
    assert reached == pytest.approx(best, abs=1e-6)


def test_members_of_other_images_are_refused_with_the_first_difference(saved):
    one = _predictions(0)
    ids = one.ids.copy()
    ids[7] = "stranger"
    turned = one.take(np.arange(ROWS)[::-1])
    for other, message in (
        (dataclasses.replace(one, ids=ids), r"image 7 as image 7.*stranger"),
        (turned, r"another order.*image 0 as image 0.*image 39"),
        (one.take(np.arange(5)), "Expected: 40 images. Received: 5"),
    ):
        pair = [saved(one, "one"), saved(other, "other")]
        with pytest.raises(errors.DataError, match=message):
            combining.mean(pair)


def test_members_of_another_vocabulary_or_truth_are_refused(saved):
    one = _predictions(0)
    first = saved(one, "one")
    vocabulary = labels.Vocabulary(tuple("abcdfe"))
    other = saved(dataclasses.replace(one, vocabulary=vocabulary), "other")
    with pytest.raises(errors.DataError, match=one.vocabulary.hash[:12]):
        combining.vote([first, other])
    truth = labels.SparseLabels.from_lists([[0]] * ROWS, CLASSES)
    other = saved(dataclasses.replace(one, truth=truth), "other")
    with pytest.raises(errors.DataError, match="different truths"):
        selection.greedy([first, other])


def test_settings_that_cannot_be_are_refused(three):
    every, _ = three
    for act, message in (
        (lambda: combining.mean([]), "needs members"),
        (lambda: combining.mean(every, "odds"), "logits, probabilities"),
        (lambda: combining.vote(every, combining.Vote(4)), "1 to 3 votes"),
        (lambda: combining.vote(every, combining.Vote(fill=(6,))), "labels 0 to 5"),
        (lambda: members.Member("x", weight=0.0), "positive"),
        (lambda: selection.greedy(every, steps=0), "at least 1 step"),
    ):
        with pytest.raises(ValueError, match=message):
            act()


def test_an_ensemble_says_of_which_splits_its_images_are(saved):
    sources = ({"split": "train"}, {"split": "held_out"}, {})
    every = [
        saved(dataclasses.replace(_predictions(number), source=source), f"m{number}")
        for number, source in enumerate(sources)
    ]
    for count, splits in ((1, ["train"]), (2, ["held_out", "train"]),
                          (3, ["", "held_out", "train"])):  # fmt: skip
        combined = (
            combining.mean(every[:count]), combining.vote(every[:count])[0]
        )  # fmt: skip
        for found in combined:
            assert found.source["splits"] == predictions.splits(found.source) == splits
