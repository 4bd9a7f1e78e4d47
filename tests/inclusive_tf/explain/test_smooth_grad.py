import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from data_pipelines import errors
from inclusive_tf.explain import saliency

LABELS = [0, 3, 1, 2, 3]


def _gradients(model, images, label_index):
    pixels = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        score = tf.gather(model([pixels]), tf.constant(label_index), batch_dims=1)
    return np.abs(tape.gradient(score, pixels))


def test_it_equals_a_plain_loop_with_the_same_noise(model, images):
    engine = saliency.SmoothGrad(model, samples=4, noise=0.3, seed=5, batch_size=2)
    total = np.zeros_like(images)
    for sample in range(4):
        noisy = images + engine.draw(images, sample)
        total += _gradients(model, noisy, LABELS)
    found = engine(images, LABELS)
    assert (found.dtype, found.shape) == (np.float32, (5, 12, 20))
    np.testing.assert_allclose(found, (total / 4).max(axis=3), atol=1e-6)


def test_one_sample_without_noise_is_saliency(model, images):
    found = saliency.SmoothGrad(model, samples=1, noise=0)(images, LABELS)
    plain = saliency.Saliency(model)(images, LABELS)
    np.testing.assert_allclose(found, plain, atol=1e-7)


def test_noise_is_normal_and_as_wide_as_the_images_range_says(model):
    images = np.zeros((200, 12, 20, 1), np.float32)
    images[:, 0, 0] = np.linspace(0.2, 1, 200)[:, None]
    drawn = saliency.SmoothGrad(model, noise=0.5).draw(images, 0)
    standard = drawn / (0.5 * images.max(axis=(1, 2, 3), keepdims=True))
    assert stats.kstest(standard.ravel(), "norm").pvalue > 1e-3
    assert np.isfinite(standard).all()


def test_noise_obeys_seed_image_and_sample_and_nothing_else(model, images):
    engine = saliency.SmoothGrad(model, seed=1)
    drawn = engine.draw(images, 0)
    np.testing.assert_array_equal(engine.draw(images[3:], 0), drawn[3:])
    others = (
        engine.draw(images, 1),
        saliency.SmoothGrad(model, seed=2).draw(images, 0),
        engine.draw(images[::-1], 0),
    )
    for other in others:
        assert abs(np.corrcoef(drawn.ravel(), other.ravel())[0, 1]) < 0.3
    np.testing.assert_array_equal(others[2][::-1], drawn)


@pytest.mark.parametrize("setting", [{"samples": 0}, {"noise": -0.1}])
def test_what_cannot_be_averaged_is_refused(model, setting):
    with pytest.raises(errors.SettingError, match="SmoothGrad"):
        saliency.SmoothGrad(model, **setting)
