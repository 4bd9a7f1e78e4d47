"""Models: flat functional graphs trained from scratch, one family a file.

`ModelConfig` says everything needed to build one; `build` builds it. A builder takes
(inputs normalised by the data set's mean and deviation, config) and returns the final
feature map; the head is the same for all and lies in `head`.
"""

import dataclasses

from data_pipelines import errors, stored_files
from inclusive_tf import registry

MODELS = {
    "alexnet": "inclusive_tf.models.alexnet:alexnet",
    "alexnet_small": "inclusive_tf.models.alexnet:alexnet_small",
    "densenet121": "inclusive_tf.models.densenet:densenet121",
    "densenet169": "inclusive_tf.models.densenet:densenet169",
    "densenet201": "inclusive_tf.models.densenet:densenet201",
    "densenet_small": "inclusive_tf.models.densenet:densenet_small",
    "inception_resnet_small": (
        "inclusive_tf.models.inception_resnet:inception_resnet_small"
    ),
    "inception_resnet_v2": "inclusive_tf.models.inception_resnet:inception_resnet_v2",
    "inception_small": "inclusive_tf.models.inception:inception_small",
    "inception_v3": "inclusive_tf.models.inception:inception_v3",
    "resnet101": "inclusive_tf.models.resnet:resnet101",
    "resnet50": "inclusive_tf.models.resnet:resnet50",
    "resnet_small": "inclusive_tf.models.resnet:resnet_small",
    "se_resnet101": "inclusive_tf.models.se_resnet:se_resnet101",
    "se_resnet_small": "inclusive_tf.models.se_resnet:se_resnet_small",
    "xception": "inclusive_tf.models.xception:xception",
    "xception_small": "inclusive_tf.models.xception:xception_small",
}

POOLINGS = ("average", "flatten")
INPUTS = ("image", "image_and_text", "text")


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """A model, complete: what `model.json` of a run stores.

    Args:
        name: a name in `MODELS`.
        num_classes: logits, C.
        height: input pixels.
        width: input pixels.
        channels: 1 (grey) or 3 (RGB).
        mean: data set's mean a channel, of values in 0..1.
        deviation: data set's standard deviation a channel, above 0.
        growth: channels a layer of `densenet_small` adds.
        filters: channels of the first stage of the other small models.
        blocks: layers, convolutions or units in each stage of a small model.
        stem_stride: 1 or 2; 2 quarters the work (small models).
        pooling: how the final feature map becomes a vector: its `average` over places,
            or all of it (`flatten`, AlexNet's way).
        hidden: units of ReLU layers between that vector and the last layer.
        dropout: share of the features dropped before the last layer, and of what each
            hidden layer gives.
        batch_norm_momentum: of the running means and variances that answers are
            normalised by; these need about 5 / (1 - momentum) steps to settle, so that
            trainings of a few hundred steps want 0.9 or 0.95.
        initial_bias: C values for the last layer's bias, such as logit(prevalence);
            empty means 0.
        dtype: Keras dtype policy: float32, mixed_float16 or mixed_bfloat16. Logits are
            float32 in any case.
        seed: decides the initial weights.
        inputs: a name in `INPUTS`. Text is read by a GRU, whose state stands beside the
            pooled image (before the hidden layers), or alone.
        text_vocabulary: numbers that a token can have, with padding and unknown.
        text_length: tokens of a text, L.
        text_units: width of the words' vectors, and units of the GRU.
    """

    name: str = "densenet_small"
    num_classes: int = 1
    height: int = 28
    width: int = 56
    channels: int = 1
    mean: tuple = (0.5,)
    deviation: tuple = (0.25,)
    growth: int = 8
    filters: int = 16
    blocks: tuple = (3, 3, 3)
    stem_stride: int = 2
    pooling: str = "average"
    hidden: tuple = ()
    dropout: float = 0.0
    batch_norm_momentum: float = 0.99
    initial_bias: tuple = ()
    dtype: str = "float32"
    seed: int = 0
    inputs: str = "image"
    text_vocabulary: int = 0
    text_length: int = 16
    text_units: int = 64

    @classmethod
    def from_dict(cls, values, file=None):
        """Builds from the fields of a run's `model.json`.

        Args:
            values: dict; a field that is not there has its default.
            file: where it was read, for the error.

        Raises:
            errors.DataError: a field is unknown, as after a newer version wrote it, or
                cannot be used.
        """
        with stored_files.reading(
            file, "the model is described in another way", "what this version writes"
        ):
            return cls(**values)

    def __post_init__(self):
        for name in ("mean", "deviation", "blocks", "hidden", "initial_bias"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        checks = (
            ("num_classes", self.num_classes >= 1, "at least 1"),
            ("channels", self.channels in (1, 3), "1 or 3"),
            ("mean", len(self.mean) == self.channels, f"{self.channels} value(s)"),
            (
                "deviation",
                len(self.deviation) == self.channels
                and all(value > 0 for value in self.deviation),
                f"{self.channels} value(s) above 0",
            ),
            ("growth", self.growth >= 1, "at least 1"),
            ("filters", self.filters >= 1, "at least 1"),
            (
                "blocks",
                self.blocks and all(layers >= 1 for layers in self.blocks),
                "at least one block of at least one layer",
            ),
            ("stem_stride", self.stem_stride in (1, 2), "1 or 2"),
            ("pooling", self.pooling in POOLINGS, " or ".join(POOLINGS)),
            (
                "hidden",
                all(units >= 1 for units in self.hidden),
                "layers of at least one unit, or none",
            ),
            ("dropout", 0 <= self.dropout < 1, "0 or more, below 1"),
            (
                "batch_norm_momentum",
                0 <= self.batch_norm_momentum < 1,
                "0 or more, below 1",
            ),
            (
                "initial_bias",
                len(self.initial_bias) in (0, self.num_classes),
                f"none or {self.num_classes} values",
            ),
            (
                "dtype",
                self.dtype in ("float32", "mixed_float16", "mixed_bfloat16"),
                "float32, mixed_float16 or mixed_bfloat16",
            ),
            ("inputs", self.inputs in INPUTS, ", ".join(INPUTS)),
            (
                "text_vocabulary",
                self.inputs == "image" or self.text_vocabulary >= 3,
                "at least 3: padding, unknown and a word",
            ),
            ("text_length", self.text_length >= 1, "at least 1"),
            ("text_units", self.text_units >= 1, "at least 1"),
        )
        for field, right, expected in checks:
            if not right:
                raise errors.SettingError(
                    f"A model cannot have this {field}. Expected: {expected}. "
                    f"Received: {getattr(self, field)}."
                )


def build(config):
    """Builds an untrained model.

    Args:
        config: `ModelConfig`.

    Returns:
        (model, final_feature_map): a `classifier.Classifier` to float32 logits [B, C],
        and the name of the layer whose output is the final feature map ("" for text
        alone). It takes images, float32 [B, H, W, channels] in 0..1, or tokens, int32
        [B, L], or both as {"image": ..., "text": ...}; see `head.inputs_of`.

    Raises:
        errors.SettingError: an unknown name, or an input too small for the model.
    """
    builder = registry.resolve(MODELS, config.name, "model")
    from inclusive_tf.models import head

    return head.assemble(builder, config)
