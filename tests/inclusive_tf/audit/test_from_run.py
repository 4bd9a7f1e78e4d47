"""What the images of a run add to what its network says."""

import dataclasses

import numpy as np
import pytest

from data_pipelines import errors
from data_pipelines.sources import table as table_source
from inclusive_tf.audit import auditing, from_run, label_suspects


@pytest.fixture
def seen(make_table, make_predictions):
    """120 images, red or blue, of which two are labelled wrongly, in another order than
    the table's; and a network whose features say nothing."""
    rows = [
        (f"images/{number:03d}.png", ("red", "blue")[number % 2], "g", "train")
        for number in range(120)
    ]
    path = make_table(rows)
    table, _ = table_source.read_with_notes(table_source.TableConfig(str(path)))
    generator = np.random.default_rng(0)
    order = generator.permutation(120)
    shown = np.arange(2) == (order % 2)[:, None]
    wrong = np.isin(order, (7, 22))
    shown[wrong] = ~shown[wrong]
    part = make_predictions(
        np.where(shown, 3.0, -3.0), shown, ids=table.ids[order],
        features=generator.normal(size=(120, 4)).astype(np.float32),
        kernel=np.zeros((4, 2), np.float32), bias=np.zeros(2, np.float32),
        vocabulary=table.vocabulary, source={"split": "train"},
    )  # fmt: skip
    return part, table


def test_pixels_tell_what_features_do_not(seen):
    part, table = seen

    def first(judged):
        logits, _ = auditing.label_logits([judged], auditing.AuditConfig("refit"))
        rows = label_suspects.find(judged, logits).suspects
        return set(list(dict.fromkeys(row.id for row in rows))[:2])

    planted = {"images/007.png", "images/022.png"}
    with_pixels = from_run.with_pixels(part, table, 2)
    assert with_pixels.features.shape[0] == 120
    assert first(with_pixels) == planted
    assert first(part) != planted


def test_pixels_stand_beside_features(seen):
    part, table = seen
    bare = dataclasses.replace(
        part, features=np.zeros((120, 0), np.float32), kernel=None, bias=None
    )
    with pytest.raises(errors.DataError, match="beside a network's features"):
        from_run.with_pixels(bare, table, 4)
