"""Whatever a file holds, the pixel road gives an image or a reason; no process dies."""

import io

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies
from PIL import Image

from data_pipelines import images, quality

SETTINGS = hypothesis.settings(
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
CONFIG = images.ImageConfig(8, 8, max_pixels=100_000)


def _encoded(form, mode, **options):
    y, x = np.mgrid[:16, :24]
    pixels = np.stack([10 * x, 15 * y, 5 * (x + y)], axis=-1).astype(np.uint8)
    file = io.BytesIO()
    image = Image.fromarray(pixels).convert(mode)
    frames = [image.rotate(90), image] if options.get("save_all") else []
    more = {"append_images": frames} if frames else {}
    image.save(file, form, **options, **more)
    return file.getvalue()


FORMS = {
    "JPEG": _encoded("JPEG", "RGB"),
    "progressive JPEG": _encoded("JPEG", "RGB", progressive=True),
    "CMYK JPEG": _encoded("JPEG", "CMYK"),
    "turned JPEG": _encoded("JPEG", "L", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01"
                            b"\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"),
    "PNG": _encoded("PNG", "RGB"),
    "PNG with alpha": _encoded("PNG", "RGBA"),
    "palette PNG": _encoded("PNG", "P", transparency=3),
    "16-bit PNG": _encoded("PNG", "I;16"),
    "GIF": _encoded("GIF", "P"),
    "animated GIF": _encoded("GIF", "P", save_all=True),
    "BMP": _encoded("BMP", "RGB"),
    "palette BMP": _encoded("BMP", "P"),
    "lossy WebP": _encoded("WEBP", "RGB"),
    "animated WebP": _encoded("WEBP", "RGBA", save_all=True),
}  # fmt: skip


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def decoded(data):
    return images.decode(data, CONFIG)


@SETTINGS
@hypothesis.given(form=strategies.sampled_from(sorted(FORMS)), data=strategies.data())
def test_a_changed_image_is_decoded_or_has_a_reason(
    form, changed, tmp_path_factory, data
):
    content = data.draw(changed(FORMS[form]))
    path = tmp_path_factory.getbasetemp() / "image"
    path.write_bytes(content)
    # what `quality.scan` asks of each file that its stream left out
    reason = quality._reason(str(path), CONFIG)
    try:
        pixels = decoded(tf.constant(content)).numpy()
    except tf.errors.InvalidArgumentError:
        assert 5 < len(reason) < 500, reason
        return
    assert reason is None
    assert np.isfinite(pixels).all()
    assert 0 <= pixels.min() <= pixels.max() <= 1


@pytest.mark.parametrize("form", FORMS)
def test_the_image_that_is_changed_is_sound(form):
    assert decoded(tf.constant(FORMS[form])).shape == (8, 8, 3)
