import json

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from data_pipelines import augmentation, errors, hashing

GENERATOR = np.random.default_rng(0)
EVERYTHING = augmentation.AugmentationConfig(
    mirror=0.5,
    shift=0.1,
    rotate=15,
    zoom=0.2,
    brightness=0.1,
    contrast=0.3,
    noise=0.1,
    blur=0.5,
)
SEED = 7


def batch(count=16, height=12, width=18, channels=3):
    return GENERATOR.random((count, height, width, channels), np.float32)


def keys_of(count, epoch=0, copy=0):
    return np.stack(
        [np.full(count, epoch), np.arange(count), np.full(count, copy)], axis=1
    )


def varied(images, keys, seed=SEED, config=EVERYTHING):
    return augmentation.augment(tf.constant(images), keys, seed, config).numpy()


def single(**amounts):
    return augmentation.AugmentationConfig(**amounts)


@pytest.mark.parametrize(
    "config",
    [EVERYTHING, single(mirror=0.5), single(noise=0.2), single(fill="reflect", zoom=1)],
)
def test_eager_and_within_tf_data_are_the_same(config):
    images, keys = batch(), keys_of(16)
    dataset = tf.data.Dataset.from_tensors((images, keys)).map(
        lambda images, keys: augmentation.augment(images, keys, SEED, config)
    )
    piped = next(dataset.as_numpy_iterator())
    np.testing.assert_allclose(piped, varied(images, keys, config=config), atol=2e-5)
    assert dataset.element_spec == tf.TensorSpec(images.shape, tf.float32)


def test_an_image_is_varied_alike_wherever_it_stands():
    images, keys = batch(), keys_of(16)
    whole = varied(images, keys)
    order = GENERATOR.permutation(16)
    np.testing.assert_allclose(
        varied(images[order], keys[order]), whole[order], atol=1e-5
    )
    alone = varied(images[5:6], keys[5:6])
    np.testing.assert_allclose(alone[0], whole[5], atol=1e-5)


def test_a_repeated_image_is_varied_differently_each_time():
    images = np.repeat(batch(1), 64, axis=0)
    for column in range(3):
        keys = np.full((64, 3), 5)
        keys[:, column] = np.arange(64)
        flat = varied(images, keys).reshape(64, -1)
        apart = np.abs(flat[:, None] - flat[None]).max(axis=2)
        assert apart[~np.eye(64, dtype=bool)].min() > 0.01


def test_another_seed_varies_differently():
    images, keys = batch(), keys_of(16)
    assert np.abs(varied(images, keys) - varied(images, keys, seed=8)).max() > 0.1


def test_nothing_to_vary_leaves_every_bit():
    images = batch()
    unchanged = varied(images, keys_of(16), config=single())
    np.testing.assert_array_equal(unchanged, images)


def test_values_stay_between_0_and_1():
    strong = single(brightness=1, contrast=1, noise=1, blur=1, rotate=180, zoom=3)
    result = varied(batch(64), keys_of(64), config=strong)
    assert result.min() >= 0
    assert result.max() <= 1
    assert np.isfinite(result).all()


def test_the_stated_share_of_images_is_mirrored_exactly():
    count, probability = 4000, 0.3
    images = batch(count, 4, 6, 1)
    result = varied(images, keys_of(count), config=single(mirror=probability))
    mirrored = (result == images[:, :, ::-1]).all(axis=(1, 2, 3))
    kept = (result == images).all(axis=(1, 2, 3))
    assert (mirrored ^ kept).all()
    sigma = np.sqrt(probability * (1 - probability) / count)
    assert abs(mirrored.mean() - probability) < 5 * sigma


def test_mirroring_by_resampling_is_mirroring():
    images, keys = batch(), keys_of(16)
    alone = varied(images, keys, config=single(mirror=0.5))
    # so small a shift that it moves nothing, but takes the other way
    resampled = varied(images, keys, config=single(mirror=0.5, shift=1e-7))
    np.testing.assert_allclose(resampled, alone, atol=1e-4)


def drawn(keys):
    """The random numbers behind a batch, from the documented order of columns."""
    names = ["mirror", "shift_x", "shift_y", "rotate", "zoom"]
    names += ["brightness", "contrast", "blur", "noise"]
    values = hashing.uniforms(keys, SEED, len(names)).numpy()
    return dict(zip(names, values.T, strict=True))


