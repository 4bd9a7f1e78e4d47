"""Registries that list names without importing what they name."""

import importlib

from data_pipelines import errors


def resolve(registry, name, kind):
    """Imports and returns what `registry` calls `name`.

    Args:
        registry: {name: "package.module:attribute"}.
        name: what was asked for.
        kind: what the registry holds, for the message.

    Raises:
        errors.SettingError: there is none; the message lists the known ones.
    """
    if name not in registry:
        raise errors.SettingError(
            f"Unknown {kind}. Expected: one of {', '.join(sorted(registry))}. "
            f"Received: {name}."
        )
    module, _, attribute = registry[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
