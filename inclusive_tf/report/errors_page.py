"""A page of many errors with their maps: one HTML file, small and quick to load."""

import base64
import io

from PIL import Image

from data_pipelines import atomic, errors
from inclusive_tf.report import explained, findings, templating

MOST_BYTES = 30_000_000
MOST_ERRORS = 500
_SAMPLE = 20
_LEVELS = ((168, 80), (144, 76), (120, 72), (96, 66), (72, 60))
"""Widths in pixels and JPEG qualities to try, the best first."""


def _encoder(width, quality):
    """Returns a function like `explained.picture` that makes small JPEGs."""

    # one training image may stand beside many errors
    known = {}

    def draw(data, what):
        if data not in known:
            known[data] = encode(data, what)
        return known[data]

    def encode(data, what):
        # refuses what is no PNG
        found = explained.picture(data, what)
        with Image.open(io.BytesIO(data)) as image:
            shown = image.convert("L" if image.mode == "L" else "RGB")
        if found["width"] > width:
            height = max(1, round(found["height"] * width / found["width"]))
            shown = shown.resize((width, height), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        shown.save(buffer, "JPEG", quality=quality, optimize=True)
        encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
        return {
            "uri": f"data:image/jpeg;base64,{encoded}",
            "width": shown.width,
            "height": shown.height,
        }

    return draw


def render(cases, facts, label_pictures=(), most_bytes=MOST_BYTES):
    """Returns the page as text, of at most `most_bytes` as UTF-8.

    Pictures are JPEGs as large as the limit allows, and a browser decodes those that
    come into view.

    Args:
        cases: at most `MOST_ERRORS` errors, as `page.render` takes them.
        facts: those of `explain.gallery.save`.
        label_pictures: list of `explain.gallery.label_picture`.
        most_bytes: the limit.

    Raises:
        errors.DataError: too many errors, a picture is not a PNG, or not even the
            smallest pictures fit.
    """
    if len(cases) > MOST_ERRORS:
        raise errors.DataError(
            "too many errors for one page",
            expected=f"at most {MOST_ERRORS}",
            received=f"{len(cases)}",
        )
    sample = cases[:: max(1, len(cases) // _SAMPLE)]
    for level in _LEVELS:
        # encoding thousands of pictures to find that they are too large takes long
        draw = _encoder(*level)
        whatever = _size(_filled([], facts, label_pictures, draw))
        of_sample = _size(_filled(sample, facts, label_pictures, draw)) - whatever
        size = whatever + of_sample * len(cases) // max(1, len(sample))
        if size <= most_bytes:
            text = _filled(cases, facts, label_pictures, draw)
            size = _size(text)
            if size <= most_bytes:
                return text
    raise errors.DataError(
        "the page would be too large",
        expected=f"at most {most_bytes:,} bytes",
        received=f"about {size:,} with the smallest pictures",
    )


def _filled(cases, facts, label_pictures, draw):
    return (
        templating.environment()
        .get_template("errors.html")
        .render(
            row=facts["row"],
            split=findings.split_name(facts["split"]),
            given_from=facts["given_from"],
            chosen=explained.chosen(facts),
            cases=explained.cases(cases, facts["given_from"], draw),
            legend=explained.legend(cases),
            table=explained.check_table(facts),
            label_pictures=[
                one | draw(one["png"], "a label's picture") for one in label_pictures
            ],
        )
    )


def _size(text):
    return len(text.encode("utf-8"))


def write(cases, facts, label_pictures, path):
    """Writes the page; arguments and errors are those of `render`.

    Returns:
        Its size in bytes.
    """
    text = render(cases, facts, label_pictures)
    atomic.write_text(path, text)
    return _size(text)
