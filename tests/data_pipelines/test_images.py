import csv
import io
import json
import os
import pathlib
import struct
import subprocess
import sys
import tarfile
import zlib

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies
from PIL import Image, ImageOps

from data_pipelines import errors, images

ROOT = pathlib.Path(__file__).parents[2]
GENERATOR = np.random.default_rng(0)
REFUSED = tf.errors.InvalidArgumentError
# rounding of one 8-bit step, in the decoder or in laying over white
ONE_STEP = 1.01 / 255


def photograph(width=24, height=16, mode="RGB"):
    """A smooth picture without symmetry, so that JPEG keeps it and turning shows."""
    y, x = np.mgrid[:height, :width].astype(float)
    channels = [x / width, y / height, (x + 2 * y) / (width + 2 * height)]
    pixels = np.stack(channels, axis=-1) * 255
    return Image.fromarray(pixels.astype(np.uint8)).convert(mode)


def encoded(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def decoded_eagerly(data, **config):
    if "height" not in config:
        with Image.open(io.BytesIO(data)) as image:
            image = ImageOps.exif_transpose(image)
            config |= {"width": image.width, "height": image.height}
    return images.decode(tf.constant(data), images.ImageConfig(**config)).numpy()


def over_white(image):
    """What a browser shows of a Pillow image, float [H, W, 3] in 0..1."""
    image = ImageOps.exif_transpose(image)
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return np.asarray(white.convert("RGB")) / 255.0


def assert_like_pillow(data, tolerance=1e-6):
    with Image.open(io.BytesIO(data)) as image:
        expected = over_white(image)
    np.testing.assert_allclose(decoded_eagerly(data), expected, atol=tolerance)


def png(width, height, bits, colour_type, rows, before=b"", after=b""):
    """A PNG put together by hand, for what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + before
        + chunk(b"IDAT", body)
        + after
        + chunk(b"IEND", b"")
    )


def chunk(name, content):
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def exif(orientation, byte_order="<", kind=3):
    """A directory with a tag before the orientation and one after it."""
    form = {3: "HHIHxx", 4: "HHII"}[kind]
    return (
        (b"II*\0" if byte_order == "<" else b"MM\0*")
        + struct.pack(byte_order + "IH", 8, 3)
        + struct.pack(byte_order + "HHII", 0x0100, 4, 1, 24)
        + struct.pack(byte_order + form, 0x0112, kind, 1, orientation)
        + struct.pack(byte_order + "HHII", 0x011A, 4, 1, 72)
        + b"\0\0\0\0"
    )


def with_segments(jpeg, *segments):
    """Puts APP segments (code, content) right after the start of a JPEG."""
    inserted = b"".join(
        b"\xff" + bytes([code]) + struct.pack(">H", len(content) + 2) + content
        for code, content in segments
    )
    return jpeg[:2] + inserted + jpeg[2:]


FILES = {
    "rgb jpeg": encoded(photograph(), "JPEG", quality=90),
    "grey jpeg": encoded(photograph(mode="L"), "JPEG"),
    "progressive jpeg": encoded(photograph(), "JPEG", progressive=True),
    "restarting jpeg": encoded(photograph(), "JPEG", restart_marker_blocks=1),
    "cmyk jpeg": encoded(photograph(mode="CMYK"), "JPEG"),
    "turned jpeg": encoded(photograph(), "JPEG", exif=b"Exif\0\0" + exif(6)),
    "rgb png": encoded(photograph(), "PNG"),
    "grey png": encoded(photograph(mode="L"), "PNG"),
    "1-bit png": encoded(photograph(mode="1"), "PNG"),
    "palette png": encoded(photograph(mode="P"), "PNG"),
    "4-bit palette png": encoded(photograph().quantize(9), "PNG"),
    "see-through palette png": encoded(photograph(mode="P"), "PNG", transparency=3),
    "see-through rgb png": encoded(photograph(), "PNG", transparency=(0, 0, 0)),
    "gif": encoded(photograph(), "GIF"),
    "see-through gif": encoded(photograph(mode="P"), "GIF", transparency=7),
    "bmp": encoded(photograph(), "BMP"),
    "grey bmp": encoded(photograph(mode="L"), "BMP"),
    "palette bmp": encoded(photograph(mode="P"), "BMP"),
    "32-bit bmp": encoded(photograph(mode="RGBA"), "BMP"),
    "lossless webp": encoded(photograph(), "WEBP", lossless=True),
    "lossy webp": encoded(photograph(), "WEBP"),
}


def see_through(form, **options):
    image = photograph()
    image.putalpha(photograph(mode="L").rotate(180))
    return encoded(image, form, **options)


FILES["rgba png"] = see_through("PNG")
FILES["rgba webp"] = see_through("WEBP", lossless=True)
FILES["grey with alpha png"] = encoded(
    Image.open(io.BytesIO(FILES["rgba png"])).convert("LA"), "PNG"
)


@pytest.mark.parametrize("name", FILES)
def test_every_form_has_the_pixels_that_pillow_finds(name):
    exact = "png" in name or "bmp" in name or "gif" in name
    tolerance = 1e-6 if exact and "a png" not in name else ONE_STEP
    assert_like_pillow(FILES[name], tolerance)


def test_decoding_eagerly_and_in_tf_data_and_batched_is_the_same():
    config = images.ImageConfig(20, 20, 3)
    files = list(FILES.values())
    dataset = tf.data.Dataset.from_tensor_slices(files)
    piped = np.stack(
        list(dataset.map(lambda data: images.decode(data, config)).as_numpy_iterator())
    )
    eager = np.stack([decoded_eagerly(data, **config.to_dict()) for data in files])
    batched = images.decode_batch(tf.constant(files), config).numpy()
    # graphs may fuse a multiplication with an addition
    np.testing.assert_allclose(piped, eager, atol=1e-6)
    np.testing.assert_allclose(batched, eager, atol=1e-6)
    assert eager.min() >= 0
    assert eager.max() <= 1


def test_shapes_are_known_while_tracing():
    config = images.ImageConfig(5, 7, 1)
    dataset = tf.data.Dataset.from_tensors(FILES["bmp"])
    one = dataset.map(lambda data: images.decode(data, config))
    batch = dataset.batch(1).map(lambda data: images.decode_batch(data, config))
    assert one.element_spec == tf.TensorSpec([5, 7, 1], tf.float32)
    assert batch.element_spec.shape.as_list()[1:] == [5, 7, 1]


def test_iterators_over_decoded_images_can_be_saved(tmp_path):
    config = images.ImageConfig(5, 7)
    dataset = tf.data.Dataset.from_tensor_slices(list(FILES.values()))
    iterator = iter(dataset.map(lambda data: images.decode(data, config)))
    next(iterator)
    saved = tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "state"))
    expected = next(iterator)
    restored = iter(dataset.map(lambda data: images.decode(data, config)))
    tf.train.Checkpoint(iterator=restored).restore(saved)
    np.testing.assert_array_equal(next(restored), expected)


def test_an_exported_model_decodes_without_this_project(tmp_path):
    config = images.ImageConfig(12, 10)
    module = tf.Module()
    module.decode = tf.function(
        lambda data: images.decode_batch(data, config),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(module, str(tmp_path / "model"))
    names = ("cmyk jpeg", "turned jpeg", "see-through gif", "rgba webp", "1-bit png")
    files = [FILES[name] for name in names]
    for number, data in enumerate(files):
        (tmp_path / f"{number}").write_bytes(data)
    program = (
        "import sys, numpy, tensorflow as tf\n"
        "model = tf.saved_model.load('model')\n"
        f"files = [open(str(n), 'rb').read() for n in range({len(files)})]\n"
        "numpy.save('out.npy', model.decode(tf.constant(files)))\n"
        "assert 'data_pipelines' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    np.testing.assert_allclose(
        np.load(tmp_path / "out.npy"),
        images.decode_batch(tf.constant(files), config),
        atol=1e-6,
    )


@pytest.mark.parametrize("byte_order", "<>")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_exif_orientation_is_turned_upright(orientation, byte_order):
    note = exif(orientation, byte_order)
    for data in (
        encoded(photograph(), "JPEG", exif=b"Exif\0\0" + note),
        encoded(photograph(), "PNG", exif=note),
        encoded(photograph(), "WEBP", lossless=True, exif=note),
    ):
        with Image.open(io.BytesIO(data)) as image:
            assert image.getexif()[0x0112] == orientation
        assert_like_pillow(data)


def test_the_orientation_is_found_behind_other_segments_and_chunks():
    jpeg, note = encoded(photograph(), "JPEG"), exif(8, ">", kind=4)
    behind = with_segments(
        jpeg,
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0 mentions Exif\0\0 in vain"),
        (0xE2, b"\xff\xe1" * 1000),
        (0xE1, b"Exif\0\0" + note),
    )
    assert_like_pillow(behind)
    sides = (24, 16, 8, 0, [bytes(range(24))] * 16)
    for where in ("before", "after"):
        assert_like_pillow(png(*sides, **{where: chunk(b"eXIf", note)}))


def test_what_looks_like_exif_in_the_picture_or_after_it_is_ignored():
    jpeg = encoded(photograph(), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", 56) + b"Exif\0\0" + exif(6)
    assert_like_pillow(jpeg + jpeg[:2] + segment + jpeg[2:])
    in_text = png(
        *(24, 16, 8, 0, [bytes(range(24))] * 16),
        before=chunk(b"tEXt", b"Comment\0" + chunk(b"eXIf", exif(6))),
    )
    assert_like_pillow(in_text)


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"II",
        b"XX*\0" + exif(6)[4:],
        exif(6)[:9],
        exif(6)[:30],
        exif(0),
        exif(9),
        exif(6)[:4] + b"\xff\xff\xff\xff" + exif(6)[8:],
    ],
)
def test_a_broken_note_leaves_the_picture_as_it_is(note):
    jpeg = encoded(photograph(), "JPEG")
    noted = with_segments(jpeg, (0xE1, b"Exif\0\0" + note))
    np.testing.assert_array_equal(
        decoded_eagerly(noted, height=16, width=24),
        decoded_eagerly(jpeg, height=16, width=24),
    )


def test_sixteen_bits_keep_their_precision():
    values = GENERATOR.integers(0, 2**16, (6, 9)).astype(np.uint16)
    received = decoded_eagerly(encoded(Image.fromarray(values), "PNG"), channels=1)
    np.testing.assert_allclose(received[..., 0], values / 65535, atol=1e-6)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_shade_of_a_grey_png_becomes_white(bits):
    width = 16
    row = GENERATOR.bytes(width * bits // 8)
    shades = np.frombuffer(row, ">u2") if bits == 16 else None
    if shades is None:
        unpacked = np.unpackbits(np.frombuffer(row, np.uint8)).reshape(-1, bits)
        shades = unpacked @ (2 ** np.arange(bits)[::-1])
    hidden = int(shades[3])
    data = png(width, 1, bits, 0, [row], chunk(b"tRNS", struct.pack(">H", hidden)))
    expected = np.where(shades == hidden, 1.0, shades / (2**bits - 1))
    received = decoded_eagerly(data, channels=1)[0, :, 0]
    np.testing.assert_allclose(received, expected, atol=1e-6)


def test_a_first_frame_smaller_than_its_gif_lies_on_white():
    frame = photograph(6, 5, "P")
    data = encoded(frame, "GIF", interlace=1)
    place = data.index(b"\x2c\0\0\0\0\x06\0\x05\0")
    moved = (
        data[:6]
        + struct.pack("<HH", 12, 9)
        + data[10 : place + 1]
        + struct.pack("<HH", 4, 3)
        + data[place + 5 :]
    )
    expected = np.ones((9, 12, 3))
    expected[3:8, 4:10] = np.asarray(frame.convert("RGB")) / 255.0
    np.testing.assert_allclose(
        decoded_eagerly(moved, height=9, width=12), expected, atol=1e-6
    )


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_of_an_animation_the_first_frame_is_taken(form, mode):
    frames = [photograph().rotate(angle).convert(mode) for angle in (0, 90, 180)]
    data = encoded(
        frames[0], form, save_all=True, append_images=frames[1:], lossless=True
    )
    assert_like_pillow(data, ONE_STEP)


def test_grey_is_the_luma_of_colour_and_grey_stays_as_it_is():
    expected = np.asarray(photograph().convert("L")) / 255.0
    received = decoded_eagerly(FILES["rgb png"], channels=1)[..., 0]
    np.testing.assert_allclose(received, expected, atol=ONE_STEP)
    grey = decoded_eagerly(FILES["grey png"], channels=1)[..., 0]
    np.testing.assert_array_equal(
        grey, np.asarray(photograph(mode="L"), np.float32) / np.float32(255)
    )


def test_shrinking_is_antialiased_as_in_pillow():
    noise = Image.fromarray(GENERATOR.integers(0, 256, (90, 120, 3), dtype=np.uint8))
    data = encoded(noise, "PNG")
    for resize, expected in {
        "stretch": noise.resize((20, 30), Image.Resampling.BILINEAR),
        "crop": noise.crop((30, 0, 90, 90)).resize((20, 30), Image.Resampling.BILINEAR),
    }.items():
        received = decoded_eagerly(data, height=30, width=20, resize=resize)
        np.testing.assert_allclose(received, np.asarray(expected) / 255, atol=ONE_STEP)
    inner = noise.resize((20, 15), Image.Resampling.BILINEAR)
    expected = np.zeros((30, 20, 3))
    expected[7:22] = np.asarray(inner) / 255
    received = decoded_eagerly(data, height=30, width=20, resize="pad")
    np.testing.assert_allclose(received, expected, atol=ONE_STEP)


@pytest.mark.parametrize("resize", images.RESIZES)
@pytest.mark.parametrize("sides", [(120, 90), (64, 160)])
def test_a_place_in_a_file_is_found_again_among_its_pixels(resize, sides):
    width, height = sides
    drawn = Image.new("RGB", sides)
    # a third of the way to two thirds, which a crop keeps in part at least
    box = (width // 3, height // 3, 2 * width // 3, 2 * height // 3)
    drawn.paste((255, 255, 255), box)
    data = encoded(drawn, "PNG")
    config = images.ImageConfig(80, 60, 3, resize)
    top, left, bottom, right = images.extent(data, config).numpy()
    shares = np.array(box) / [width, height, width, height]
    expected = np.array([left, top, left, top]) + shares * [
        right - left, bottom - top, right - left, bottom - top
    ]  # fmt: skip
    white = images.decode(data, config).numpy()[..., 0] > 0.5
    rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
    found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    np.testing.assert_allclose(found, np.clip(expected, 0, [60, 80, 60, 80]), atol=1)


@pytest.mark.parametrize("resize", images.RESIZES)
@pytest.mark.parametrize("sides", [(1, 500), (4000, 1), (1, 1), (3, 2)])
def test_every_shape_can_be_brought_to_size(resize, sides):
    data = encoded(photograph(*sides), "PNG")
    received = decoded_eagerly(data, height=13, width=29, resize=resize)
    assert received.shape == (13, 29, 3)
    assert np.isfinite(received).all()


def huge(form):
    """Small files that say they are large; what follows the header hardly matters."""
    side = 60_000
    if form == "PNG":
        return png(side, side, 8, 0, [b"\0" * 64])
    if form == "JPEG":
        jpeg = bytearray(encoded(photograph(), "JPEG"))
        place = jpeg.index(b"\xff\xc0") + 5
        jpeg[place : place + 4] = struct.pack(">HH", side, side)
        return bytes(jpeg)
    if form == "GIF screen":
        gif = bytearray(FILES["gif"])
        gif[6:10] = struct.pack("<HH", side, side)
        return bytes(gif)
    if form == "GIF frame":
        gif = bytearray(FILES["gif"])
        place = gif.index(b"\x2c\0\0\0\0\x18\0\x10\0") + 5
        gif[place : place + 4] = struct.pack("<HH", side, side)
        return bytes(gif)
    if form == "BMP":
        bmp = bytearray(FILES["bmp"])
        bmp[18:26] = struct.pack("<ii", side, -side)
        return bytes(bmp)
    webp = bytearray(FILES["rgba webp" if form == "WebP VP8X" else form])
    if form == "WebP VP8X":
        webp[12:16], webp[24:30] = b"VP8X", b"\xff\xff\0\xff\xff\0"
    elif form == "lossy webp":
        webp[26:30] = struct.pack("<HH", 16383, 16383)
    else:
        webp[21:25] = struct.pack("<I", 16382 | 16382 << 14)
    return bytes(webp)


@pytest.mark.parametrize(
    "form",
    [
        "PNG",
        "JPEG",
        "GIF screen",
        "GIF frame",
        "BMP",
        "WebP VP8X",
        "lossy webp",
        "lossless webp",
    ],
)
def test_too_large_is_refused_from_the_header(form):
    with pytest.raises(REFUSED, match="is too large") as refusal:
        decoded_eagerly(huge(form), height=8, width=8)
    side = r"16383" if "webp" in form else r"65536|60000"
    assert "50000000 pixels" in refusal.value.message
    assert any(number in refusal.value.message for number in side.split("|"))


def test_bombs_are_refused_in_little_memory(tmp_path):
    side = 20_000
    rows = [b"\0" * side] * side
    (tmp_path / "bomb.png").write_bytes(png(side, side, 8, 0, rows))
    one = encoded(Image.new("P", (2000, 2000)), "GIF")
    start = one.index(b"\x2c\0\0\0\0\xd0\x07\xd0\x07")
    frames = one[:start] + one[start:-1] * 300 + b";"
    (tmp_path / "frames.gif").write_bytes(frames)
    program = (
        "import re, sys, tensorflow as tf\n"
        "from data_pipelines import images\n"
        "def peak():\n"
        # `getrusage` would tell the most of the process that started this one, too
        "    status = open('/proc/self/status').read()\n"
        "    return int(re.search(r'VmHWM:\\s*(\\d+)', status)[1]) // 1024\n"
        "def decode(name):\n"
        "    data = open(f'{sys.argv[1]}/{name}', 'rb').read()\n"
        "    images.decode(tf.constant(data), images.ImageConfig(8, 8))\n"
        "before = peak()\n"
        "try:\n"
        "    decode('bomb.png')\n"
        "except tf.errors.InvalidArgumentError:\n"
        "    print(peak() - before)\n"
        "print(peak())\n"
        "decode('frames.gif')\n"
        "print(peak() - before)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    bomb, in_all, frames = map(int, result.stdout.split())
    # decoded whole they would take 1,200 and 4,800 MiB
    assert bomb < 100
    assert in_all < 1024
    assert frames < 300


def test_what_is_no_image_is_refused():
    files = [
        b"",
        b"\xff",
        b"<html>",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"BM",
        b"RIFF\0\0\0\0WEBP",
        b"II*\0" + bytes(99),
        bytes(1000),
    ]
    config = images.ImageConfig(8, 8)
    for data in files:
        with pytest.raises(REFUSED):
            decoded_eagerly(data, height=8, width=8)
    dataset = tf.data.Dataset.from_tensor_slices(files)
    piped = dataset.map(lambda data: images.decode(data, config))
    with pytest.raises(REFUSED):
        next(iter(piped))
    assert not list(piped.ignore_errors())


@pytest.mark.parametrize("name", sorted(FILES))
def test_truncated_files_are_refused(name):
    data = FILES[name]
    # a GIF may lack its last byte, which says only that no frame follows
    shortest = 2 if "gif" in name else 1
    for lost in {shortest, 12, len(data) // 3, len(data) - 20}:
        with pytest.raises(REFUSED):
            decoded_eagerly(data[:-lost], height=8, width=8)


def test_refusals_say_what_was_expected_and_received():
    with pytest.raises(REFUSED, match="not an image of a known form") as refusal:
        decoded_eagerly(b"<html>", height=8, width=8)
    assert "Expected: one of JPEG, PNG, GIF, BMP, WebP" in refusal.value.message
    assert "Received: 6 bytes" in refusal.value.message


@hypothesis.settings(max_examples=100, deadline=None)
@hypothesis.given(
    name=strategies.sampled_from(sorted(FILES)),
    changes=strategies.lists(
        strategies.tuples(strategies.integers(0, 2000), strategies.integers(0, 255)),
        max_size=4,
    ),
    head=strategies.booleans(),
    cut=strategies.integers(0, 3),
)
def test_changed_bytes_give_an_image_or_a_refusal(name, changes, head, cut):
    data = bytearray(FILES[name])
    for place, value in changes:
        data[place % min(len(data), 64 if head else len(data))] = value
    data = bytes(data[: len(data) - cut])
    try:
        received = decoded_eagerly(data, height=8, width=8, max_pixels=10_000)
    except REFUSED:
        return
    assert np.isfinite(received).all()
    assert received.min() >= 0
    assert received.max() <= 1


@pytest.mark.parametrize(
    "values",
    [
        {"height": 0, "width": 5},
        {"height": 5, "width": 2.5},
        {"height": 5, "width": 5, "channels": 4},
        {"height": 5, "width": 5, "resize": "squash"},
        {"height": 5, "width": 5, "max_pixels": True},
        {"height": 5},
        {"height": 5, "width": 5, "depth": 3},
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(values):
    with pytest.raises(errors.DataError, match=r"Expected: .* Received: "):
        images.ImageConfig.from_dict(values)


def test_a_configuration_comes_back_from_json():
    config = images.ImageConfig(7, 9, 1, "crop", 1000)
    stored = json.loads(json.dumps(config.to_dict()))
    assert images.ImageConfig.from_dict(stored) == config


# what Pillow reads and we refuse, and why
OURS_ALONE_REFUSES = {
    "pillow_16bit.cropped.tif": "TIFF is not read",
    "pillow_bmp_b_badrle.bmp": "a packed BMP, which TensorFlow does not read",
}


def awkward_images(folder):
    data = pathlib.Path(os.environ.get("INCLUSIVE_TF_DATA", ROOT / "../shared/data"))
    if not (data / "awkward_images.tar").exists():
        pytest.skip("awkward_images.tar is not there; see INCLUSIVE_TF_DATA")
    with tarfile.open(data / "awkward_images.tar") as archive:
        archive.extractall(folder, filter="data")
    return folder / "awkward_images"


def scaled_to_eight_bits(image):
    """A 16-bit Pillow image as 8-bit RGBA, which convert("RGB") would clip."""
    values = np.asarray(image).astype(float)
    alpha = np.where(values == image.info.get("transparency", -1), 0, 255)
    grey = np.round(values / 257)
    return Image.fromarray(np.dstack([grey, grey, grey, alpha]).astype(np.uint8))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_awkward_images_are_decoded_as_pillow_does_or_refused(tmp_path):
    folder = awkward_images(tmp_path)
    wrong = []
    with open(folder / "expected.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        path = folder / "files" / row["file"]
        readable = row["loads"] == "1" and row["file"] not in OURS_ALONE_REFUSES
        config = {"height": 8, "width": 8}
        if readable:
            with Image.open(path) as image:
                image.load()
                sixteen = image.mode == "I;16"
                image = scaled_to_eight_bits(image) if sixteen else image
                expected = over_white(image)
            config = {"height": expected.shape[0], "width": expected.shape[1]}
        try:
            received = decoded_eagerly(path.read_bytes(), **config)
        except REFUSED:
            if readable:
                wrong.append(f"{row['file']} was refused")
            continue
        if not readable:
            wrong.append(f"{row['file']} was decoded")
        elif np.abs(received - expected).max() > ONE_STEP:
            wrong.append(f"{row['file']} differs")
    assert not wrong
    assert len(rows) == 65
