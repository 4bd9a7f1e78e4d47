"""What the page shows of a suspicion and of a neighbour, as JSON can hold it.

Every text is on one line, cut, and without marks that could turn it round; ids of
labels are as they are, for sending back.
"""

import dataclasses

from data_pipelines import oneline
from inclusive_tf.review import wordings

_LONG = 300


def label(desk, one):
    """Returns {"id", "name"} of a label id."""
    return {"id": one, "name": oneline.short(desk.now.name(one))}


def said(desk, decision):
    """Returns {"number", "who", "time", "said"} of a decision that is no undo."""
    return {
        "number": decision.number,
        "who": oneline.short(decision.who, wordings.WHO),
        "time": decision.time,
        "said": wordings.said(decision, desk.now),
    }


def card(desk, place):
    """Returns the dict of one suspicion.

    Args:
        desk: `desk.Desk`, locked and up to date.
        place: of the suspicion in its queue.
    """
    suspect, row = desk.queue.suspects[place], desk.queue.rows[place]
    in_question, suggested = desk.queue.labels(place)
    shown, excluded = desk.now.labels(row)
    answer, following = desk.queue.answer(place), desk.queue.next_open(place)
    return {
        "place": place,
        "total": len(desk.queue),
        "counts": list(desk.queue.counts),
        "next_open": following,
        "preload": None if following is None else desk.queue.rows[following],
        "seen": len(desk.now.decisions),
        "kind": suspect.kind,
        "label": label(desk, in_question) if in_question else None,
        "new_label": label(desk, suggested) if suggested else None,
        "score": suspect.score,
        "detail": oneline.short(suspect.detail, _LONG) if suspect.detail else "",
        "status": desk.queue.status[place],
        "answer": said(desk, answer) if answer else None,
        "labels": [label(desk, one) for one in shown],
        "excluded": excluded,
        "others": [
            {"place": one, "status": desk.queue.status[one]}
            for one in desk.queue.others(place)
        ],
        "definitions": [
            label(desk, one) | dataclasses.asdict(desk.definitions[one])
            for one in dict.fromkeys((in_question, suggested, *shown))
            if one in desk.definitions
        ],
        "maps": [
            {name: one[name] for name in ("label", "role", "method", "degenerate")}
            for one in desk.maps.of(suspect.id)
        ],
        "latest": [said(desk, one) for one in desk.now.own(row)[-1:]],
    } | _image(desk, row)


def _image(desk, row):
    table = desk.table
    text = table.text[row] if table.text is not None else ""
    return {
        "row": row,
        "id": oneline.clean(desk.now.ids[row]),
        "group": oneline.clean(table.group_names[table.group[row]]),
        "split": oneline.clean(table.split_names[table.split[row]]),
        "text": oneline.short(text, _LONG) if text else "",
    }


def neighbour(desk, row, distance):
    """Returns the dict of an image that is near another.

    Args:
        desk: `desk.Desk`, locked.
        row: of the image in the table.
        distance: between the features of both.
    """
    shown, _ = desk.now.labels(row)
    return _image(desk, row) | {
        "labels": [label(desk, one) for one in shown],
        "distance": distance,
    }
