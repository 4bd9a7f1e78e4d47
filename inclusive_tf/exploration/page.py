"""The page of an exploration: one HTML file with all it needs, which fetches nothing.

Its policy lets only the two scripts run whose sums it names, plotly's and ours, and
forbids every request. What comes from a data set is text to the page: escaped in HTML,
in plotly's own markup and in JSON.
"""

import base64
import hashlib
import json
import pathlib

from data_pipelines import atomic, errors
from inclusive_tf.exploration import content, look, texts
from inclusive_tf.report import templating

_TEMPLATES = pathlib.Path(__file__).parent / "templates"
_TINY = 64


def embedded(value):
    """Returns a value as JSON that may stand within a script element."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _sum(script):
    """Returns the source expression of a content security policy for a script."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _plotly():
    """Returns plotly's script."""
    look.graph_objects()
    import plotly.offline

    script = plotly.offline.get_plotlyjs()
    # either would end or change the script element, and the sum of the policy
    if any(mark in script for mark in ("</script", "<!--", "\r")):
        raise errors.StoppedError(
            "The installed plotly's script cannot stand within a page. Expected: one "
            "without end tags, comments and carriage returns."
        )
    return script


def _thumbnail(picture):
    data = base64.b64encode(picture.thumbnail).decode()
    return {
        "uri": f"data:{picture.thumbnail_type};base64,{data}",
        "width": picture.width,
        "height": picture.height,
        "tiny": max(picture.width, picture.height) <= _TINY,
    }


def render(figures, thumbnails):
    """Returns the page as text.

    Args:
        figures: of `figures.gather`, or its JSON read back.
        thumbnails: {row: `pictures.Picture`} of the images on the sheets.

    Raises:
        errors.MissingExtraError: plotly is not installed.
    """
    shown = content.gather(figures)
    plots = {
        plot.name: plot.drawn for section in shown["sections"] for plot in section.plots
    }
    scripts = [_plotly(), (_TEMPLATES / "plots.js").read_text("utf-8")]
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_sum, scripts))}; style-src "
        "'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    environment = templating.environment(_TEMPLATES, counted=texts.counted)
    template = environment.get_template("exploration.html")
    return template.render(
        shown,
        policy=policy,
        scripts=scripts,
        plots=embedded(plots),
        figures=embedded(figures),
        thumbnails={row: _thumbnail(one) for row, one in thumbnails.items()},
    )


def write(figures, thumbnails, output):
    """Writes index.html and figures.json into a folder; arguments are `render`'s.

    Returns:
        pathlib.Path: of the page.
    """
    output = pathlib.Path(output)
    text = render(figures, thumbnails)
    atomic.write_json(output / "figures.json", figures)
    atomic.write_text(output / "index.html", text)
    return output / "index.html"
