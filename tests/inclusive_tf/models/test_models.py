"""Models are flat, from scratch, with float32 logits and a named last feature map."""

import dataclasses

import keras
import numpy as np
import pytest

from inclusive_tf import models
from inclusive_tf.models import head

SMALL = models.ModelConfig(num_classes=5, blocks=(2, 2), growth=4)
CONFIGS = {
    "densenet_small": SMALL,
    "densenet121": dataclasses.replace(SMALL, name="densenet121", height=32, width=32),
}


@pytest.fixture(params=models.MODELS)
def built(request):
    config = CONFIGS[request.param]
    return config, *models.build(config)


def test_a_model_gives_float32_logits_of_its_images(built):
    config, model, _ = built
    images = np.random.default_rng(0).random((3, config.height, config.width, 1))
    logits = model(images.astype(np.float32))
    assert logits.shape == (3, 5)
    assert logits.dtype == "float32"


def test_a_model_is_flat(built):
    """Explanations need a path of layers from image to logits."""
    _, model, _ = built
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)


def test_the_final_feature_map_is_the_one_that_is_pooled(built):
    _, model, name = built
    pooled = model.get_layer(head.FEATURES)
    assert model.get_layer(name).output is pooled.input
    assert pooled.output.shape[-1] == model.get_layer(name).output.shape[-1]


def test_the_same_seed_gives_the_same_weights_and_another_does_not(built):
    config, model, _ = built
    again, _ = models.build(config)
    other, _ = models.build(dataclasses.replace(config, seed=1))
    for first, second in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(*(head.last_layer(one)[0] for one in (model, other)))


def test_the_default_small_densenet_has_34_thousand_parameters():
    model, name = models.build(models.ModelConfig(num_classes=15))
    assert 33_000 < model.count_params() < 35_000
    assert name == "final_relu"


def test_the_input_is_normalised_by_mean_and_deviation():
    model, _ = models.build(dataclasses.replace(SMALL, mean=(0.4,), deviation=(0.2,)))
    layer = model.get_layer("normalise")
    values = np.full((1, 28, 56, 1), 0.8, np.float32)
    np.testing.assert_allclose(layer(values), 2.0, rtol=1e-5)


def test_the_bias_can_start_at_the_log_odds():
    model, _ = models.build(
        dataclasses.replace(SMALL, initial_bias=(-4, -3, -2, -1, 0))
    )
    np.testing.assert_array_equal(head.last_layer(model)[1], [-4, -3, -2, -1, 0])


def test_mixed_precision_keeps_logits_in_float32_and_leaves_the_policy_alone():
    before = keras.config.dtype_policy().name
    model, _ = models.build(dataclasses.replace(SMALL, dtype="mixed_bfloat16"))
    assert model.get_layer("stem").compute_dtype == "bfloat16"
    assert model.get_layer(head.LOGITS).compute_dtype == "float32"
    assert keras.config.dtype_policy().name == before


def test_features_and_logits_come_from_one_pass():
    model, _ = models.build(SMALL)
    images = np.random.default_rng(0).random((2, 28, 56, 1)).astype(np.float32)
    both = head.features_and_logits(model)(images)
    kernel, bias = head.last_layer(model)
    np.testing.assert_allclose(
        both["features"] @ kernel + bias, both["logits"], rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "vgg"}, "densenet121, densenet_small. Received: vgg"),
        ({"channels": 2}, "Expected: 1 or 3. Received: 2"),
        ({"deviation": (0.0,)}, "deviation"),
        ({"blocks": ()}, "blocks"),
        ({"dropout": 1.0}, "dropout"),
        ({"initial_bias": (1.0,)}, "initial_bias"),
        ({"dtype": "float64"}, "dtype"),
        ({"name": "densenet121"}, "at least 32. Received: 28x56"),
    ],
)
def test_a_model_that_cannot_be_is_refused_with_the_reason(changes, said):
    with pytest.raises(ValueError, match=said):
        models.build(dataclasses.replace(SMALL, **changes))


def test_names_are_listed_without_importing_keras():
    import subprocess
    import sys

    code = (
        "import sys; from inclusive_tf import models, losses; "
        "print(sorted(models.MODELS), 'keras' in sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert printed.strip() == "['densenet121', 'densenet_small'] False"
