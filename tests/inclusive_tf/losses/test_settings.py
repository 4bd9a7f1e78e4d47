"""Settings reach the loss they are for, change it as they say, or are refused."""

import dataclasses
import inspect

import keras
import numpy as np
import pytest
import scipy.special
import sklearn.metrics

from data_pipelines import errors
from inclusive_tf import losses, registry

SHARES = (0.5, 0.1, 0.01)


@pytest.fixture
def targets():
    return np.array([[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 0]], np.float32)


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(0, 2, (4, 3)).astype(np.float32)


def value(targets, logits, name, **settings):
    return float(losses.build(losses.LossConfig(name, **settings))(targets, logits))


def test_focal_agrees_with_keras_where_all_is_known(targets, logits):
    theirs = keras.losses.BinaryFocalCrossentropy(
        apply_class_balancing=True, alpha=0.3, gamma=1.5, from_logits=True
    )
    found = value(targets, logits, "focal", gamma=1.5, alpha=0.3)
    assert found == pytest.approx(float(theirs(targets, logits)), rel=1e-5)


def test_asymmetric_without_asymmetry_is_cross_entropy(targets, logits):
    plain = value(targets, logits, "binary_cross_entropy")
    settings = {"gamma_negative": 0.0, "gamma_positive": 0.0, "clip": 0.0}
    assert value(targets, logits, "asymmetric", **settings) == pytest.approx(plain)


def test_asymmetric_forgives_absent_labels_below_the_clip():
    absent = np.zeros((1, 2), np.float32)
    below = np.full((1, 2), -3.5, np.float32)  # probability 0.029
    assert value(absent, below, "asymmetric") == 0
    assert value(absent, below, "asymmetric", clip=0.0) > 0


def test_class_balanced_at_beta_0_is_cross_entropy(targets, logits):
    plain = value(targets, logits, "binary_cross_entropy")
    found = value(
        targets, logits, "class_balanced", beta=0.0, label_counts=(500, 100, 10)
    )
    assert found == pytest.approx(plain)


def test_class_balanced_is_the_papers_loss_where_images_show_one_label(logits):
    """Equation 9: the weight of the image's label times the focal loss of all."""
    counts, beta, gamma = (500, 100, 10), 0.99, 1.0
    own = np.array([0, 2, 1, 0])
    weights = np.array([(1 - beta) / (1 - beta**n) for n in counts])
    weights *= 3 / weights.sum()
    signed = np.where(np.eye(3)[own] == 1, logits, -logits).astype(np.float64)
    right = 1 / (1 + np.exp(-signed))
    terms = weights[own][:, None] * -((1 - right) ** gamma) * np.log(right)
    found = value(
        np.eye(3, dtype=np.float32)[own],
        logits,
        "class_balanced",
        beta=beta,
        gamma=gamma,
        label_counts=counts,
    )
    assert found == pytest.approx(terms.mean(), rel=1e-5)


def test_a_labels_training_never_shows_is_no_obstacle(targets, logits):
    for name in ("class_balanced", "distribution_balanced"):
        found = value(
            targets, logits, name, label_counts=(500, 100, 0),
            **({"shares": SHARES} if name.startswith("dist") else {}),
        )  # fmt: skip
        assert np.isfinite(found)


def test_one_positive_weight_is_the_11th_places(targets, logits):
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    entropy = -(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    found = value(
        targets, logits, "weighted_binary_cross_entropy", positive_weight=21.0
    )
    assert found == pytest.approx(((1 + 20 * targets) * entropy).mean(), rel=1e-5)


def test_weights_by_shares_end_at_the_largest():
    loss = losses.build(
        losses.LossConfig(
            "weighted_binary_cross_entropy", shares=(0.5, 0.01, 0.99), largest_weight=5
        )
    )
    np.testing.assert_allclose(np.exp(loss.log_weights), [1, 5, 0.2])


def test_logit_adjustment_by_0_is_cross_entropy(targets, logits):
    plain = value(targets, logits, "binary_cross_entropy")
    found = value(targets, logits, "logit_adjusted", shares=SHARES, tau=0.0)
    assert found == pytest.approx(plain)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("binary_cross_entropy", {}),
        ("logit_adjusted", {"tau": 1.0}),
        ("logit_adjusted", {"tau": 0.4}),
        ("weighted_binary_cross_entropy", {}),
        ("weighted_binary_cross_entropy", {"largest_weight": 5.0}),
        ("weighted_binary_cross_entropy", {"positive_weight": 21.0}),
    ],
)
def test_the_bias_starts_where_constant_logits_fit_best(name, settings):
    """Found by search over constants, a label at a time, on data of those shares."""
    loss = losses.build(losses.LossConfig(name, shares=SHARES, **settings))
    shares = np.array(SHARES)
    bias = np.asarray(loss.initial_bias(np.log(shares / (1 - shares))))
    targets = (np.arange(1000)[:, None] < shares * 1000).astype(np.float32)
    for label in range(3):
        tried = []
        for moved in (-0.05, 0.0, 0.05):
            constant = bias.copy()
            constant[label] += moved
            logits = np.broadcast_to(constant, (1000, 3)).astype(np.float32)
            tried.append(float(loss(targets, logits)))
        assert min(tried) == tried[1]


