"""The refitted last layer is the minimum it claims to be, near the original."""

import dataclasses

import numpy as np
import pytest
import sklearn.linear_model

from data_pipelines import errors, labels
from inclusive_tf.adaptation import last_layer


def _data(seed=0, rows=150, width=6, classes=3):
    generator = np.random.default_rng(seed)
    features = generator.gamma(1.0, 3.0, (rows, width)) + 5
    features[:, 1] = 0.7 * features[:, 0] + 0.3 * features[:, 1]
    kernel = generator.normal(size=(width, classes)) / 3
    logits = (features - features.mean(axis=0)) @ kernel - 0.7
    dense = generator.random((rows, classes)) < 1 / (1 + np.exp(-logits))
    original = generator.normal(size=(width, classes)), generator.normal(size=classes)
    return features, labels.SparseLabels.from_dense(dense), *original


@pytest.mark.parametrize("penalty", [0.5, 20.0])
def test_pulled_towards_zero_it_is_scikit_learns_logistic_regression(penalty):
    features, truth, kernel, bias = _data()
    deviation = features.std(axis=0)
    found_kernel, found_bias = last_layer.fit_penalty(
        features, truth.targets(True), 0 * kernel, 0 * bias, penalty, bias_ratio=0.0
    )
    standard = (features - features.mean(axis=0)) / deviation
    for label in range(truth.num_classes):
        oracle = sklearn.linear_model.LogisticRegression(
            C=1 / penalty, tol=1e-10, max_iter=10_000
        ).fit(standard, truth.multi_hot()[:, label])
        expected = oracle.coef_[0] / deviation
        np.testing.assert_allclose(found_kernel[:, label], expected, atol=1e-5)
        np.testing.assert_allclose(
            features @ found_kernel[:, label] + found_bias[label],
            oracle.decision_function(standard),
            atol=1e-3,
        )


def test_an_endless_penalty_keeps_the_original_layer():
    features, truth, kernel, bias = _data()
    found = last_layer.fit_penalty(features, truth.targets(True), kernel, bias, 1e12)
    np.testing.assert_allclose(found[0], kernel, atol=1e-6)
    np.testing.assert_allclose(found[1], bias, atol=1e-5)


def test_a_label_of_which_nothing_is_known_keeps_its_weights():
    features, truth, kernel, bias = _data()
    targets = truth.targets(True)
    targets[:, 1] = labels.UNKNOWN
    found = last_layer.fit_penalty(features, targets, kernel, bias, 1.0)
    np.testing.assert_allclose(found[0][:, 1], kernel[:, 1], atol=1e-9)
    np.testing.assert_allclose(found[1][1], bias[1], atol=1e-9)
    assert np.abs(found[0][:, 0] - kernel[:, 0]).max() > 0.1


def test_masked_images_do_not_count_for_a_label():
    features, truth, kernel, bias = _data()
    targets = truth.targets(True)
    masked = targets.copy()
    masked[100:, 0] = labels.UNKNOWN
    garbled = np.where(masked == labels.UNKNOWN, labels.UNKNOWN, targets)
    some = last_layer.fit_penalty(features, garbled, kernel, bias, 5.0)
    whole = last_layer.fit_penalty(features, targets, kernel, bias, 5.0)
    np.testing.assert_allclose(some[0][:, 1:], whole[0][:, 1:], atol=1e-5)
    assert np.abs(some[0][:, 0] - whole[0][:, 0]).max() > 1e-3


def test_a_soft_target_weighs_like_a_mixture_of_both_answers():
    features, truth, kernel, bias = _data(rows=60)
    hard = truth.targets(True)
    soft = last_layer.fit_penalty(features, np.full_like(hard, 0.25), kernel, bias, 4.0)
    # each image four times, once present: the same loss up to a factor of 4
    repeated = np.zeros((4, *hard.shape), np.float32)
    repeated[0] = 1.0
    mixture = last_layer.fit_penalty(
        np.tile(features, (4, 1)),
        repeated.reshape(-1, hard.shape[1]),
        kernel,
        bias,
        16.0,
    )
    np.testing.assert_allclose(soft[0], mixture[0], atol=1e-4)
    np.testing.assert_allclose(soft[1], mixture[1], atol=1e-3)


def test_scaling_and_shifting_features_changes_no_logit():
    features, truth, kernel, bias = _data()
    scale, shift = np.geomspace(1e-3, 1e3, 6), np.arange(6) * 1.0
    one = last_layer.fit_penalty(features, truth.targets(True), kernel, bias, 3.0)
    other = last_layer.fit_penalty(
        features * scale + shift,
        truth.targets(True),
        kernel / scale[:, None],
        bias - shift / scale @ kernel,
        3.0,
    )
    np.testing.assert_allclose(
        features @ one[0] + one[1],
        (features * scale + shift) @ other[0] + other[1],
        atol=1e-3,
    )


def test_a_constant_feature_does_no_harm():
    features, truth, kernel, bias = _data()
    features[:, 2] = 4.0
    found = last_layer.fit_penalty(features, truth.targets(True), kernel, bias, 3.0)
    assert np.isfinite(found[0]).all()
    np.testing.assert_allclose(found[0][2], kernel[2], atol=1e-6)


