"""Errors that a user can act on; scripts print them as one line."""


class DataError(ValueError):
    """Input that cannot be used, said in three parts and with its place.

    Args:
        problem: what is wrong, one clause.
        expected: what would have been right.
        received: what was found; shortened when long.
        file: the file, when there is one.
        row: the row of the file, counted from 1 with the header as row 1.
    """

    def __init__(self, problem, *, expected=None, received=None, file=None, row=None):
        place = ""
        if file is not None:
            place = f"{file}"
            if row is not None:
                place += f", row {row}"
            place += ": "
        message = f"{place}{problem}."
        if expected is not None:
            message += f" Expected: {expected}."
        if received is not None:
            text = received if isinstance(received, str) else repr(received)
            if len(text) > 200:
                text = f"{text[:200]}… ({len(text)} characters)"
            message += f" Received: {text}."
        super().__init__(message)
        self.problem, self.file, self.row = problem, file, row


class SettingError(ValueError):
    """A setting that cannot be used; the message says expected and received."""


def require_choices(settings, choices):
    """Refuses settings of which one is none of its choices.

    Args:
        settings: has the fields that `choices` names, such as a source's configuration.
        choices: {field: what it may be}.

    Raises:
        SettingError: the first that is something else.
    """
    for name, allowed in choices.items():
        if getattr(settings, name) not in allowed:
            raise SettingError(
                f"Unknown {name}. Expected: one of {', '.join(allowed)}. "
                f"Received: {getattr(settings, name)}."
            )


class StoppedError(RuntimeError):
    """A run that cannot go on, for a reason that its owner can act on."""

    exit_code = 1
    """Of the script that it ends."""
    at_once = False
    """Whether the process ends without tidying up, as that would wait for others."""


class MissingExtraError(ImportError):
    """A part was asked for whose optional dependency is not installed."""

    def __init__(self, what, extra):
        super().__init__(
            f"{what} needs an optional dependency: pip install 'inclusive_tf[{extra}]'"
        )
