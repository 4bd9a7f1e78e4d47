"""The ways of balancing that are compared do the same work."""

import numpy as np
import pytest

from tools.benchmarks import carriers, preparing, stock_resampling, turns

FILES, ONE_IN = 80, 8


@pytest.fixture(scope="module", autouse=True)
def small():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("SIDE", 16), ("BATCH", 8), ("SIZE", (40, 30))):
            patch.setattr(carriers, name, value)
        patch.setattr(carriers, "PREPARED_SIDE", 20)
        # PyTorch's workers take seconds to start; its loader has a test of its own
        patch.setattr(carriers, "torch_stream", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """(paths of files, table in which every eighth is rare, int [N] class)."""
    folder = tmp_path_factory.mktemp("photographs")
    paths = preparing.make_photographs(folder, FILES, size=(40, 30))
    return paths, *carriers.balanced(preparing.table_of(paths), ONE_IN)


@pytest.fixture(scope="module")
def measured(photographs):
    paths, table, classes = photographs
    return carriers.indexed_streams(table, classes, paths, batches=10)


def rare_share(stream):
    """Share of the rare class in what a way brings, and the pixels' extremes."""
    found = [_parts(batch) for batch in stream.start(20)]
    pixels = np.concatenate([image for image, _ in found])
    assert pixels.shape[1:] == (16, 16, 3)
    assert 0 <= pixels.min() < pixels.max() <= 1
    return np.concatenate([rare for _, rare in found]).mean()


def _parts(batch):
    if isinstance(batch, dict):
        return batch["image"].numpy(), batch["target"].numpy()[:, 1]
    image, label = batch
    return np.asarray(image), np.asarray(label)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "name", [carriers.INDEXED, carriers.AFTER, carriers.BEFORE, carriers.SAMPLED]
)
def test_every_way_brings_both_classes_as_often(measured, name):
    # 160 draws: five deviations of a fair coin are 0.2
    assert rare_share(measured[name]) == pytest.approx(0.5, abs=0.2)


def test_what_rejects_decoded_images_is_timed_on_fewer_batches(measured):
    # of eight records two are kept
    assert measured[carriers.AFTER].batches == 2
    assert measured[carriers.BEFORE].batches == 10


def test_the_pixels_are_the_same_whoever_decodes(photographs):
    paths, table, classes = photographs
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from tools.benchmarks import torch_images

    images = stock_resampling.Images(16, 8)
    by_class = stock_resampling.files(paths, classes)
    theirs = next(iter(images.batches(images.decoded(by_class))))[0].numpy()
    files = torch_images.Files(paths, classes, 16)
    by_torch = torch.stack([files[row][0] for row in range(8)]).permute(0, 2, 3, 1)
    np.testing.assert_allclose(by_torch.numpy(), theirs, atol=2 / 255)
    drawn = next(iter(carriers.ours(table, "indexed")))
    for image, row in zip(drawn["image"], drawn["example"].numpy(), strict=True):
        np.testing.assert_allclose(
            np.asarray(files[row][0].permute(1, 2, 0)), image, atol=2 / 255
        )


def test_pytorch_draws_both_classes_as_often(photographs):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from tools.benchmarks import torch_images

    paths, _, classes = photographs
    images = stock_resampling.Images(16, 8)
    loader = torch_images.loader(paths, classes, images, batches=20, workers=0)
    rare = np.concatenate([label.numpy() for _, label in loader])
    assert len(rare) == 160
    assert rare.mean() == pytest.approx(0.5, abs=0.2)


def test_the_limit_only_decodes(measured):
    values = np.concatenate(list(measured[carriers.LIMIT].start(3)))
    assert values.shape == (24,)
    assert 0 < values.max() <= 255


@pytest.mark.parametrize("carrier", carriers.CARRIERS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_epoch_brings_as_many_images_as_there_are_files(carrier, tmp_path):
    pytest.importorskip("tensorflow_datasets", reason="TFDS is not installed")
    carriers.lay_out(carrier, 20, tmp_path)
    assert carriers.one_epoch(carrier, 20, tmp_path) == 16
    assert carriers.one_epoch(carrier, 10, tmp_path) == 8


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_streams_of_records_keep_each_record_once_or_repeat_it(photographs, tmp_path):
    pytest.importorskip("tensorflow_datasets", reason="TFDS is not installed")
    paths, _, classes = photographs
    table = carriers.tfrecord_table(paths, classes, tmp_path)
    np.testing.assert_array_equal(table.labels.multi_hot()[:, 1], classes == 1)
    found = carriers.record_streams(table, classes, batches=2)
    for name in (carriers.STREAMING, carriers.REPEATING, carriers.BEFORE):
        assert rare_share(found[name]) == pytest.approx(0.5, abs=0.2)
    drawn = [batch["example"].numpy() for batch in found[carriers.STREAMING].start(2)]
    drawn = np.concatenate(drawn)
    # ten rare and about ten common ones a pass
    assert len(np.unique(drawn)) == len(drawn)
    # every core reads everything, over and over
    lengths = np.concatenate(list(found[carriers.READING].start(FILES // 8)))
    assert lengths.min() > 100


def test_the_ceiling_is_of_reading_everything_and_decoding_what_is_kept():
    ceiling = carriers.Ceiling(reading=0.001, decoding=0.006, kept=0.25)
    assert ceiling.rate == pytest.approx(100)
    assert ceiling.rejected_share == pytest.approx(0.3)
    seconds = {
        carriers.STREAMING: [0.2],
        carriers.READING: [0.01],
        carriers.LIMIT: [0.06],
    }
    assert carriers.ceiling_of(seconds, 10, 0.25) == ceiling
    said = carriers.describe_ceiling(seconds, 10, 0.25)
    assert "4 records" in said
    assert "30.00%" in said
    assert "reaches 0.500" in said


def test_goals_are_those_of_the_carrier_and_the_peers_there_are():
    found = carriers.goals_of("indexed", 100, {carriers.TORCH})
    assert [goal.bound for goal in found] == [0.92, 20, 1.5]
    assert [goal.bound for goal in carriers.goals_of("prepared", 7, {})] == [0.9]
    assert turns.Goal(carriers.STREAMING, carriers.BEFORE, 1.0) in carriers.goals_of(
        "streaming", 10, {}
    )
