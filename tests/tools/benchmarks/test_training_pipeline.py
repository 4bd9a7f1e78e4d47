"""The pipeline's benchmark compares batches of the same images."""

import numpy as np
import pytest

from data_pipelines import augmentation, batches, images
from data_pipelines.resampling import policies
from data_pipelines.sources import table as table_source
from tools.benchmarks import training_pipeline


@pytest.fixture
def made(make_table, colour_rows):
    """(training table, rates, pipeline's config)."""
    path = make_table(colour_rows())
    config = table_source.TableConfig(str(path))
    table = table_source.read_with_notes(config)[0].select_split("train")
    rates = policies.rates(table, "rarest_label", len(table))
    pipeline = batches.PipelineConfig(
        images.ImageConfig(16, 16), augmentation.AugmentationConfig(), 8,
        keep_bytes=10**9,
    )  # fmt: skip
    return table, rates, pipeline


def test_every_way_brings_images_of_the_training_set(made):
    table, _, config = made
    found = training_pipeline.alone(*made, batches=3)
    assert len(found) == 4
    known = np.concatenate([
        batch["image"].numpy()
        for batch in batches.evaluation_batches(table, config.image, 8)
    ])  # fmt: skip
    for name, stream in found.items():
        seen = list(stream.start(4))
        assert len(seen) == 4, name
        for batch in seen:
            if isinstance(batch, dict):
                batch = batch["image"], batch["target"]
            pixels, targets = map(np.asarray, batch)
            assert targets.shape == (8, 2)
            for image in pixels:
                assert np.isclose(known, image, atol=1e-6).all((1, 2, 3)).any(), name


def test_steps_are_taken_on_new_batches_or_on_one(made):
    seen = []

    def step(image, target):
        seen.append(image.numpy())
        return target.numpy().sum()

    found = training_pipeline.stepping(*made, step, steps=3)
    for stream in found.values():
        assert stream.seconds(3) > 0
    assert len(seen) == 10
    assert all((image == seen[5]).all() for image in seen[5:])
    assert not all((image == seen[0]).all() for image in seen[:5])
