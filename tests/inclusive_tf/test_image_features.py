"""Rare images get partners, and a training that cannot mix is refused at once."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import augmentation, errors
from data_pipelines.resampling import mixing
from data_pipelines.sources import table as table_source
from inclusive_tf import experiment, image_features


@pytest.fixture
def table(make_table, colour_rows):
    path = make_table(colour_rows(train=24, other=6))
    found, _ = table_source.read_with_notes(table_source.TableConfig(table=str(path)))
    return found.select_split("train")


def test_rare_images_get_partners_that_show_the_same_label(table):
    found, said = image_features.prepare_mixing(
        table, mixing.MixingConfig(below=10, partners=3, max_share=0.25), 1_000_000
    )
    blue = table.labels.multi_hot()[:, table.vocabulary.index()["blue"]]
    assert np.count_nonzero(blue) == 8
    assert ((found.partners[:, 0] >= 0) == blue).all()
    assert blue[found.partners[blue]].all()
    assert found.max_share == 0.25
    assert said == (
        "mixing: 1 labels are on fewer than 10 images; 8 images have others to be "
        "mixed with when drawn again"
    )


def test_images_are_measured_under_the_limit_that_they_were_scanned_with(table):
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected: 1 to 7 pixels"):
        image_features.prepare_mixing(table, mixing.MixingConfig(below=10), 7)


def test_nothing_rare_is_nothing_to_mix(table):
    plain = mixing.MixingConfig()
    assert image_features.prepare_mixing(table, plain, 1_000_000) == (None, "")
    found, said = image_features.prepare_mixing(
        table, mixing.MixingConfig(below=2), 1_000_000
    )
    assert found is None
    assert "0 labels are on fewer than 2 images; 0 images" in said


def test_mixing_is_refused_before_anything_is_read_from_a_stream():
    settings = dict.fromkeys(
        field.name
        for field in dataclasses.fields(experiment.Experiment)
        if field.default_factory is dataclasses.MISSING
    )
    settings |= {"carrier": "streaming", "mixing": mixing.MixingConfig(below=5)}
    settings |= {"augment": augmentation.AugmentationConfig(), "model": {}}
    with pytest.raises(errors.SettingError, match="random access"):
        experiment.Experiment(**settings)
    settings["mixing"] = mixing.MixingConfig()
    experiment.Experiment(**settings)
