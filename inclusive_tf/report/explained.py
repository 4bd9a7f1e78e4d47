"""The errors with their maps, and the check of the maps, as the page shows them."""

import base64
import dataclasses

from data_pipelines import errors
from inclusive_tf.explain import maps
from inclusive_tf.report import findings, tables, wording

_PNG = b"\x89PNG\r\n\x1a\n"
_KEY_WIDTH = 96

CHECKS = {
    "pointing": "strongest point lies on the label's half",
    "energy": "share of the map on the label's half",
}


@dataclasses.dataclass(frozen=True)
class Method:
    """What the maps of one method show.

    Args:
        name: as cases name it.
        shows: in a clause.
        signed: whether its maps speak against a label too.
        ends: what the ends of its colour bar mean, from the left.
    """

    name: str
    shows: str
    signed: bool
    ends: tuple


METHODS = (
    Method(
        "Grad-CAM", "where evidence for the label lies, coarsely", False,
        ("none", "most"),
    ),
    Method(
        "saliency", "which pixels the score reacts to, for or against", False,
        ("none", "most"),
    ),
    Method(
        "occlusion",
        "red where covering lowers the label's score, blue where it raises it", True,
        ("raises", "lowers"),
    ),
)  # fmt: skip


def png_uri(data, what):
    """Returns a PNG as a data URI.

    Raises:
        errors.DataError: the bytes are not a PNG.
    """
    if not data.startswith(_PNG):
        raise errors.DataError(
            f"{what} is not a PNG", expected="PNG bytes", received=bytes(data[:8])
        )
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def legend():
    """Returns a dict a method: "name", "shows", "ends" and "uri" of its colour bar."""
    return [
        {
            "name": method.name,
            "shows": method.shows,
            "ends": method.ends,
            "uri": png_uri(maps.colour_bar(method.signed, _KEY_WIDTH).png, "a key"),
        }
        for method in METHODS
    ]


def _percent(probability):
    return 100 * min(max(wording.finite(probability) or 0, 0), 1)


def cases(described, found):
    """Returns the cases with their pictures as data URIs and bars ready to be drawn.

    Args:
        described: cases as `page.render` takes them.
        found: "explanations" of the results.

    Raises:
        errors.DataError: a picture is not a PNG.
    """
    given_from = found["given_from"]
    shown = []
    for case in described:
        what = f"a picture of case {wording.short(case['id'])}"
        panels = [
            panel
            | {"maps": [one | {"uri": png_uri(one["png"], what)}
                        for one in panel["maps"]]}
            for panel in case["panels"]
        ]  # fmt: skip
        truth, decided = set(case["truth"]), set(case["decided"])
        scores = [
            score
            | {"percent": _percent(score["probability"])}
            | {"true": score["name"] in truth, "given": score["name"] in decided}
            for score in case["scores"]
        ]
        uri = png_uri(case["image_png"], what)
        shown.append(case | {"uri": uri, "panels": panels, "scores": scores})
        shown[-1]["tick"] = None if given_from is None else _percent(given_from)
    return shown


def gather(results, described):
    """Returns what the section of the worst errors shows, or None without explanations.

    Raises:
        errors.DataError: there are cases and nothing says of which row they are, or a
            picture is not a PNG.
    """
    found = results.get("explanations")
    if not found:
        if described:
            raise errors.DataError(
                "the results do not say which row the errors are of",
                expected='"explanations" with row, split and given_from',
                received=sorted(results),
            )
        return None
    return {
        "row": found["row"],
        "split": findings.split_name(found["split"]),
        "given_from": found["given_from"],
        "cases": cases(described, found),
        "legend": legend(),
        "table": check_table(found),
    }


def check_table(found):
    """Returns how often the maps point at the label, beside chance, or None.

    Args:
        found: "explanations" of the results.
    """
    rows = [
        tables.Row(
            f"{one['method']}: {name}",
            [
                wording.figure(one["hits"]),
                wording.number(one["baseline"]),
                wording.count(one["degenerate"]),
            ],
        )
        for key, name in CHECKS.items()
        for one in found.get(key, [])
    ]
    if not rows:
        return None
    return tables.Table(
        "Maps of rightly given labels, with 95 % intervals",
        "check", ["share", "by chance", "flat maps"], rows,
    )  # fmt: skip
