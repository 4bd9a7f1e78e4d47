"""A data set is read, corrected, cleaned and scanned, in that order."""

import numpy as np
import pytest

from data_pipelines import datasets, errors, images
from data_pipelines.sources import table as table_source

IMAGE = images.ImageConfig(height=8, width=8)
LOG = (
    "time,who,action,id,label,new_label\n"
    "2026-01-01T10:00:00+00:00,ada,merge,,blue,red\n"
    "2026-01-01T10:01:00+00:00,ada,remove,images/train0.png,red,\n"
    "2026-01-01T10:02:00+00:00,ada,exclude,images/train1.png,,\n"
)
ISSUES = (
    "id,issue,score,detail\n"
    "images/train2.png,blurry,0.5,\n"
    "images/train4.png,dark,0.1,\n"
)


@pytest.fixture
def config(make_table, colour_rows, tmp_path):
    own = make_table(colour_rows(12, 6))
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "issues.csv").write_text(ISSUES)

    def make(**changes):
        for name in ("corrections", "exclude"):
            if name in changes:
                changes[name] = str(tmp_path / changes[name])
        source = table_source.TableConfig(table=str(own))
        return datasets.DataConfig("table", source, **changes)

    return make


def test_corrections_and_exclusions_are_applied_and_counted(config):
    before, _ = datasets.read_labels(config())
    after, notes = datasets.read_labels(
        config(corrections="log.csv", exclude="issues.csv", exclude_issues=("dark",))
    )
    assert after.vocabulary.ids == ("red",)
    gone = set(before.ids) - set(after.ids)
    assert gone == {"images/train1.png", "images/train4.png"}
    first = after.labels.take(after.ids == "images/train0.png")
    assert not first.counts().any()
    assert notes == [
        "corrections applied: 1 remove, 1 merge, 1 exclude",
        "1 images were left out (dark 1)",
    ]


def test_data_for_a_trained_model_are_corrected_towards_its_labels(config):
    corrected = config(corrections="log.csv")
    trained, _ = datasets.read(corrected, IMAGE)
    again, _ = datasets.read(corrected, IMAGE, trained.vocabulary, splits=["stage"])
    assert again.vocabulary == trained.vocabulary
    assert set(again.split) == {again.split_names.index("stage")}
    with pytest.raises(errors.DataError, match="does not know"):
        datasets.read(config(), IMAGE, trained.vocabulary)


def test_unreadable_images_are_left_out_and_named(config, tmp_path):
    (tmp_path / "images" / "train3.png").write_bytes(b"<html>")
    table, notes = datasets.read(
        config(max_bad_fraction=0.5), IMAGE, quarantine=tmp_path / "quarantine.csv"
    )
    assert "images/train3.png" not in table.ids
    assert "images/train3.png" in (tmp_path / "quarantine.csv").read_text()
    assert any("1 unreadable" in note for note in notes)


def test_only_images_of_wanted_splits_are_scanned(config, tmp_path):
    for path in (tmp_path / "images").glob("train*"):
        path.unlink()
    table, _ = datasets.read(config(), IMAGE, splits=())
    assert np.unique(table.split).tolist() == [1, 2, 3]
    with pytest.raises(errors.DataError, match="no such split"):
        datasets.read(config(), IMAGE, splits=["elsewhere"])


def test_issues_without_a_file_are_refused(config):
    with pytest.raises(errors.SettingError, match="--exclude=FILE"):
        config(exclude_issues=("dark",))
