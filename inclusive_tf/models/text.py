"""Words as a vector: embedded, then read in order by a gated recurrent unit."""

from keras import layers

TEXT = "text"


def read(tokens, config, name):
    """Returns the state of a GRU (Cho et al. 2014) after the last word.

    Padding is passed over, so a text without a word gives zeros.

    Args:
        tokens: int32 [B, L]; 0 is padding (`data_pipelines.tokens`).
        config: `models.ModelConfig`; text_vocabulary and text_units are used.
        name: of the last layer.

    Returns:
        [B, text_units].
    """
    words = layers.Embedding(
        config.text_vocabulary, config.text_units, mask_zero=True, name="words"
    )(tokens)
    # cuDNN's kernel stops at a text that is nothing but padding
    return layers.GRU(config.text_units, use_cudnn=False, name=name)(words)
