"""Flags of the source class_folders."""


def define():
    """Defines the flags."""


def config_from_flags():
    """Returns the configuration of the flags."""
    raise NotImplementedError
