"""What is redundant goes first, and no label falls below its target for another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn import under_sampling

from data_pipelines import errors, exclusion, labels
from data_pipelines.resampling import similarity


def sparse(rows, classes):
    return labels.SparseLabels.from_lists(rows, classes)


def single_label(counts, seed=0, width=5):
    """Overlapping clouds of the given sizes: (features, class of each)."""
    generator = np.random.default_rng(seed)
    classes = np.repeat(np.arange(len(counts)), counts)
    middles = generator.normal(0, 1, (len(counts), width))
    features = middles[classes] + generator.normal(size=(len(classes), width))
    order = generator.permutation(len(classes))
    return features[order].astype(np.float32), classes[order]


def kept_of(features, classes, method, **amount):
    rows = sparse([[label] for label in classes], classes.max() + 1)
    cut = similarity.undersample(features, rows, method, **amount)
    return np.setdiff1d(np.arange(len(classes)), cut.gone), cut


def kept_by(sampler, features, classes):
    sampler.fit_resample(features, classes)
    return np.sort(sampler.sample_indices_)


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("counts", [(90, 40), (120, 70, 30)])
def test_near_miss_keeps_what_imbalanced_learn_keeps(version, counts):
    """Where one class is at its target: that is imbalanced-learn's minority."""
    features, classes = single_label(counts)
    # version 3 of imbalanced-learn keeps fewer where a class has fewer candidates
    target = min(counts) if version != 3 else 12
    wanted = {label: min(count, target) for label, count in enumerate(counts)}
    if version == 3:
        few = np.flatnonzero(classes == len(counts) - 1)[:12]
        keep = np.sort(np.concatenate([np.flatnonzero(classes < len(counts) - 1), few]))
        features, classes = features[keep], classes[keep]
    sampler = under_sampling.NearMiss(sampling_strategy=wanted, version=version)
    expected = kept_by(sampler, features, classes)
    kept, cut = kept_of(features, classes, f"near_miss_{version}", target_count=target)
    np.testing.assert_array_equal(kept, expected)
    assert cut.after[: len(counts)].tolist() == list(wanted.values())


def test_tomek_links_are_those_of_imbalanced_learn():
    features, classes = single_label((150, 60), seed=1)
    expected = kept_by(under_sampling.TomekLinks(), features, classes)
    kept, cut = kept_of(features, classes, "tomek_links", target_count=60)
    np.testing.assert_array_equal(kept, expected)
    assert 0 < len(cut.gone) < 90
    # the other end of each link is of the other class and stays
    assert (classes[cut.kept_neighbour] == 1).all()
    assert (classes[cut.gone] == 0).all()
    assert np.isin(cut.kept_neighbour, kept).all()
    assert "no further Tomek link" in similarity.text(cut, ["many", "few"])


def test_of_a_tomek_link_between_two_large_classes_only_one_goes():
    features = np.array([[0.0], [0.1], [5.0], [9.0], [12.0], [15.5]], np.float32)
    kept, _ = kept_of(features, np.array([0, 1, 0, 1, 0, 0]), "tomek_links",
                      target_count=1)  # fmt: skip
    # the links are 0 - 1 and 3 - 4; class 0 is further above its target
    assert kept.tolist() == [1, 2, 3, 5]


@pytest.mark.parametrize("method", ["k_centre", "near_identical"])
def test_copies_go_before_anything_else(method):
    generator = np.random.default_rng(0)
    originals = generator.normal(size=(40, 8)).astype(np.float32)
    again = originals[:25] + generator.normal(0, 1e-3, (25, 8)).astype(np.float32)
    features = np.concatenate([originals, again])
    kept, cut = kept_of(features, np.zeros(65, int), method, target_count=40)
    assert sorted(kept % 40) == list(range(40))
    assert sorted(zip(cut.gone % 40, cut.kept_neighbour % 40, strict=True)) == [
        (row, row) for row in range(25)
    ]
    assert cut.distance.max() < 0.02


def test_k_centre_covers_better_than_chance():
    features, classes = single_label((400, 40), seed=3)
    radius = {}
    for method in ("k_centre", "random"):
        _, cut = kept_of(features, classes, method, target_count=100)
        assert cut.after[:2].tolist() == [100, 40]
        radius[method] = cut.distance.max()
    assert radius["k_centre"] < 0.8 * radius["random"]


@st.composite
def labelled(draw):
    count, classes = draw(st.integers(1, 40)), draw(st.integers(1, 5))
    seed = draw(st.integers(0, 10_000))
    generator = np.random.default_rng(seed)
    rates = generator.uniform(0, 0.8, classes)
    dense = generator.random((count, classes)) < rates
    # whole numbers bring equal points and ties
    features = generator.integers(0, 4, (count, 2)).astype(np.float32)
    amount = draw(
        st.fixed_dictionaries(
            {"target_count": st.integers(0, 12)}, optional={"keep_share": st.just(0.5)}
        ).filter(lambda amount: any(amount.values()))
    )
    return features, dense, amount