@pytest.mark.parametrize("fill", augmentation.FILLS)
def test_geometry_is_that_of_scipy(fill):
    images, keys = batch(12, 20, 30, 1), keys_of(12)
    config = single(shift=0.2, rotate=40, zoom=0.5, fill=fill)
    result = varied(images, keys, config=config)
    numbers = drawn(keys)
    centre = np.array([(20 - 1) / 2, (30 - 1) / 2])
    for row in range(12):
        angle = np.radians(40) * (2 * numbers["rotate"][row] - 1)
        scale = 1.5 ** (2 * numbers["zoom"][row] - 1)
        away = 0.2 * np.array(
            [
                20 * (2 * numbers["shift_y"][row] - 1),
                30 * (2 * numbers["shift_x"][row] - 1),
            ]
        )
        turn = np.array(
            [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        )
        matrix = turn / scale
        expected = scipy.ndimage.affine_transform(
            images[row, :, :, 0].astype(float),
            matrix,
            offset=centre - matrix @ centre + away,
            order=1,
            mode="grid-constant" if fill == "constant" else fill,
        )
        np.testing.assert_allclose(result[row, :, :, 0], expected, atol=1e-3)


def test_light_is_changed_as_documented():
    images, keys = batch() * 0.2 + 0.4, keys_of(16)
    numbers = {
        name: values[:, None, None, None] for name, values in drawn(keys).items()
    }
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    contrasted = mean + (1 + 0.5 * (2 * numbers["contrast"] - 1)) * (images - mean)
    np.testing.assert_allclose(
        varied(images, keys, config=single(contrast=0.5)), contrasted, atol=1e-5
    )
    brightened = images + 0.3 * (2 * numbers["brightness"] - 1)
    np.testing.assert_allclose(
        varied(images, keys, config=single(brightness=0.3)), brightened, atol=1e-5
    )
    smooth = scipy.ndimage.uniform_filter(images, (0, 3, 3, 0))
    blurred = images + 0.6 * numbers["blur"] * (smooth - images)
    inside = (slice(None), slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(
        varied(images, keys, config=single(blur=0.6))[inside],
        blurred[inside],
        atol=1e-5,
    )


def test_noise_has_the_stated_deviation_and_no_pattern():
    images = np.full((50, 40, 40, 1), 0.5, np.float32)
    keys = keys_of(50)
    noise = varied(images, keys, config=single(noise=0.05)) - 0.5
    stated = 0.05 * drawn(keys)["noise"][:, None, None, None]
    standard = (noise / stated)[stated.ravel() > 0.005]
    count = standard.size
    # the fourth moment of a sum of four uniforms is 2.7
    assert abs(standard.mean()) < 5 / np.sqrt(count)
    assert abs(standard.var() - 1) < 5 * np.sqrt(1.7 / count)
    neighbours = (standard[:, :, 1:] * standard[:, :, :-1]).mean()
    assert abs(neighbours) < 5 / np.sqrt(count)
    flat = standard.reshape(len(standard), -1)
    between = np.corrcoef(flat)[~np.eye(len(flat), dtype=bool)]
    assert np.abs(between).max() < 6 / np.sqrt(flat.shape[1])


def test_switching_one_variation_on_leaves_the_draws_of_the_others():
    images, keys = batch() * 0.2 + 0.4, keys_of(16)
    brighter = varied(images, keys, config=single(brightness=0.1))
    both = varied(images, keys, config=single(brightness=0.1, noise=1e-9))
    np.testing.assert_allclose(both, brighter, atol=1e-6)


def test_an_iterator_over_augmented_batches_can_be_saved(tmp_path):
    keys = keys_of(16)
    dataset = tf.data.Dataset.from_tensor_slices((batch(), keys)).batch(4)
    dataset = dataset.map(
        lambda images, keys: augmentation.augment(images, keys, SEED, EVERYTHING)
    )
    iterator = iter(dataset)
    next(iterator)
    saved = tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "state"))
    expected = next(iterator)
    restored = iter(dataset)
    tf.train.Checkpoint(iterator=restored).restore(saved)
    np.testing.assert_array_equal(next(restored), expected)


@pytest.mark.parametrize(
    "values",
    [
        {"mirror": 1.5},
        {"shift": -0.1},
        {"rotate": 181},
        {"zoom": float("inf")},
        {"noise": float("nan")},
        {"blur": "much"},
        {"contrast": True},
        {"fill": "pink"},
        {"flip": 0.5},
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(values):
    with pytest.raises(errors.DataError, match=r"Expected: .* Received: "):
        augmentation.AugmentationConfig.from_dict(values)


def test_a_configuration_comes_back_from_json():
    stored = json.loads(json.dumps(EVERYTHING.to_dict()))
    assert augmentation.AugmentationConfig.from_dict(stored) == EVERYTHING
