import numpy as np
import pytest

from data_pipelines import errors
from inclusive_tf.explain import (
    cases,
    errors_to_explain,
    grad_cam,
    occlusion,
    saliency,
)

CONFIG = cases.ExplainConfig(patch=4, stride=3, batch_size=3, occlusion_batch_size=32)


def _case(row, wrong, missed):
    return errors_to_explain.ErrorCase(row, f"{row}", 1.0, (), (), wrong, missed)


CASES = [_case(0, 1, 2), _case(1, None, 0), _case(2, 3, None), _case(3, 0, 3)]


def test_every_map_equals_the_one_taken_alone(model, images):
    rows = cases.explain_cases(model, "final_map", images[:4], CASES, CONFIG)
    assert [row["case"] for row in rows] == CASES
    assert [sorted(row["maps"]) for row in rows] == [
        ["missed", "wrong"],
        ["missed"],
        ["wrong"],
        ["missed", "wrong"],
    ]
    camera = grad_cam.GradCam(model, "final_map")
    sensor = saliency.Saliency(model)
    coverer = occlusion.Occlusion(model, 4, 3)
    for row, image in zip(rows, images[:4], strict=True):
        np.testing.assert_array_equal(row["image"], image)
        for role, found in row["maps"].items():
            label = getattr(row["case"], role)
            assert found["label"] == label
            alone = {
                "grad_cam": camera(image[None], [label])[0],
                "saliency": sensor(image[None], [label])[0],
                "occlusion": coverer(image[None])[0, ..., label],
            }
            for method in cases.METHODS:
                np.testing.assert_allclose(found[method], alone[method], atol=2e-6)


def test_no_cases_give_no_rows(model, images):
    assert cases.explain_cases(model, "final_map", images[:0], [], CONFIG) == []


def test_images_must_be_those_of_the_cases(model, images):
    with pytest.raises(errors.DataError, match="not one image a case"):
        cases.explain_cases(model, "final_map", images, CASES, CONFIG)
