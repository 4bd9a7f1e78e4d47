"""The errors with their maps, and the checks of the maps, as pages show them."""

import base64
import struct

from data_pipelines import errors, oneline
from inclusive_tf.evaluation import tables as plain_tables
from inclusive_tf.explain import choosing, maps
from inclusive_tf.explain import methods as all_methods
from inclusive_tf.report import findings, tables, wording

_PNG = b"\x89PNG\r\n\x1a\n"
_KEY_WIDTH = 96

CHECKS = {
    "pointing": "strongest point lies on the label's half",
    "energy": "share of the map on the label's half",
    "box_pointing": "strongest point lies in a box of the label",
    "box_energy": "share of the map in boxes of the label",
    "deletion": "deletion: logit below that of random orders",
    "insertion": "insertion: logit above that of random orders",
    "redrawn": "rank correlation with maps of re-drawn weights",
}
"""Each check of maps; of the last, what is near 0 is right, of the others, more."""


def picture(data, what):
    """Returns a PNG as {"uri": data URI, "width", "height"} in pixels.

    Raises:
        errors.DataError: the bytes are not a PNG.
    """
    if not data.startswith(_PNG) or len(data) < 24:
        raise errors.DataError(
            f"{what} is not a PNG", expected="PNG bytes", received=bytes(data[:8])
        )
    width, height = struct.unpack(">II", data[16:24])
    uri = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
    return {"uri": uri, "width": width, "height": height}


def legend(described):
    """Returns a dict for each method of the cases: "name", "shows", "ends" and "uri"
    of its colour bar."""
    drawn = {
        one["method"]
        for case in described
        for panel in case["panels"]
        for one in panel["maps"]
    }
    return [
        {
            "name": method.title,
            "shows": method.shows,
            "ends": method.ends,
            "uri": picture(maps.colour_bar(method.signed, _KEY_WIDTH).png, "a key")[
                "uri"
            ],
        }
        for method in all_methods.METHODS.values()
        if method.title in drawn
    ]


def _percent(probability):
    return 100 * min(max(wording.finite(probability) or 0, 0), 1)


def cases(described, given_from, draw=picture):
    """Returns the cases with their pictures as data URIs and bars ready to be drawn.

    Args:
        described: cases as `page.render` takes them.
        given_from: probability from which a label is given; None where it differs.
        draw: (PNG bytes, what they are) to what `picture` returns.

    Raises:
        errors.DataError: a picture is not a PNG.
    """
    tick = None if given_from is None else _percent(given_from)
    return [_case(case, draw) | {"tick": tick} for case in described]


def _case(case, draw):
    what = f"a picture of case {oneline.short(case['id'])}"
    truth, decided = set(case["truth"]), set(case["decided"])
    scores = [
        score
        | {"percent": _percent(score["probability"])}
        | {"true": score["name"] in truth, "given": score["name"] in decided}
        for score in case["scores"]
    ]
    beside = case.get("beside")
    return (
        case
        | draw(case["image_png"], what)
        | {"panels": [_panel(panel, draw, what) for panel in case["panels"]]}
        | {"scores": scores, "beside": beside and _case(beside, draw)}
    )


def _panel(panel, draw, what):
    return panel | {
        "maps": [one | draw(one["png"], what) for one in panel["maps"]],
        "examples": [
            one | draw(one["image_png"], what) for one in panel.get("examples", ())
        ],
    }


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
        "chosen": chosen(found),
        "cases": cases(described, found["given_from"]),
        "legend": legend(described),
        "table": check_table(found),
    }


def chosen(found):
    """Returns the names of the rankings that the errors come from."""
    kinds = [choosing.KINDS[kind] for kind in choosing.DEFAULT]
    return found.get("chosen", kinds)


def check_lines(found):
    """Yields the checks of maps as lines for a terminal.

    Args:
        found: "explanations" of the results.
    """
    for key, name in CHECKS.items():
        for one in found.get(key, ()):
            flat = f", {one['degenerate']} flat" if one["degenerate"] else ""
            yield (
                f"{one['method']}: {name}: {plain_tables.interval_text(one['hits'])} "
                f"over {one['hits']['n']}, by chance {one['baseline']:.3f}{flat}"
            )


def check_table(found):
    """Returns the checks of the maps by method, beside chance, or None.

    Args:
        found: "explanations" of the results.
    """
    checked = {
        name: {one["method"]: one for one in found[key]}
        for key, name in CHECKS.items()
        if found.get(key)
    }
    if not checked:
        return None
    columns = list(dict.fromkeys(title for row in checked.values() for title in row))
    rows = [
        tables.Row(
            name,
            [_check_cell(row.get(title)) for title in columns]
            + [wording.number(next(iter(row.values()))["baseline"])],
        )
        for name, row in checked.items()
    ]
    return tables.Table(
        "Checks of the maps, with 95 % intervals",
        "check", [*columns, "by chance"], rows,
    )  # fmt: skip


def _check_cell(one):
    if one is None:
        return wording.MISSING
    note = f"{wording.count(one['degenerate'])} flat maps" if one["degenerate"] else ""
    return wording.figure(one["hits"], note)
