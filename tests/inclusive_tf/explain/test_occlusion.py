import keras
import numpy as np
import pytest
from scipy import ndimage

from data_pipelines import errors
from inclusive_tf.explain import occlusion


def _naive(model, images, patch, stride, cover):
    """One patch of one image at a time."""
    height, width = images.shape[1:3]
    tops = sorted({*range(0, height - patch[0] + 1, stride[0]), height - patch[0]})
    lefts = sorted({*range(0, width - patch[1] + 1, stride[1]), width - patch[1]})
    logits = np.asarray(model(images))
    total = np.zeros((*images.shape[:3], logits.shape[1]))
    times = np.zeros((height, width, 1))
    for top in tops:
        for left in lefts:
            place = np.s_[top : top + patch[0], left : left + patch[1]]
            times[place] += 1
            occluded = images.copy()
            occluded[:, *place] = cover[:, *place]
            fall = logits - np.asarray(model(occluded))
            total[:, *place] += fall[:, None, None]
    assert times.min() > 0
    return total / times


@pytest.mark.parametrize(
    ("patch", "stride"), [((4, 4), (2, 2)), ((5, 7), (3, 4)), ((12, 20), (1, 1))]
)
def test_it_equals_a_naive_loop(model, images, patch, stride):
    cover = np.broadcast_to(images.mean(axis=(1, 2), keepdims=True), images.shape)
    found = occlusion.Occlusion(model, patch, stride, batch_size=16)(images)
    assert found.shape == (5, 12, 20, 4)
    assert found.dtype == np.float32
    expected = _naive(model, images, patch, stride, cover)
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize(
    ("fill", "cover"),
    [
        ("grey", lambda images: np.full_like(images, 0.5)),
        (0.25, lambda images: np.full_like(images, 0.25)),
        (
            "blur",
            lambda images: np.stack(
                [
                    ndimage.gaussian_filter(image[..., 0], 2, mode="nearest")[..., None]
                    for image in images
                ]
            ),
        ),
    ],
)
def test_each_fill_covers_with_what_it_says(model, images, fill, cover):
    found = occlusion.Occlusion(model, 4, 3, fill)(images)
    expected = _naive(model, images, (4, 4), (3, 3), cover(images))
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_the_batch_size_does_not_change_maps(model, images):
    one = occlusion.Occlusion(model, 4, 3, batch_size=7)(images)
    other = occlusion.Occlusion(model, 4, 3, batch_size=500)(images)
    np.testing.assert_allclose(one, other, atol=2e-6)


def test_a_constant_model_has_a_map_of_zeros(brightness, images):
    found = occlusion.Occlusion(brightness, 4, 3, "grey")(images)
    np.testing.assert_array_equal(found[..., 2], 0)
    np.testing.assert_array_equal(found[..., 0], -found[..., 1])
    assert np.abs(found[..., 0]).max() > 0


def test_a_planted_square_is_found(brightness):
    images = np.full((1, 12, 20, 1), 0.2, np.float32)
    images[0, 4:8, 10:14] = 1
    found = occlusion.Occlusion(brightness, 4, 2, "mean")(images)[0, ..., 0]
    # every patch over the square's middle covers more of it than any patch elsewhere
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert (row, column) == (4, 10) or (4 <= row < 8 and 10 <= column < 14)
    assert found[5:7, 11:13].min() > found[:, :6].max()


def test_permuting_the_labels_permutes_the_maps(build, images):
    model, order = build(), [2, 0, 3, 1]
    before = occlusion.Occlusion(model, 4, 3)(images)
    kernel, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([kernel[:, order], bias[order]])
    after = occlusion.Occlusion(model, 4, 3)(images)
    np.testing.assert_allclose(after, before[..., order], atol=2e-6)


def test_it_is_traced_once_whatever_the_number_of_images(images):
    traces = []

    class Counted(keras.layers.Layer):
        def call(self, inputs):
            traces.append(1)
            return inputs

    image = keras.Input((12, 20, 1))
    flow = keras.layers.GlobalAveragePooling2D(name="features")(Counted()(image))
    model = keras.Model(image, keras.layers.Dense(2, name="logits")(flow))
    engine = occlusion.Occlusion(model, 4, 4, batch_size=8)
    before = len(traces)
    for count in (1, 5, 2):
        engine(images[:count])
    assert len(traces) == before + 1


def test_chosen_labels_can_be_spread_alone(model, images):
    engine = occlusion.Occlusion(model, 4, 3)
    falls = engine.falls(images)
    assert falls.shape == (5, 4, 7, 4)
    chosen = engine.spread(falls[..., [3, 1]], (12, 20))
    np.testing.assert_allclose(chosen, engine(images)[..., [3, 1]], atol=1e-7)


@pytest.mark.parametrize("cells", [1, 3 * 29 * 4, 1 << 25])
def test_falls_of_single_labels_are_those_of_all(model, images, monkeypatch, cells):
    """However few images go through together, in any order, some of them not asked."""
    monkeypatch.setattr(occlusion, "_CELLS", cells)
    engine = occlusion.Occlusion(model, 4, 3)
    owner, label = [4, 0, 2, 0], [1, 3, 0, 2]
    expected = engine.falls(images)[owner, :, :, label]
    found = engine.falls_of(images, owner, label)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_no_images_give_no_maps(model, images):
    assert occlusion.Occlusion(model, 4, 3)(images[:0]).shape == (0, 12, 20, 4)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((4, 5), "stride leaves pixels"),
        ((4, (2, 5)), "stride leaves pixels"),
        ((0, 1), "the patch is a length"),
        ((4, 1.5), "the stride is a length"),
        ((4, 2, "black"), "no such fill"),
    ],
)
def test_settings_that_cannot_work_are_refused(model, arguments, problem):
    with pytest.raises(errors.DataError, match=problem):
        occlusion.Occlusion(model, *arguments)


def test_a_patch_larger_than_the_image_is_refused(model, images):
    with pytest.raises(errors.DataError, match="larger than the image"):
        occlusion.Occlusion(model, 13, 2)(images)
