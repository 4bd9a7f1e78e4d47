import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

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
FURTHER = {
    "crop_scale": 0.4,
    "gamma": 0.5,
    "hue": 0.1,
    "saturation": 0.4,
    "channel_shift": 0.1,
    "grey": 0.2,
    "jpeg": 0.4,
    "rand_augment": 2,
}
ALL = augmentation.AugmentationConfig(**EVERYTHING.to_dict() | FURTHER)
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
    [
        EVERYTHING,
        single(mirror=0.5),
        single(noise=0.2),
        single(fill="reflect", zoom=1),
        single(crop_scale=0.2, gamma=1, hue=0.5, channel_shift=0.2, grey=0.5),
    ],
)
def test_eager_and_within_tf_data_are_the_same(config):
    images, keys = batch(), keys_of(16)
    dataset = tf.data.Dataset.from_tensors((images, keys)).map(
        lambda images, keys: augmentation.augment(images, keys, SEED, config)
    )
    piped = next(dataset.as_numpy_iterator())
    np.testing.assert_allclose(piped, varied(images, keys, config=config), atol=2e-5)
    assert dataset.element_spec == tf.TensorSpec(images.shape, tf.float32)


def require_alike(found, expected, rounded):
    """Compares images; where levels are rounded, a last bit may make a whole level."""
    apart = np.abs(found - expected)
    assert np.quantile(apart, 0.999 if rounded else 1.0) <= 1e-5


@pytest.mark.parametrize("config", [EVERYTHING, ALL], ids=["first", "all"])
def test_an_image_is_varied_alike_wherever_it_stands(config):
    images, keys = batch(), keys_of(16)
    whole = varied(images, keys, config=config)
    order = GENERATOR.permutation(16)
    found = varied(images[order], keys[order], config=config)
    require_alike(found, whole[order], config is ALL)
    for row in range(0, 16, 5):
        alone = varied(images[row : row + 1], keys[row : row + 1], config=config)
        require_alike(alone[0], whole[row], config is ALL)


@pytest.mark.parametrize("name", FURTHER)
def test_each_further_variation_works_within_tf_data_as_eagerly(name):
    config = single(**{name: FURTHER[name]})
    images, keys = batch(), keys_of(16)
    dataset = tf.data.Dataset.from_tensors((images, keys)).map(
        lambda images, keys: augmentation.augment(images, keys, SEED, config)
    )
    found = varied(images, keys, config=config)
    piped = next(dataset.as_numpy_iterator())
    require_alike(piped, found, name in ("jpeg", "rand_augment"))
    assert np.abs(found - images).max() > 0.05
    assert dataset.element_spec == tf.TensorSpec(images.shape, tf.float32)


@given(
    amounts=st.fixed_dictionaries(
        {},
        optional={
            "mirror": st.floats(0, 1),
            "shift": st.floats(0, 1),
            "rotate": st.floats(0, 180),
            "zoom": st.floats(0, 5),
            "brightness": st.floats(0, 1),
            "contrast": st.floats(0, 1),
            "noise": st.floats(0, 1),
            "blur": st.floats(0, 1),
            "crop_scale": st.floats(0.05, 1),
            "crop_aspect": st.floats(1, 4),
            "gamma": st.floats(0, 4),
            "jpeg": st.floats(0, 1),
            "jpeg_quality": st.integers(1, 100),
            "rand_augment": st.integers(0, 3),
            "rand_magnitude": st.floats(0, 10),
            "schedule": st.sampled_from(augmentation.SCHEDULES),
        },
    ),
    colour=st.fixed_dictionaries(
        {},
        optional={
            "hue": st.floats(0, 0.5),
            "saturation": st.floats(0, 1),
            "channel_shift": st.floats(0, 1),
            "grey": st.floats(0, 1),
        },
    ),
    channels=st.sampled_from([1, 3]),
    side=st.integers(1, 9),
    strength=st.sampled_from([None, 0.0, 0.5, 10.0]),
)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_whatever_is_asked_for_gives_images(amounts, colour, channels, side, strength):
    config = single(**amounts, **(colour if channels == 3 else {}))
    images = batch(6, side, 7, channels)
    keys = keys_of(6)
    keys[:, 0] = np.arange(6)
    found = augmentation.augment(
        tf.constant(images),
        keys,
        SEED,
        config,
        epochs=6,
        strength=None if strength is None else tf.fill([6], strength),
    ).numpy()
    assert found.shape == images.shape
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1


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
    names += ["brightness", "contrast", "blur", "noise", "crop_area", "crop_aspect"]
    names += ["crop_x", "crop_y", "gamma", "hue", "saturation", "channel_0"]
    names += ["channel_1", "channel_2", "grey", "jpeg", "jpeg_quality"]
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
        lambda images, keys: augmentation.augment(images, keys, SEED, ALL)
    )
    iterator = iter(dataset)
    next(iterator)
    saved = tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "state"))
    expected = next(iterator)
    restored = iter(dataset)
    tf.train.Checkpoint(iterator=restored).restore(saved)
    np.testing.assert_array_equal(next(restored), expected)


