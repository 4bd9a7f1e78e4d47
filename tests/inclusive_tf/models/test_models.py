"""Models are flat, from scratch, with float32 logits and a named last feature map."""

import dataclasses
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from inclusive_tf import models
from inclusive_tf.models import head, se_resnet

SMALL = models.ModelConfig(num_classes=5, blocks=(1, 2), growth=4, filters=8)
SMALL_NAMES = [name for name in models.MODELS if name.endswith("_small")]
LARGE = {
    # parameters with 1,000 labels and three channels: those of keras.applications are
    # in its documentation
    "alexnet": (57, "pool5", 4_004_200),
    "densenet121": (32, "relu", 8_062_504),
    "densenet169": (32, "relu", 14_307_880),
    "densenet201": (32, "relu", 20_242_984),
    "inception_resnet_v2": (75, "conv_7b_ac", 55_873_736),
    "inception_v3": (75, "mixed10", 23_851_784),
    "resnet101": (32, "conv5_block3_out", 44_707_176),
    "resnet50": (32, "conv5_block3_out", 25_636_712),
    "se_resnet101": (32, "stage3_unit2_relu", 49_432_216),
    "xception": (71, "block14_sepconv2_act", 22_910_480),
}
SIBLINGS = {
    "alexnet": "alexnet_small",
    "densenet121": "densenet_small",
    "densenet169": "densenet_small",
    "densenet201": "densenet_small",
    "inception_resnet_v2": "inception_resnet_small",
    "inception_v3": "inception_small",
    "resnet101": "resnet_small",
    "resnet50": "resnet_small",
    "se_resnet101": "se_resnet_small",
    "xception": "xception_small",
}


def large(name, **changes):
    """As small as the model may be, in colour, with 1,000 labels."""
    side = LARGE[name][0]
    return models.ModelConfig(
        **{
            "name": name,
            "num_classes": 1000,
            "height": side,
            "width": side,
            "channels": 3,
            "mean": (0.5,) * 3,
            "deviation": (0.25,) * 3,
        }
        | changes
    )


@pytest.fixture(params=SMALL_NAMES, scope="module")
def built(request):
    config = dataclasses.replace(SMALL, name=request.param)
    return config, *models.build(config)


def some_images(config, count=3):
    shape = (count, config.height, config.width, config.channels)
    return np.random.default_rng(0).random(shape).astype(np.float32)


def require_flat(model):
    """Explanations need a path of layers from image to logits, and exports no code."""
    assert not any(
        isinstance(layer, (keras.Model, keras.layers.Lambda)) for layer in model.layers
    )


def require_pooled(model, name):
    pooled = model.get_layer(head.FEATURES)
    assert model.get_layer(name).output is pooled.input
    assert pooled.output.shape[-1] == model.get_layer(name).output.shape[-1]


def test_every_model_is_tested():
    assert set(models.MODELS) == {*SMALL_NAMES, *LARGE}
    assert set(SIBLINGS.values()) == set(SMALL_NAMES)


@pytest.mark.parametrize("name", LARGE)
def test_a_large_model_is_the_published_one(name):
    """One build a model: what it counts, that it is flat, and that it answers.

    The deeper ones of a family are the same program, and are not asked.
    """
    _, feature_map, parameters = LARGE[name]
    config = large(name)
    model, found = models.build(config)
    assert (found, model.count_params()) == (feature_map, parameters)
    require_flat(model)
    require_pooled(model, found)
    if name in ("densenet169", "densenet201", "resnet101"):
        return
    logits = model(some_images(config, 1))
    assert logits.shape == (1, 1000)
    assert logits.dtype == "float32"
    assert np.isfinite(logits).all()


def test_a_model_gives_finite_float32_logits_of_its_images(built):
    config, model, _ = built
    logits = model(some_images(config))
    assert logits.shape == (3, 5)
    assert logits.dtype == "float32"
    assert np.isfinite(logits).all()


def test_a_model_is_flat(built):
    require_flat(built[1])


def test_the_final_feature_map_is_the_one_that_is_pooled(built):
    require_pooled(*built[1:])


def test_the_gradient_reaches_every_weight(built):
    config, model, _ = built
    targets = np.eye(5, dtype=np.float32)[np.arange(16) % 5]
    with tf.GradientTape() as tape:
        # as if not in training: normalisation by the batch would change the model
        logits = model(some_images(config, 16), training=False)
        value = keras.losses.BinaryCrossentropy(from_logits=True)(targets, logits)
    gradients = tape.gradient(value, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(gradient).all(), variable.path
        assert np.any(gradient), variable.path


def test_blocks_and_width_make_a_small_model_larger(built):
    config, model, _ = built
    deeper, _ = models.build(dataclasses.replace(config, blocks=(1, 3)))
    assert deeper.count_params() > model.count_params()
    wider, _ = models.build(dataclasses.replace(config, growth=8, filters=16))
    assert wider.count_params() > 1.8 * model.count_params()


def test_each_further_stage_of_a_small_model_halves_the_map(built):
    """And the stem halves it, when it strides."""
    config, model, name = built
    shape = model.get_layer(name).output.shape
    assert shape[1:3] == (7, 14)
    unstrided = dataclasses.replace(config, stem_stride=1, blocks=(1,) * 3)
    model, name = models.build(unstrided)
    assert model.get_layer(name).output.shape[1:3] == (7, 14)


def test_the_same_seed_gives_the_same_weights_and_another_does_not(built):
    config, model, _ = built
    again, _ = models.build(config)
    other, _ = models.build(dataclasses.replace(config, seed=1))
    for first, second in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(*(head.last_layer(one)[0] for one in (model, other)))


def test_a_model_comes_back_from_its_stored_config_and_weights(built, tmp_path):
    config, model, name = built
    stored = json.loads(json.dumps(dataclasses.asdict(config)))
    again, found = models.build(models.ModelConfig(**{**stored, "seed": 9}))
    assert (models.ModelConfig(**stored), found) == (config, name)
    model.save_weights(tmp_path / "model.weights.h5")
    again.load_weights(tmp_path / "model.weights.h5")
    images = some_images(config)
    np.testing.assert_array_equal(model(images), again(images))


def test_the_default_small_densenet_has_34_thousand_parameters():
    model, name = models.build(models.ModelConfig(num_classes=15))
    assert 33_000 < model.count_params() < 35_000
    assert name == "final_relu"


def test_resnet_small_can_be_the_resnet_20_of_cifar():
    """0.27 million parameters in table 6 of He et al. 2016."""
    config = models.ModelConfig(
        name="resnet_small",
        num_classes=10,
        height=32,
        width=32,
        channels=3,
        mean=(0.5,) * 3,
        deviation=(0.25,) * 3,
        stem_stride=1,
    )
    model, name = models.build(config)
    convolutions = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D) and "project" not in layer.name
    ]
    assert len(convolutions) + 1 == 20
    assert 265_000 < model.count_params() < 275_000
    assert model.get_layer(name).output.shape == (None, 8, 8, 64)