def test_a_refit_helps_out_of_fold_and_is_the_same_again():
    features, truth, kernel, bias = _data(rows=250)
    found = last_layer.refit(features, truth, kernel, bias, penalties=(1, 30, 1e6))
    assert [row["penalty"] for row in found.table] == [1.0, 30.0, 1e6]
    best = min(found.table, key=lambda row: row["log_loss"])
    assert found.penalty == best["penalty"] < 1e6
    targets = truth.targets(True)
    assert last_layer.log_loss(found.out_of_fold, targets) == best["log_loss"]
    assert best["log_loss"] < last_layer.log_loss(features @ kernel + bias, targets)
    again = last_layer.refit(features, truth, kernel, bias, penalties=(1, 30, 1e6))
    np.testing.assert_array_equal(found.kernel, again.kernel)
    np.testing.assert_array_equal(found.out_of_fold, again.out_of_fold)


def test_the_end_of_the_grid_that_won_is_told():
    features, truth, kernel, bias = _data(rows=60)

    def end(original, *penalties):
        found = last_layer.refit(features, truth, *original, penalties=penalties)
        return found.end_of_grid

    targets = truth.targets(True)
    right = last_layer.fit_penalty(features, targets, 0 * kernel, 0 * bias, 1.0)
    assert end((kernel, bias), 1e5, 1e6) == "lowest"
    assert end(right, 1.0, 1e6) == "highest"
    assert end((0 * kernel, bias), 1e-3, 3.0, 1e6) is None
    assert end((kernel, bias), 1e6) is None


def test_the_whole_grid_converges_where_a_label_can_be_told_exactly():
    features, _, kernel, bias = _data(rows=60)
    exact = features @ np.random.default_rng(1).normal(size=(6, 3))
    truth = labels.SparseLabels.from_dense(exact > np.median(exact, axis=0))
    found = last_layer.refit(features, truth, kernel, bias)
    assert [row["penalty"] for row in found.table] == sorted(last_layer.PENALTIES)
    assert found.penalty < 3
    assert (
        (features @ found.kernel + found.bias > 0) == truth.multi_hot()
    ).mean() > 0.9


def test_an_image_does_not_shape_its_own_logits_out_of_fold():
    features, truth, kernel, bias = _data()
    found = last_layer.refit(features, truth, kernel, bias, penalties=(5.0,))
    dense = truth.multi_hot()
    fold = found.folds == found.folds[0]
    dense[fold] = ~dense[fold]
    other = labels.SparseLabels.from_dense(dense)
    changed = last_layer.refit(features, other, kernel, bias, penalties=(5.0,))
    np.testing.assert_array_equal(found.out_of_fold[fold], changed.out_of_fold[fold])
    assert (found.out_of_fold[~fold] != changed.out_of_fold[~fold]).any()


def test_unusable_input_is_refused():
    features, truth, kernel, bias = _data(rows=20)
    with pytest.raises(errors.DataError, match="shape of kernel"):
        last_layer.refit(features, truth, kernel[:, :2], bias)
    with pytest.raises(errors.DataError, match="clusters"):
        last_layer.refit(features, truth, kernel, bias, clusters=np.arange(20) % 3)
    broken = features.copy()
    broken[3, 2] = np.inf
    with pytest.raises(errors.DataError, match="not finite"):
        last_layer.refit(broken, truth, kernel, bias)
    nothing = dataclasses.replace(truth, confidence=0 * truth.confidence)
    with pytest.raises(errors.DataError, match="no image shows any label"):
        last_layer.refit(features, nothing, kernel, bias)


def test_weights_are_the_sample_weights_of_scikit_learn():
    features, truth, kernel, bias = _data()
    weights = np.random.default_rng(5).uniform(0.2, 3, len(truth))
    found_kernel, _ = last_layer.fit_penalty(
        features, truth.targets(True), 0 * kernel, 0 * bias, 5.0, 0.0, weights
    )
    deviation = features.std(axis=0)
    standard = (features - features.mean(axis=0)) / deviation
    for label in range(truth.num_classes):
        oracle = sklearn.linear_model.LogisticRegression(
            C=0.2, tol=1e-10, max_iter=10_000
        ).fit(standard, truth.multi_hot()[:, label], weights)
        np.testing.assert_allclose(
            found_kernel[:, label], oracle.coef_[0] / deviation, atol=1e-5
        )


def test_each_group_weighs_the_same_and_an_empty_one_does_not_count():
    group = np.array([0, 0, 0, 2, 0, 0])
    weights = last_layer.group_weights(group)
    np.testing.assert_allclose(weights, np.where(group == 2, 3.0, 0.6))
    assert weights[group == 0].sum() == pytest.approx(weights[group == 2].sum())


def test_equal_weights_change_nothing():
    features, truth, kernel, bias = _data()
    arguments = features, truth, kernel, bias
    plain = last_layer.refit(*arguments, penalties=(1.0, 30.0))
    weighed = last_layer.refit(
        *arguments, penalties=(1.0, 30.0), weights=np.ones(len(truth))
    )
    np.testing.assert_array_equal(plain.kernel, weighed.kernel)
    assert plain.table == weighed.table