def test_colour_is_changed_as_documented():
    images, keys = batch() * 0.2 + 0.4, keys_of(16)
    numbers = {
        name: values[:, None, None, None] for name, values in drawn(keys).items()
    }
    power = 1.5 ** (2 * numbers["gamma"] - 1)
    np.testing.assert_allclose(
        varied(images, keys, config=single(gamma=0.5)), images**power, atol=1e-5
    )
    shifts = np.concatenate([numbers[f"channel_{c}"] for c in range(3)], axis=3)
    np.testing.assert_allclose(
        varied(images, keys, config=single(channel_shift=0.3)),
        images + 0.3 * (2 * shifts - 1),
        atol=1e-5,
    )
    plain = (images @ np.array([0.299, 0.587, 0.114], "f4"))[..., None]
    factor = np.where(
        numbers["grey"] < 0.3, 0, 1 + 0.5 * (2 * numbers["saturation"] - 1)
    )
    np.testing.assert_allclose(
        varied(images, keys, config=single(saturation=0.5, grey=0.3)),
        plain + factor * (images - plain),
        atol=1e-5,
    )
    for row, turn in enumerate(0.4 * (2 * drawn(keys)["hue"] - 1)):
        np.testing.assert_allclose(
            varied(images, keys, config=single(hue=0.4))[row],
            tf.image.adjust_hue(images[row], turn),
            atol=1e-5,
        )


def test_jpeg_has_been_through_the_stated_share_at_the_stated_qualities():
    images, keys = batch(200, 16, 16, 3), keys_of(200)
    found = varied(images, keys, config=single(jpeg=0.3, jpeg_quality=20))
    numbers = drawn(keys)
    chosen = numbers["jpeg"] < 0.3
    np.testing.assert_array_equal(found[~chosen], images[~chosen])
    assert chosen.any()
    for row in np.flatnonzero(chosen):
        quality = 100 - int(numbers["jpeg_quality"][row] * 81)
        expected = tf.image.adjust_jpeg_quality(images[row], quality)
        np.testing.assert_array_equal(found[row], expected)


def test_grey_images_have_no_colour_to_vary():
    with pytest.raises(errors.SettingError, match=r"1 channel and hue 0\.1, grey 0\.2"):
        varied(batch(2, channels=1), keys_of(2), config=single(hue=0.1, grey=0.2))


def strongly(images, keys, strength, config):
    strengths = tf.constant(strength, tf.float32)
    return augmentation.augment(
        tf.constant(images), keys, SEED, config, strength=strengths
    ).numpy()


@pytest.mark.parametrize(
    ("amounts", "doubled"),
    [
        ({"shift": 0.1, "rotate": 10.0}, {"shift": 0.2, "rotate": 20.0}),
        ({"zoom": 0.5}, {"zoom": 1.25}),
        ({"brightness": 0.2, "mirror": 0.5}, {"brightness": 0.4, "mirror": 0.5}),
        ({"contrast": 0.3, "blur": 0.2}, {"contrast": 0.6, "blur": 0.4}),
        ({"noise": 0.05, "gamma": 0.2}, {"noise": 0.1, "gamma": 0.44}),
        ({"crop_scale": 0.8}, {"crop_scale": 0.6}),
        ({"hue": 0.1, "saturation": 0.2}, {"hue": 0.2, "saturation": 0.4}),
        ({"channel_shift": 0.1, "grey": 0.2}, {"channel_shift": 0.2, "grey": 0.4}),
        ({"jpeg": 0.3, "jpeg_quality": 80}, {"jpeg": 0.6, "jpeg_quality": 60}),
        (
            {"rand_augment": 2, "rand_magnitude": 3.0},
            {"rand_augment": 2, "rand_magnitude": 6.0},
        ),
        # the end of a range is not passed
        ({"hue": 0.4, "brightness": 0.8}, {"hue": 0.5, "brightness": 1.0}),
        ({"rotate": 120.0, "shift": 0.9}, {"rotate": 180.0, "shift": 1.0}),
        ({"jpeg": 1.0, "jpeg_quality": 20}, {"jpeg": 1.0, "jpeg_quality": 1}),
    ],
)
def test_twice_the_strength_is_twice_the_amounts(amounts, doubled):
    """Half of the batch at strength 1 is as ever; the other half gets the double."""
    images, keys = batch(), keys_of(16)
    strength = np.where(np.arange(16) < 8, 1.0, 2.0)
    found = strongly(images, keys, strength, single(**amounts))
    rounded = "jpeg" in amounts or "rand_augment" in amounts
    once, twice = (
        varied(images, keys, config=single(**each)) for each in (amounts, doubled)
    )
    require_alike(found[:8], once[:8], rounded)
    np.testing.assert_allclose(
        np.quantile(np.abs(found[8:] - twice[8:]), 0.999 if rounded else 1),
        0,
        atol=1e-4,
    )


def test_no_strength_leaves_images_as_they_are():
    images, keys = batch(), keys_of(16)
    config = single(rotate=30, brightness=0.3, noise=0.2, crop_scale=0.5, jpeg=0.5)
    found = strongly(images, keys, np.zeros(16), config)
    np.testing.assert_allclose(found, images, atol=1e-5)