def test_alexnet_with_its_own_head_has_62_million_parameters():
    """60,965,224 of the two towers, plus the weights between the towers they lack."""
    config = large(
        "alexnet", height=224, width=224, pooling="flatten", hidden=(4096, 4096),
        dropout=0.5,
    )  # fmt: skip
    model, name = models.build(config)
    assert model.get_layer(name).output.shape == (None, 6, 6, 256)
    between = 128 * 25 * 48 * 2 + 192 * 9 * 192 * 2 + 128 * 9 * 192 * 2
    assert model.count_params() == 60_965_224 + between == 62_378_344


def test_se_resnet_101_is_resnet_101_with_its_gates():
    """Trainable: 44,549,160 of ResNet-101 and 2 D^2 / 16 + D / 16 + D a gate."""
    gates = sum(
        units * (2 * width * width // 16 + width // 16 + width)
        for units, width in ((3, 256), (4, 512), (23, 1024), (3, 2048))
    )
    # running means and variances of batch normalisation are not trained
    running = 2 * (
        64
        + sum(
            units * 6 * width + 4 * width
            for units, width in ((3, 64), (4, 128), (23, 256), (3, 512))
        )
    )
    assert 44_549_160 + gates == 49_326_872
    assert LARGE["se_resnet101"][2] == 49_326_872 + running


def test_a_gate_multiplies_channels_by_what_its_formula_says():
    branch = keras.Input((4, 4, 8))
    gated = keras.Model(branch, se_resnet.gate_channels(branch, "unit", reduction=4))
    generator = np.random.default_rng(0)
    images = generator.normal(size=(2, 4, 4, 8)).astype(np.float32)
    gated.set_weights([generator.normal(size=w.shape) for w in gated.get_weights()])
    reduce, reduce_bias, excite, excite_bias = gated.get_weights()
    squeezed = images.mean(axis=(1, 2))
    inner = np.maximum(squeezed @ reduce + reduce_bias, 0)
    assert inner.shape == (2, 2)
    gate = 1 / (1 + np.exp(-(inner @ excite + excite_bias)))
    np.testing.assert_allclose(
        gated(images), images * gate[:, None, None], rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("name", SMALL_NAMES)
def test_mixed_precision_keeps_logits_in_float32_and_leaves_the_policy_alone(name):
    before = keras.config.dtype_policy().name
    config = dataclasses.replace(SMALL, name=name, dtype="mixed_bfloat16", blocks=(1,))
    model, _ = models.build(config)
    assert model.get_layer("stem").compute_dtype == "bfloat16"
    assert model.get_layer(head.LOGITS).compute_dtype == "float32"
    assert model(some_images(config)).dtype == "float32"
    assert keras.config.dtype_policy().name == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "vgg"}, "densenet121, .*resnet50, .*xception_small. Received: vgg"),
        ({"channels": 2}, "Expected: 1 or 3. Received: 2"),
        ({"deviation": (0.0,)}, "deviation"),
        ({"blocks": ()}, "blocks"),
        ({"filters": 0}, "filters"),
        ({"hidden": (3, 0)}, "hidden"),
        ({"pooling": "max"}, "average or flatten. Received: max"),
        ({"dropout": 1.0}, "dropout"),
        ({"batch_norm_momentum": 1.0}, "batch_norm_momentum"),
        ({"initial_bias": (1.0,)}, "initial_bias"),
        ({"dtype": "float64"}, "dtype"),
        ({"blocks": (1,) * 6}, "at most 4 .* 28x56 pixels. Received: 6"),
    ],
)
def test_a_model_that_cannot_be_is_refused_with_the_reason(changes, said):
    with pytest.raises(ValueError, match=said):
        models.build(dataclasses.replace(SMALL, **changes))


@pytest.mark.parametrize("name", LARGE)
def test_images_too_small_are_refused_and_the_small_sibling_is_named(name):
    least = LARGE[name][0]
    config = large(name, width=least - 1)
    said = f"at least {least}. Received: {least}x{least - 1}. {SIBLINGS[name]} takes"
    with pytest.raises(ValueError, match=said):
        models.build(config)


def test_names_are_listed_without_importing_keras():
    code = (
        "import sys; from inclusive_tf import models, losses; "
        "print(len(models.MODELS), 'keras' in sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert printed.strip() == f"{len(models.MODELS)} False"
