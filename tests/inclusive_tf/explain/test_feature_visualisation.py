import numpy as np
import pytest

from data_pipelines import errors
from inclusive_tf.explain import feature_visualisation

CONFIG = feature_visualisation.FeatureConfig(steps=12, rate=0.05, seed=3)


@pytest.fixture(scope="module")
def grown(model):
    return feature_visualisation.label_pictures(model, [0, 2, 3], CONFIG)


def test_pictures_raise_the_logits_of_their_labels(model, grown):
    pictures, logits = grown
    assert pictures.shape == (3, 12, 20, 1)
    assert 0 <= pictures.min() <= pictures.max() <= 1
    found = np.asarray(model([pictures]))[np.arange(3), [0, 2, 3]]
    np.testing.assert_allclose(logits, found, atol=1e-5)
    start = np.random.default_rng(3).uniform(0.4, 0.6, pictures.shape)
    before = np.asarray(model([start.astype(np.float32)]))[np.arange(3), [0, 2, 3]]
    assert (logits > before).all()


def test_a_seed_decides_and_numpys_global_state_does_not(model, grown):
    np.random.seed(99)
    again, _ = feature_visualisation.label_pictures(model, [0, 2, 3], CONFIG)
    np.testing.assert_array_equal(again, grown[0])


def test_the_brightest_image_pleases_a_label_of_brightness(brightness):
    config = feature_visualisation.FeatureConfig(steps=25, rate=0.05)
    pictures, _ = feature_visualisation.label_pictures(brightness, [0, 1], config)
    assert pictures[0].min() > 0.9
    assert pictures[1].max() < 0.1


def test_no_labels_give_no_pictures(model):
    pictures, logits = feature_visualisation.label_pictures(model, [], CONFIG)
    assert (pictures.shape, logits.shape) == ((0, 12, 20, 1), (0,))


def test_no_steps_are_refused():
    with pytest.raises(errors.SettingError, match="at least 1 step"):
        feature_visualisation.FeatureConfig(steps=0)
