"""Flags of the source fashion_products."""


def define():
    """Defines the flags."""


def config_from_flags():
    """Returns the configuration of the flags."""
    raise NotImplementedError
