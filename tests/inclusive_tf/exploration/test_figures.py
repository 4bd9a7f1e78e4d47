"""The whole dict of figures: which images it is of, and what it says is missing."""

import dataclasses
import json

import numpy as np
import pytest

from data_pipelines import errors
from inclusive_tf.exploration import config, figures

BARE = config.ExplorationConfig(sample=0, sheets=0)


def gather(table, settings=BARE, **arguments):
    return figures.gather(table, settings, **arguments)[0]


def test_figures_are_json_without_nan(random_table):
    found = gather(random_table(), notes=["a note"])
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["notes"] == ["a note"]


def test_label_figures_are_of_the_training_split(random_table):
    table = random_table()
    found = gather(table)
    train = table.select_split("train")
    assert found["described"] == {"split": "train", "images": len(train)}
    counts = train.labels.counts()
    assert found["frequency"]["most"][0]["images"] == counts.max()
    assert found["labels_per_image"]["images"] == len(train)
    assert found["frequency"]["assignments"] == counts.sum()
    assert sum(one["images"] for one in found["splits"]) == found["images"] == 200


def test_a_table_without_a_training_split_is_described_whole(random_table):
    found = gather(random_table(split_names=("north", "south")))
    assert found["described"] == {"split": None, "images": 200}
    assert "no split 'train'" in found["shift"]["missing"]


def test_the_other_of_two_splits_is_compared_and_tuning_of_several(random_table):
    found = gather(random_table(split_names=("train", "test")))
    assert found["shift"]["to"]["split"] == "test"
    split = np.arange(200, dtype=np.int32) % 3
    several = random_table(split=split, split_names=("train", "test", "tuning"))
    assert gather(several)["shift"]["to"]["split"] == "tuning"
    unnamed = random_table(split=split, split_names=("train", "test", "other"))
    assert gather(unnamed)["shift"]["missing"] == (
        "there is no split 'tuning'; --to_split can name test, other"
    )


@pytest.mark.parametrize("setting", [{"from_split": "x"}, {"to_split": "x"}])
def test_a_split_that_was_asked_for_and_is_not_there_is_refused(random_table, setting):
    settings = dataclasses.replace(BARE, **setting)
    with pytest.raises(errors.DataError, match="no such split"):
        gather(random_table(), settings)


def test_groups_are_compared_within_the_split_or_over_all_images(random_table):
    table = random_table()
    assert gather(table)["group_by_label"]["split"] == "train"
    apart = gather(random_table(group=table.split, groups=2))
    assert apart["group_by_label"]["split"] is None
    assert apart["group_by_label"]["images"] == 200


def test_what_a_reader_must_know_is_said(random_table):
    assert gather(random_table())["caveats"] == []
    cluster = np.arange(200, dtype=np.int32) // 4
    found = gather(random_table(unlisted_is_absent=False, cluster=cluster))
    unknown, dependent = found["caveats"]
    assert "unknown here, not absent" in unknown
    assert "50 clusters" in dependent


def test_missing_facts_leave_their_part_out_with_a_sentence(random_table):
    found = gather(random_table())
    for part in ("fusion", "boxes", "pictures", "sheets"):
        assert set(found[part]) == {"missing"}
    assert found["confidence"]["sources"] == {}


def test_labels_below_half_confidence_are_not_counted(random_table):
    table = random_table()
    weak = np.where(np.arange(len(table.labels.index)) % 2, 0.4, 0.6)
    weak = dataclasses.replace(table.labels, confidence=weak.astype(np.float32))
    found = gather(random_table(labels=weak))
    given = sum(one["assignments"] for one in found["splits"])
    assert given == found["confidence"]["table"]["present"]
    assert given == np.count_nonzero(weak.confidence > 0.5)


@pytest.mark.parametrize(
    "setting", [{"top": 1}, {"sample": -1}, {"from_split": ""}, {"to_split": ""}]
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(errors.SettingError, match="Received"):
        config.ExplorationConfig(**setting)
