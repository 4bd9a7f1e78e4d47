"""A training goes on only on what it began with, the partners of mixing included."""

import numpy as np
import pytest

from data_pipelines import augmentation, datasets, errors, images, labels
from data_pipelines.resampling import mixing
from data_pipelines.sources import table as table_source
from inclusive_tf import experiment, predictions, run
from inclusive_tf.training import config


@pytest.fixture
def table_path(make_table, colour_rows):
    return make_table(colour_rows(train=24, other=6))


def save_features(folder, table_path, seed):
    """Writes predictions of the training split whose features are random."""
    read = table_source.TableConfig(table=str(table_path))
    table = table_source.read_with_notes(read)[0].select_split("train")
    generator = np.random.default_rng(seed)
    predictions.Predictions(
        ids=table.ids,
        logits=np.zeros((len(table), 2), np.float32),
        features=generator.normal(size=(len(table), 3)).astype(np.float32),
        truth=labels.SparseLabels.from_lists([[]] * len(table), 2),
        unlisted_is_absent=True,
        group=np.zeros(len(table), np.int32),
        group_names=("all",),
        training_counts=np.zeros(2, np.int64),
        vocabulary=labels.Vocabulary(("red", "blue")),
        source={},
    ).save(folder)


def mixing_experiment(table_path, folder):
    return experiment.Experiment(
        data=datasets.DataConfig(
            "table", table_source.TableConfig(table=str(table_path))
        ),
        image=images.ImageConfig(16, 16),
        augment=augmentation.AugmentationConfig(),
        resampling="none",
        resampling_settings={},
        carrier="indexed",
        shuffle_buffer=8,
        keep_bytes=2**20,
        model={"name": "densenet_small", "growth": 4, "blocks": (1,)},
        prior_bias=True,
        training=config.TrainingConfig(epochs=1, batch_size=8),
        loss_settings={},
        mixing=mixing.MixingConfig(below=10, predictions=str(folder)),
    )


def test_a_run_that_mixes_is_not_resumed_on_other_predictions(table_path, tmp_path):
    folder, path = tmp_path / "predictions", tmp_path / "run"
    save_features(folder, table_path, seed=0)
    told = mixing_experiment(table_path, folder)
    state = experiment.train(run.Run(path), told, {})
    kept = {file: file.read_bytes() for file in path.glob("*.json")}
    # the same folder, but another model's features, so other partners
    save_features(folder, table_path, seed=1)
    with pytest.raises(errors.DataError, match="data have changed since this run"):
        experiment.train(run.Run(path), told, {})
    assert kept == {file: file.read_bytes() for file in path.glob("*.json")}
    save_features(folder, table_path, seed=0)
    assert experiment.train(run.Run(path), told, {}) == state
