"""How pages are filled in: everything escaped, nothing undefined, the same filters."""

import pathlib

import jinja2
import markupsafe

from data_pipelines import oneline
from inclusive_tf.report import wording

_BREAKS = "/_-"
_TEMPLATES = pathlib.Path(__file__).parent / "templates"


def environment(*folders, **filters):
    """Returns a `jinja2.Environment` whose output is escaped.

    Args:
        *folders: with templates, looked through before those of the report.
        **filters: further filters by name.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, _TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "short": oneline.short,
        "clean": oneline.clean,
        "breakable": breakable,
        "count": wording.count,
        "number": wording.number,
        "role": _role,
    }
    made.filters |= filters
    return made


def _role(text):
    """Returns the style class of a role's name."""
    return {"missed": "missed", "rightly given": "right"}.get(text, "wrong")


def breakable(text):
    """Returns a name as markup that a narrow column breaks between its parts first."""
    found = markupsafe.escape(text)
    for mark in _BREAKS:
        found = found.replace(mark, mark + markupsafe.Markup("<wbr>"))
    return found
