"""Image ids as numbers are the hex digits that Python would read and write."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipelines import errors
from data_pipelines.open_images import image_ids

IDS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=30)


def as_characters(texts):
    return np.array(texts, "S16").view(np.uint8).reshape(-1, 16)


@given(IDS)
def test_ids_are_read_and_written_as_python_does(numbers):
    texts = [f"{number:016x}" for number in numbers]
    parsed = image_ids.parse(as_characters(texts))
    assert parsed.tolist() == [int(text, 16) for text in texts]
    assert image_ids.text(parsed).tolist() == texts
    assert image_ids.paths(parsed, "/a ü").tolist() == [f"/a ü/{t}.jpg" for t in texts]


@pytest.mark.parametrize("letter", list("AFg/.:`@ \0"))
def test_any_other_character_is_noticed(letter):
    assert image_ids.parse(as_characters([f"00000000000000{letter}1"])) is None


def test_a_held_out_image_stays_held_out_whatever_others_there_are():
    ids = np.random.default_rng(0).integers(0, 2**64, 50_000, np.uint64)
    out = image_ids.held_out(ids, 0.1, seed=3)
    assert abs(out.mean() - 0.1) < 0.005
    np.testing.assert_array_equal(out[::7], image_ids.held_out(ids[::7], 0.1, seed=3))
    assert (out <= image_ids.held_out(ids, 0.2, seed=3)).all()
    assert (out != image_ids.held_out(ids, 0.1, seed=4)).any()
    assert not image_ids.held_out(ids, 0.0, seed=3).any()


def test_seeds_and_neighbouring_ids_hold_out_independently():
    ids = np.arange(50_000, dtype=np.uint64)
    first, second = (image_ids.held_out(ids, 0.5, seed) for seed in (0, 1))
    assert abs((first & second).mean() - 0.25) < 0.01
    assert abs((first[1:] & first[:-1]).mean() - 0.25) < 0.01


def test_a_share_of_all_images_is_refused():
    with pytest.raises(errors.SettingError, match=r"Received: 1\.0"):
        image_ids.held_out(np.zeros(1, np.uint64), 1.0, 0)
