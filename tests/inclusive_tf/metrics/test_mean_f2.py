"""The Keras metric is scikit-learn's samples F-beta, batch by batch."""

import keras
import numpy as np
import pytest
from sklearn import metrics

from data_pipelines import labels
from inclusive_tf.metrics import mean_f2


def random_case(seed, images=200, classes=9):
    generator = np.random.default_rng(seed)
    truth = (generator.random((images, classes)) < 0.25).astype(np.float32)
    logits = (generator.normal(0, 1.5, truth.shape) + 2 * truth - 1).astype(np.float32)
    return truth, logits


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("threshold", [-0.7, 0.0, 0.4])
def test_it_is_the_samples_fbeta_of_scikit_learn(beta, threshold):
    truth, logits = random_case(0)
    metric = mean_f2.MeanFBeta(threshold=threshold, beta=beta)
    for start in range(0, 200, 64):
        metric.update_state(truth[start : start + 64], logits[start : start + 64])
    expected = metrics.fbeta_score(
        truth, logits >= threshold, beta=beta, average="samples", zero_division=0
    )
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


def test_unknown_labels_count_on_neither_side():
    truth, logits = random_case(1)
    truth[:, 3] = labels.UNKNOWN
    metric, without = mean_f2.MeanFBeta(), mean_f2.MeanFBeta()
    metric.update_state(truth, logits)
    keep = np.arange(9) != 3
    without.update_state(truth[:, keep], logits[:, keep])
    assert float(metric.result()) == float(without.result())


def test_weights_leave_padding_out():
    truth, logits = random_case(2)
    metric, whole = mean_f2.MeanFBeta(), mean_f2.MeanFBeta()
    metric.update_state(truth, logits, sample_weight=np.arange(200) < 50)
    whole.update_state(truth[:50], logits[:50])
    assert float(metric.result()) == pytest.approx(float(whole.result()), rel=1e-6)


def test_before_any_image_it_is_zero_and_reset_brings_that_back():
    metric = mean_f2.MeanFBeta()
    assert float(metric.result()) == 0
    metric.update_state(*random_case(3))
    metric.reset_state()
    assert float(metric.result()) == 0


def test_its_config_makes_it_again():
    metric = mean_f2.MeanFBeta(threshold=0.3, beta=1.5, name="other")
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert again.get_config() == metric.get_config()


def test_a_beta_that_means_nothing_is_refused():
    with pytest.raises(ValueError, match=r"Expected: above 0. Received: 0"):
        mean_f2.MeanFBeta(beta=0)
