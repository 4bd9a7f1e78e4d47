import keras
import numpy as np
import pytest
from tf_keras_vis import scorecam
from tf_keras_vis.utils import scores

from data_pipelines import errors
from inclusive_tf.explain import score_cam

LABELS = [0, 3, 1, 2, 3]


@pytest.fixture(autouse=True)
def quiet():
    """tf-keras-vis predicts with Keras' progress bar."""
    keras.utils.disable_interactive_logging()


@pytest.mark.parametrize("batch_size", [256, 4])
def test_it_equals_tf_keras_vis(model, images, batch_size):
    expected = scorecam.Scorecam(model)(
        scores.CategoricalScore(LABELS),
        images,
        penultimate_layer="final_map",
        seek_penultimate_conv_layer=False,
        normalize_cam=False,
    )
    found = score_cam.ScoreCam(model, "final_map", batch_size=batch_size)(
        images, LABELS
    )
    assert (found.dtype, found.shape) == (np.float32, (5, 12, 20))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_fewer_channels_are_those_of_greatest_deviation(model, images):
    engine = score_cam.ScoreCam(model, "final_map", channels=3)
    for image, label in zip(images, LABELS, strict=True):
        # alone, since tf-keras-vis joins the choices of a batch
        expected = scorecam.Scorecam(model)(
            scores.CategoricalScore([label]),
            image[None],
            penultimate_layer="final_map",
            seek_penultimate_conv_layer=False,
            normalize_cam=False,
            max_N=3,
        )
        np.testing.assert_allclose(engine(image[None], [label]), expected, atol=1e-5)


def test_no_images_give_no_maps(model, images):
    assert score_cam.ScoreCam(model, "final_map")(images[:0], []).shape == (0, 12, 20)


def test_fewer_than_no_channels_are_refused(model):
    with pytest.raises(errors.SettingError, match="Received: -1"):
        score_cam.ScoreCam(model, "final_map", channels=-1)
