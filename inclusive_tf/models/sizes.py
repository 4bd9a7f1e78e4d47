"""How small images may be."""

from data_pipelines import errors


def require(config, least, smaller):
    """Refuses images that a model cannot take.

    Args:
        config: `models.ModelConfig`.
        least: smallest height and width the model takes, pixels.
        smaller: name of the model of its family for small images.

    Raises:
        errors.SettingError: height or width is less.
    """
    if min(config.height, config.width) < least:
        raise errors.SettingError(
            f"{config.name} needs larger images. Expected: height and width of at "
            f"least {least}. Received: {config.height}x{config.width}. {smaller} takes "
            "less."
        )
