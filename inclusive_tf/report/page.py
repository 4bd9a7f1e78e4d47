"""The report page: one HTML file that needs nothing from outside and runs no script."""

import re

from data_pipelines import atomic
from inclusive_tf.report import content, templating


def _unbroken(text, *names):
    """Returns `text` whose intervals and `names` do not break across lines."""
    text = re.sub(r"\[[^\]]*\]", lambda found: found[0].replace(" ", "\u00a0"), text)
    for name in names:
        text = text.replace(name, name.replace(" ", "\u00a0"))
    return text


def render(results, cases):
    """Returns the page as text.

    Args:
        results: the results JSON of a demo, as a dict; missing parts are said.
        cases: the errors to show, in order; dicts with "id", "split", "group", "why"
            (the ranking that chose it), "image_png" (PNG bytes), "truth" and "decided"
            (names), "loss", "scores" ({"name", "probability"}) and "panels" ({"label",
            "role", "maps": [{"method", "png", "degenerate"}]}). The results say of
            which row, split and threshold they are, in "explanations".

    Raises:
        errors.DataError: there is nothing to tell, or a picture is not a PNG.
    """
    template = templating.environment(unbroken=_unbroken).get_template("page.html")
    return template.render(content.gather(results, cases))


def write(results, cases, path):
    """Writes the page to `path`; arguments and errors are those of `render`."""
    atomic.write_text(path, render(results, cases))
