"""A recipe's tables: the labels that a phase knows, and who could not be read."""

import types

import pytest

from data_pipelines import datasets, images, quality, training_set
from data_pipelines.sources import table as table_source
from inclusive_tf.recipes import running

ROWS = [
    ("images/0.png", "red", "a", "train"), ("images/1.png", "red|blue", "a", "train"),
    ("images/2.png", "red", "a", "train"), ("images/3.png", "blue", "a", "stage"),
    ("images/4.png", "red", "a", "stage"),
]  # fmt: skip


@pytest.fixture
def settings(make_table):
    """Returns a function of what is learnt to the settings of a step."""
    path = make_table(ROWS)

    def of(**learnt):
        data = datasets.DataConfig(
            "table", table_source.TableConfig(str(path)), max_bad_fraction=0.9,
            learnt=training_set.TrainingSetConfig(**learnt),
        )  # fmt: skip
        return types.SimpleNamespace(data=data, image=images.ImageConfig(16, 16))

    return of


def test_a_phase_of_the_head_answers_whole_splits_with_the_labels_it_knows(
    settings, tmp_path
):
    tables = running._Tables(tmp_path)
    head = settings(labels="head", head_size=1, splits=("train",))
    table, _ = tables.read(head, whole=True)
    assert table.vocabulary.ids == ("red",)
    assert set(table.split_names) == {"train", "stage"}


def test_what_was_read_once_is_not_read_again(settings, tmp_path):
    tables = running._Tables(tmp_path)
    assert tables.read(settings())[0] is tables.read(settings(), whole=True)[0]


def test_no_image_is_decoded_for_a_second_table(settings, tmp_path, monkeypatch):
    scanned = []
    scan = quality.scan
    monkeypatch.setattr(
        quality,
        "scan",
        lambda paths, *more: scanned.extend(paths) or scan(paths, *more),
    )
    tables = running._Tables(tmp_path)
    tables.read(settings(splits=("stage",)))
    tables.read(settings())
    assert len(scanned) == len(set(scanned)) == len(ROWS)


def test_each_table_names_its_unreadable_images_in_a_file_of_its_own(
    settings, tmp_path
):
    (tmp_path / "images/2.png").write_bytes(b"no image")
    tables = running._Tables(tmp_path)
    tables.read(settings())
    tables.read(settings(splits=("stage",)))
    assert "images/2.png" in (tmp_path / "quarantine.csv").read_text()
    assert "images/2.png" not in (tmp_path / "quarantine-2.csv").read_text()
