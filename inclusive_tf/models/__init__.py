"""Models: flat functional graphs trained from scratch, one family a file.

`ModelConfig` says everything needed to build one; `build` builds it. A builder takes
(inputs normalised by the data set's mean and deviation, config) and returns the final
feature map; the head is the same for all and lies in `head`.
"""

import dataclasses

from data_pipelines import errors
from inclusive_tf import registry

MODELS = {
    "densenet_small": "inclusive_tf.models.densenet:densenet_small",
    "densenet121": "inclusive_tf.models.densenet:densenet121",
}


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
        growth: channels a DenseNet layer adds (small variant).
        blocks: layers in each dense block (small variant).
        stem_stride: 1 or 2; 2 quarters the work (small variant).
        dropout: share of the features dropped before the last layer.
        initial_bias: C values for the last layer's bias, such as logit(prevalence);
            empty means 0.
        dtype: Keras dtype policy: float32, mixed_float16 or mixed_bfloat16. Logits are
            float32 in any case.
        seed: decides the initial weights.
    """

    name: str = "densenet_small"
    num_classes: int = 1
    height: int = 28
    width: int = 56
    channels: int = 1
    mean: tuple = (0.5,)
    deviation: tuple = (0.25,)
    growth: int = 8
    blocks: tuple = (3, 3, 3)
    stem_stride: int = 2
    dropout: float = 0.0
    initial_bias: tuple = ()
    dtype: str = "float32"
    seed: int = 0

    def __post_init__(self):
        for name in ("mean", "deviation", "blocks", "initial_bias"):
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
            (
                "blocks",
                self.blocks and all(layers >= 1 for layers in self.blocks),
                "at least one block of at least one layer",
            ),
            ("stem_stride", self.stem_stride in (1, 2), "1 or 2"),
            ("dropout", 0 <= self.dropout < 1, "0 or more, below 1"),
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
        (model, final_feature_map): a `keras.Model` from float32 [B, H, W, channels] in
        0..1 to float32 logits [B, C], and the name of the layer whose output is the
        final feature map.

    Raises:
        errors.SettingError: an unknown name, or an input too small for the model.
    """
    builder = registry.resolve(MODELS, config.name, "model")
    from inclusive_tf.models import head

    return head.assemble(builder, config)
