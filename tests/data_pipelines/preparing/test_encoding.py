"""A prepared image is the raw one turned and shrunk; a key says what made it."""

import dataclasses
import io
import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from data_pipelines import errors, formats, labels, storage
from data_pipelines.preparing import encoding, pixels


def photograph(height, width):
    """A smooth picture without symmetry, uint8 [height, width, 3]."""
    down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    picture = np.stack([down, across, (down * across) ** 2], axis=-1)
    return (255 * picture).astype(np.uint8)


def file_of(pixels, form, **settings):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, **settings)
    return buffer.getvalue()


def pixels_of(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def encode(data, **settings):
    return pixels.encode(data, encoding.EncodingConfig(**settings)).numpy()


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_is_stored_upright(orientation):
    data = file_of(photograph(30, 50), "JPEG", quality=95, exif=turned(orientation))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    wanted = np.asarray(upright).astype(int)
    stored = encode(data, short_side=0, encoding="png")
    np.testing.assert_array_equal(pixels_of(stored), wanted)
    assert "exif" not in Image.open(io.BytesIO(stored)).info
    again = encode(data, short_side=0, encoding="jpeg", quality=95)
    assert Image.open(io.BytesIO(again)).format == "JPEG"
    assert np.abs(pixels_of(again) - wanted).mean() < 2
    assert np.abs(pixels_of(again) - wanted).max() < 16


def test_a_turned_png_is_stored_upright_to_the_bit():
    data = file_of(photograph(30, 50), "PNG", exif=turned(6))
    wanted = np.rot90(photograph(30, 50), -1)
    np.testing.assert_array_equal(
        pixels_of(encode(data, short_side=0, encoding="png")), wanted
    )


@pytest.mark.parametrize(
    ("size", "short_side", "wanted"),
    [
        ((90, 60), 30, (45, 30)),
        ((60, 90), 30, (30, 45)),
        ((60, 90), 0, (60, 90)),
        # never enlarged
        ((60, 90), 60, (60, 90)),
        ((60, 90), 1000, (60, 90)),
        # 500 * 30 / 31 = 483.87
        ((31, 500), 30, (30, 484)),
        ((1, 700), 256, (1, 700)),
    ],
)
def test_the_shorter_side_is_brought_to_size_and_the_shape_kept(
    size, short_side, wanted
):
    data = file_of(photograph(*size), "PNG")
    found = pixels_of(encode(data, short_side=short_side, encoding="png"))
    assert found.shape[:2] == wanted


def test_shrinking_is_that_of_pillow():
    picture = photograph(128, 96)
    picture[::2] = 255 - picture[::2]
    found = pixels_of(encode(file_of(picture, "PNG"), short_side=24, encoding="png"))
    wanted = Image.fromarray(picture).resize((24, 32), Image.Resampling.BILINEAR)
    assert np.abs(found - np.asarray(wanted).astype(int)).max() <= 2


def test_it_is_the_same_eagerly_and_within_tf_data():
    config = encoding.EncodingConfig(short_side=20)
    data = file_of(photograph(40, 50), "JPEG")
    (inside,) = tf.data.Dataset.from_tensors(data).map(
        lambda each: pixels.encode(each, config)
    )
    assert inside.numpy() == pixels.encode(data, config).numpy()


@pytest.mark.parametrize("short_side", [0, 20])
def test_a_jpeg_is_stored_as_if_its_pixels_were_floats(short_side):
    config = encoding.EncodingConfig(short_side=short_side, encoding="png")
    data = tf.constant(file_of(photograph(40, 50), "JPEG", exif=turned(5)))
    of_float = pixels._encoded(formats.decode(data, config.max_pixels), config)
    assert pixels.encode(data, config).numpy() == of_float.numpy()


@pytest.mark.parametrize(
    ("data", "settings", "said"),
    [
        (b"no picture", {}, "not an image of a known form"),
        (file_of(photograph(9, 9), "PNG"), {"max_pixels": 80}, "too large"),
        (
            file_of(np.zeros((1, 65_501, 3), np.uint8), "PNG"), {},
            "a side is too long for jpeg. Expected: at most 65500 pixels",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_encoded_is_refused_in_words(data, settings, said):
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        encode(data, **settings)


@pytest.mark.parametrize(
    "settings",
    [{"short_side": -1}, {"quality": 0}, {"quality": 101}, {"encoding": "webp"},
     {"max_pixels": 0}, {"short_side": True}],
)  # fmt: skip
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(errors.SettingError, match="Expected"):
        encoding.EncodingConfig(**settings)


def test_names_of_folders_tell_settings_apart():
    names = [
        encoding.EncodingConfig(**settings).name
        for settings in ({}, {"quality": 90}, {"encoding": "png"}, {"short_side": 0})
    ]
    assert names == ["short256_jpeg95", "short256_jpeg90", "short256_png",
                     "full_jpeg95"]  # fmt: skip


def table_of(paths):
    count = len(paths)
    return labels.LabelTable(
        ids=np.array([f"id{row}" for row in range(count)]),
        locations=np.array([str(path) for path in paths]),
        labels=labels.SparseLabels.from_lists([[0]] * count, 1),
        vocabulary=labels.Vocabulary(("x",)),
        group=np.zeros(count, np.int32),
        group_names=("g",),
        split=np.zeros(count, np.int32),
        split_names=("train",),
    )


def test_a_key_changes_with_the_file_and_the_settings_and_with_nothing_else(tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(b"12345")
    paths = [tmp_path / "a", tmp_path / "b", tmp_path / "missing"]
    config = encoding.EncodingConfig()
    first, sizes = encoding.keys(table_of(paths), config)
    assert sizes.tolist() == [5, 5, -1]
    assert len(set(first.tolist())) == 3
    turned_round, _ = encoding.keys(table_of(paths[::-1]), config)
    np.testing.assert_array_equal(turned_round, first[::-1])
    for other in ({"quality": 94}, {"short_side": 255}, {"encoding": "png"}):
        keys, _ = encoding.keys(table_of(paths), dataclasses.replace(config, **other))
        assert not set(keys.tolist()) & set(first.tolist())
    os.utime(tmp_path / "a", ns=(1, 1))
    (tmp_path / "missing").write_bytes(b"")
    later, _ = encoding.keys(table_of(paths), config)
    assert (later == first).tolist() == [False, True, False]


def test_images_of_another_storage_have_other_keys():
    table = dataclasses.replace(
        table_of(["0", "1"]), storage=storage.Records(("shard",), (2,), 10)
    )
    config = encoding.EncodingConfig()
    keys, sizes = encoding.keys(table, config)
    assert sizes.tolist() == [-1, -1]
    files, _ = encoding.keys(table_of(["0", "1"]), config)
    assert not set(keys.tolist()) & set(files.tolist())
