"""A review for others: corrections as CSV, everything as CSV, Label Studio's JSON.

The corrections have the form of `data_pipelines.correction_log`, which `--corrections`
takes; the whole log has a column more a field of `decision_log.Decision`. The form for
Label Studio is that of https://labelstud.io/guide/tasks and guide/predictions.
"""

import json
import urllib.parse
import xml.etree.ElementTree as ElementTree

from data_pipelines import correction_log, strict_csv

ALL_HEADER = (
    "number", *correction_log.HEADER, "question", "before", "after", "withdraws",
    "stands",
)  # fmt: skip
LOCAL_FILES = "/data/local-files/?d="
"""Where Label Studio serves files of its own machine from."""
_LABELS, _IMAGE = "labels", "image"


def corrections_csv(now):
    """Returns what counts of the log, as the text of a log of corrections.

    Args:
        now: `replay.Replay`.
    """
    made = (one.correction() for one in now.effective())
    rows = [one.fields() for one in made if one is not None]
    return strict_csv.text(correction_log.HEADER, rows)


def all_csv(now):
    """Returns every row, also kept labels, undos and what they withdrew, as CSV.

    It is for people: what a spreadsheet would calculate has a quote before it.
    """
    rows = [
        (
            one.number, one.time,
            *map(strict_csv.for_people,
                 (one.who, one.action, one.id, one.label, one.new_label)),
            one.question, json.dumps(one.before, ensure_ascii=False),
            json.dumps(one.after, ensure_ascii=False), one.withdraws or "",
            "yes" if now.stands(one) else "no",
        )
        for one in now.decisions
    ]  # fmt: skip
    return strict_csv.text(ALL_HEADER, rows)


def label_studio_tasks(desk, prefix=LOCAL_FILES):
    """Returns the tasks that Label Studio imports, as JSON text.

    One task a suspected image, in the order of the queue. What the suspicions make of
    the labels is its prediction; once somebody has decided, the labels as they are now
    are its annotation, and an excluded image's is a cancelled one.

    Args:
        desk: `desk.Desk`.
        prefix: what stands before an image's id to make the address it is served at.
    """
    places = {}
    for place, row in enumerate(desk.queue.rows):
        places.setdefault(row, []).append(place)
    tasks = [_task(desk, row, found, prefix) for row, found in places.items()]
    return json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"


def _task(desk, row, places, prefix):
    image = str(desk.now.ids[row])
    shown, excluded = desk.now.labels(row)
    task = {
        "data": {
            _IMAGE: prefix + urllib.parse.quote(image),
            "id": image,
            "stated": list(desk.now.stated(row)),
            "group": desk.table.group_names[desk.table.group[row]],
            "split": desk.table.split_names[desk.table.split[row]],
            "suspicions": [
                " ".join(filter(None, (one.kind, one.label, one.new_label, one.detail)))
                for one in (desk.queue.suspects[place] for place in places)
            ],
        },
        "predictions": [
            {
                "model_version": "suspects",
                "score": desk.queue.suspects[places[0]].score,
                "result": _choices(_suggested(desk, row, places)),
            }
        ],
    }
    if desk.now.own(row):
        task["annotations"] = [{"was_cancelled": excluded, "result": _choices(shown)}]
    return task


def _suggested(desk, row, places):
    found = dict.fromkeys(desk.now.stated(row))
    for place in places:
        one = desk.queue.suspects[place]
        if one.kind == "wrong_label":
            found.pop(one.label, None)
        if one.new_label:
            found.setdefault(one.new_label)
    return tuple(dict.fromkeys(map(desk.now.label_now, found)))


def _choices(labels):
    return [
        {
            "from_name": _LABELS,
            "to_name": _IMAGE,
            "type": "choices",
            "value": {"choices": list(labels)},
        }
    ]


def label_studio_config(now):
    """Returns the labelling configuration that the tasks need, as XML.

    Args:
        now: `replay.Replay`; its labels are the choices, shown by their names.
    """
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", name=_IMAGE, value=f"${_IMAGE}")
    choices = ElementTree.SubElement(
        view, "Choices", name=_LABELS, toName=_IMAGE, choice="multiple"
    )
    for label, name in now.vocabulary.items():
        shown = {"value": name} if name == label else {"value": name, "alias": label}
        ElementTree.SubElement(choices, "Choice", **shown)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def import_corrections(desk, path):
    """Adds the rows of a log of corrections to a review's log.

    Rows that the log has already, by all their fields, are left out, so that importing
    one file twice is importing it once.

    Args:
        desk: `desk.Desk`.
        path: CSV of the form of `correction_log`.

    Returns:
        sentences that count what was added and what was left out.

    Raises:
        errors.DataError: another form, or a row that cannot be applied after what is in
            the log; nothing is added then.
    """
    found = correction_log.read(path)
    there = {tuple(one.fields()) for one in map(_correction, desk.now.decisions) if one}
    fresh = [one for one in found if tuple(one.fields()) not in there]
    rows = desk.now.rows([one.id for one in fresh]).tolist()
    known = [
        one for one, row in zip(fresh, rows, strict=True) if row >= 0 or not one.id
    ]
    desk.append(known)
    notes = [f"{len(known):,} corrections of {path} were added to the log"]
    if len(found) > len(fresh):
        notes.append(f"{len(found) - len(fresh):,} were in the log before")
    if len(fresh) > len(known):
        notes.append(
            f"{len(fresh) - len(known):,} name an image that is not in the data"
        )
    return notes


def _correction(decision):
    return decision.correction()
