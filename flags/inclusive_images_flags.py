"""Flags of the source inclusive_images."""


def define():
    """Defines the flags."""


def config_from_flags():
    """Returns the configuration of the flags."""
    raise NotImplementedError
