"""A small data set with suspects, and the desk that reviews it."""

import numpy as np
import pytest
from PIL import Image

from data_pipelines import decision_log, labels, suspects
from inclusive_tf.review import beside, definitions, desk, queue, replay

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def make_table(tmp_path):
    """Returns a function from {image: labels} to a table whose images are files."""

    def make(stated, vocabulary=("cat", "dog", "cow", HOSTILE)):
        for place, name in enumerate(stated):
            Image.new("RGB", (40, 30), (20 * place % 255, 90, 160)).save(
                tmp_path / name
            )
        rows = [[vocabulary.index(label) for label in row] for row in stated.values()]
        return labels.LabelTable(
            ids=np.array(list(stated)),
            locations=np.array([str(tmp_path / name) for name in stated]),
            labels=labels.SparseLabels.from_lists(rows, len(vocabulary)),
            vocabulary=labels.Vocabulary(
                vocabulary, tuple(one.capitalize() for one in vocabulary)
            ),
            group=np.zeros(len(rows), np.int32),
            group_names=("north",),
            split=np.zeros(len(rows), np.int32),
            split_names=("train",),
        )

    return make


@pytest.fixture
def table(make_table):
    return make_table({
        "a.png": ["cat"], "b.png": ["cat", "cow"], "c.png": [HOSTILE], "d.png": [],
        "e.png": ["dog"], "f.png": ["cow"],
    })  # fmt: skip


SUSPECTS = [
    suspects.Suspect("a.png", "wrong_label", "cat", "dog", 0.9, "given 0.02"),
    suspects.Suspect("b.png", "several_fit", "cat", "dog", 0.8),
    suspects.Suspect("c.png", "wrong_label", HOSTILE, "", 0.7, HOSTILE),
    suspects.Suspect("d.png", "missing_label", "", "cow", 0.6),
    suspects.Suspect("e.png", "image", "", "", 0.5, "blurry"),
    suspects.Suspect("a.png", "missing_label", "", "cow", 0.4),
]


@pytest.fixture
def make_desk(table, tmp_path):
    """Returns a function that opens a desk on the table and one log."""
    opened = []

    def make(found=tuple(SUSPECTS), who="ada", of=table, made=(), **more):
        now = replay.Replay(of)
        waiting = queue.Queue(list(found), now, "s.csv", made)
        log = decision_log.Log(tmp_path / "log" / "review.sqlite", of.vocabulary)
        opened.append(log)
        return desk.Desk(of, now, waiting, log, who, **more)

    yield make
    for log in opened:
        log.close()


@pytest.fixture
def full_desk(make_desk):
    """A desk with definitions, and neighbours and maps that know no image."""
    defined = {"cat": definitions.Definition("A small cat.", ("whiskers", HOSTILE))}
    return make_desk(definitions=defined, maps=beside.Maps())
