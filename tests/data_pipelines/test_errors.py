"""Settings that cannot be are refused with what they may be."""

import types

import pytest

from data_pipelines import errors


def test_a_setting_that_is_none_of_its_choices_is_named_with_them():
    settings = types.SimpleNamespace(kind="soft", missing="skip", other=1)
    choices = {"kind": ("soft", "hard"), "missing": ("keep", "drop")}
    with pytest.raises(
        errors.SettingError,
        match=r"^Unknown missing\. Expected: one of keep, drop\. Received: skip\.$",
    ):
        errors.require_choices(settings, choices)
    settings.missing = "keep"
    errors.require_choices(settings, choices)