@settings(deadline=None, max_examples=80)
@given(labelled(), st.sampled_from(similarity.METHODS), st.integers(0, 3))
def test_no_label_is_pushed_below_its_target(data, method, seed):
    features, dense, amount = data
    rows = labels.SparseLabels.from_dense(dense)
    shown = np.concatenate([dense, ~dense.any(axis=1, keepdims=True)], axis=1)
    target = similarity.targets(shown.sum(axis=0), **amount)
    if (
        method.startswith("near_miss")
        and not shown[:, shown.sum(axis=0) == target].any()
    ):
        with pytest.raises(errors.SettingError, match="NearMiss"):
            similarity.undersample(features, rows, method, seed, **amount)
        return
    cut = similarity.undersample(features, rows, method, seed, **amount)
    stays = np.ones(len(dense), bool)
    stays[cut.gone] = False
    assert np.count_nonzero(~stays) == len(cut.gone)
    np.testing.assert_array_equal(cut.before, shown.sum(axis=0))
    np.testing.assert_array_equal(cut.after, shown[stays].sum(axis=0))
    np.testing.assert_array_equal(cut.target, target)
    assert (cut.after >= cut.target).all()
    assert (cut.target <= cut.before).all()
    # what each went for is still there, at the distance that is said
    assert stays[cut.kept_neighbour].all()
    between = np.linalg.norm(features[cut.gone] - features[cut.kept_neighbour], axis=1)
    np.testing.assert_allclose(cut.distance, between, rtol=1e-5)
    if method != "tomek_links":
        # the cut goes on as long as any image may go
        spare = cut.after > cut.target
        assert not (spare[None] | ~shown[stays]).all(axis=1).any()
        assert set(cut.blockers) == set(np.flatnonzero(spare))
    # again the same
    again = similarity.undersample(features, rows, method, seed, **amount)
    np.testing.assert_array_equal(again.gone, cut.gone)


def test_an_image_with_a_rare_label_stays_and_the_reason_is_said():
    rows = sparse([[0, 1]] * 6 + [[0]] * 4 + [[1]], 2)
    features = np.arange(11, dtype=np.float32)[:, None]
    cut = similarity.undersample(features, rows, "k_centre", target_count=7)
    assert cut.before.tolist() == [10, 7, 0]
    assert cut.after.tolist() == [7, 7, 0]
    cut = similarity.undersample(features, rows, "k_centre", keep_share=0.5,
                                 target_count=5)  # fmt: skip
    assert cut.after.tolist() == [5, 5, 0]
    only = sparse([[0, 1]] * 6 + [[0]] * 2, 2)
    cut = similarity.undersample(features[:8], only, "near_identical", keep_share=0.8)
    assert cut.target.tolist() == [7, 5, 0]
    rows = sparse([[0, 1]] * 6 + [[0, 2]] * 2, 3)
    cut = similarity.undersample(features[:8], rows, "k_centre", target_count=3)
    assert cut.after.tolist() == [5, 3, 2, 0]
    assert cut.blockers == {0: [1, 2]}
    said = similarity.text(cut, ["thing", "red", "blue"])
    assert "3 images go" in said
    assert (
        "thing stays 2 above target: its images also show labels at their target, "
        "such as red, blue"
    ) in said


def test_images_without_a_label_are_a_class_of_their_own():
    rows = sparse([[]] * 8 + [[0]] * 3, 1)
    features = np.arange(11, dtype=np.float32)[:, None]
    cut = similarity.undersample(features, rows, "k_centre", target_count=4)
    assert cut.after.tolist() == [3, 4]
    assert "(no label)" in similarity.text(cut, ["thing"])


def test_verified_absence_is_not_presence():
    rows = labels.SparseLabels(
        np.arange(7), np.zeros(6, np.int32), np.array([1, 1, 1, 0, 0.4, 0], "f4"), 1
    )
    cut = similarity.undersample(np.eye(6), rows, "k_centre", target_count=2)
    assert cut.before.tolist() == [3, 3]
    assert cut.after.tolist() == [2, 2]


def test_rows_are_an_exclusion_file(tmp_path):
    features = np.array([[0.0], [0.25], [5.0], [9.0]], np.float32)
    cut = similarity.undersample(
        features, sparse([[0]] * 4, 1), "near_identical", target_count=3
    )
    exclusion.write(tmp_path / "cut.csv", cut.rows(np.array(["a", "b", "c", "d"])))
    assert (tmp_path / "cut.csv").read_text("utf-8") == (
        "id,issue,score,detail\nb,similar:near_identical,0.25,a\n"
    )


def test_of_the_smallest_share_one_image_stays():
    cut = similarity.undersample(
        np.eye(4), sparse([[0]] * 4, 1), "random", keep_share=1e-12
    )
    assert len(cut.gone) == 3


def test_settings_that_cannot_be_used_are_refused():
    rows, features = sparse([[0]] * 4, 1), np.eye(4)
    with pytest.raises(errors.SettingError, match=r"k_centre, .* Received: nearest"):
        similarity.undersample(features, rows, "nearest", target_count=1)
    for amount in ({}, {"target_count": -1}, {"keep_share": 1.5},
                   {"keep_share": float("nan")}):  # fmt: skip
        with pytest.raises(errors.SettingError, match="how many images are to stay"):
            similarity.undersample(features, rows, "k_centre", **amount)
    with pytest.raises(errors.SettingError, match="every label is above"):
        similarity.undersample(features, rows, "near_miss_1", target_count=2)
    with pytest.raises(errors.DataError, match=r"Expected: 4 rows\. Received: 3"):
        similarity.undersample(features[:3], rows, "k_centre", target_count=2)