def test_distribution_balanced_starts_at_the_log_odds_less_its_offset():
    loss = losses.build(
        losses.LossConfig(
            "distribution_balanced", shares=SHARES, label_counts=(500, 100, 10),
            bias_scale=0.3,
        )
    )  # fmt: skip
    np.testing.assert_allclose(
        loss.initial_bias(np.array([1.0, -2.0, -4.0])),
        np.array([1.0, -2.0, -4.0]) - 0.3 * np.log(np.array([1, 1 / 9, 1 / 99])),
        rtol=1e-6,
    )


def test_a_rare_present_label_weighs_most_in_distribution_balance():
    """Of the labels of one image, the rarest is why sampling draws it."""
    config = losses.LossConfig(
        "distribution_balanced", shares=SHARES, label_counts=(500, 100, 10)
    )
    loss = losses.build(config)
    all_present, undecided = np.ones((1, 3), np.float32), np.zeros((1, 3), np.float32)
    pairs = np.asarray(loss.per_pair(all_present, undecided))
    assert pairs[0, 2] > 2 * pairs[0, 1] > 0


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"name": "focal", "tau": 1.0}, "Expected: alpha, gamma. Received: tau"),
        ({"name": "soft_f2", "gamma": 1.0}, "Expected: none. Received: gamma"),
        ({"name": "focal", "gamma": -1.0}, "gamma. Expected: 0 or more. Received: -1"),
        ({"name": "focal", "alpha": 1.0}, "alpha"),
        ({"name": "asymmetric", "clip": 1.0}, "clip"),
        ({"name": "class_balanced"}, "label_counts. Expected: a count for each"),
        ({"name": "class_balanced", "label_counts": (3, -1)}, "at least 0.*-1"),
        ({"name": "class_balanced", "label_counts": (3, 1.5)}, "whole numbers.*1.5"),
        (
            {"name": "class_balanced", "label_counts": (3,), "beta": 1.0},
            "beta. Expected: 0 or more, below 1",
        ),
        ({"name": "logit_adjusted"}, "shares"),
        ({"name": "logit_adjusted", "shares": (0.5, 0.0)}, "above 0 and below 1.*0.0"),
        ({"name": "logit_adjusted", "shares": (0.5, float("nan"))}, "nan"),
        ({"name": "weighted_binary_cross_entropy"}, "shares"),
        (
            {"name": "weighted_binary_cross_entropy", "positive_weight": -2.0},
            "positive_weight",
        ),
        ({"name": "group_dro"}, "group_counts"),
        ({"name": "group_dro", "group_counts": (0, 0)}, "a group that has images"),
        ({"name": "group_dro", "group_counts": (5,), "step_size": 0.0}, "step_size"),
        (
            {"name": "distribution_balanced", "label_counts": (5,), "shares": (0.5,),
             "negative_scale": 0.5},
            "negative_scale",
        ),
    ],
)  # fmt: skip
def test_a_loss_that_cannot_be_is_refused_with_the_reason(config, said):
    with pytest.raises(ValueError, match=said):
        losses.build(losses.LossConfig(**config))


@pytest.mark.parametrize(
    ("name", "measured"),
    [
        ("class_balanced", {"label_counts": (5,)}),
        ("logit_adjusted", {"shares": (0.5,)}),
        ("weighted_binary_cross_entropy", {"shares": (0.5,)}),
        ("distribution_balanced", {"shares": (0.5,), "label_counts": (5,)}),
    ],
)
def test_a_loss_told_of_other_labels_is_refused(targets, logits, name, measured):
    """One value would otherwise be taken for all labels in silence."""
    with pytest.raises(ValueError, match=r"Expected: 3, as the model has.*Received: 1"):
        value(targets, logits, name, **measured)


def test_every_setting_belongs_to_a_loss():
    taken = set()
    for name in losses.LOSSES:
        loss = registry.resolve(losses.LOSSES, name, "loss")
        taken |= set(inspect.signature(loss.__init__).parameters)
    fields = {field.name for field in dataclasses.fields(losses.LossConfig)}
    assert fields <= taken


def test_weighted_softmax_is_the_weighted_mean_of_one_label_images():
    counts = np.array([50, 10, 2, 0])
    weights = 50 / np.maximum(counts, 1)
    generator = np.random.default_rng(5)
    logits = generator.normal(size=(20, 4)).astype(np.float32)
    label = generator.integers(0, 4, 20)
    loss = losses.build(
        losses.LossConfig(
            "multilabel_softmax", weight_power=1.0, label_counts=tuple(counts)
        )
    )
    # scikit-learn weighs samples as PyTorch's cross_entropy weighs classes
    chances = scipy.special.softmax(logits.astype(np.float64), axis=1)
    expected = sklearn.metrics.log_loss(
        label, chances, sample_weight=weights[label], labels=range(4)
    )
    targets = np.eye(4, dtype=np.float32)[label]
    np.testing.assert_allclose(float(loss(targets, logits)), expected, rtol=1e-5)
    again = type(loss).from_config(loss.get_config())
    assert float(again(targets, logits)) == float(loss(targets, logits))
    with pytest.raises(errors.SettingError, match="label_counts"):
        losses.build(losses.LossConfig("multilabel_softmax", weight_power=1.0))
