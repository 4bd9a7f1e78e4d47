import numpy as np
import pytest

from data_pipelines import errors
from inclusive_tf.explain import (
    cases,
    errors_to_explain,
    grad_cam,
    methods,
    occlusion,
    saliency,
    score_cam,
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
            for method in methods.DEFAULT:
                np.testing.assert_allclose(found[method], alone[method], atol=2e-6)


def test_no_cases_give_no_rows(model, images):
    assert cases.explain_cases(model, "final_map", images[:0], [], CONFIG) == []


def test_images_must_be_those_of_the_cases(model, images):
    with pytest.raises(errors.DataError, match="not one image a case"):
        cases.explain_cases(model, "final_map", images, CASES, CONFIG)


def test_every_method_has_maps_equal_to_those_taken_alone(model, images):
    config = cases.ExplainConfig(
        methods=tuple(methods.METHODS),
        patch=4,
        stride=4,
        samples=3,
        noise=0.1,
        channels=4,
        seed=6,
    )
    label = np.array([1, 2, 0])
    found = cases.maps_of(model, "final_map", images[:2], [1, 0, 1], label, config)
    assert list(found) == list(methods.METHODS)
    alone = {
        "grad_cam": grad_cam.GradCam(model, "final_map"),
        "grad_cam_plus_plus": grad_cam.GradCamPlusPlus(model, "final_map"),
        "layer_cam": grad_cam.LayerCam(model, "final_map"),
        "score_cam": score_cam.ScoreCam(model, "final_map", 4),
        "saliency": saliency.Saliency(model),
        "smooth_grad": saliency.SmoothGrad(model, 3, 0.1, 6),
        "occlusion": lambda image, label: occlusion.Occlusion(model, 4, 4)(image)[
            [0, 1, 2], :, :, label
        ],
    }
    for method, engine in alone.items():
        expected = engine(images[[1, 0, 1]], label)
        np.testing.assert_allclose(found[method], expected, atol=2e-6, err_msg=method)


@pytest.mark.parametrize(
    ("names", "said"), [((), "none"), (("cam", "saliency"), "cam")]
)
def test_unknown_methods_are_refused(names, said):
    with pytest.raises(errors.SettingError, match=f"Received: {said}"):
        cases.ExplainConfig(methods=names)


def test_a_method_named_twice_is_drawn_once():
    config = cases.ExplainConfig(methods=["saliency", "grad_cam", "saliency"])
    assert config.methods == ("saliency", "grad_cam")


def test_a_rightly_given_label_has_maps_too(model, images):
    case = errors_to_explain.ErrorCase(0, "0", 1.0, (2,), (2,), None, None, right=2)
    (row,) = cases.explain_cases(model, "final_map", images[:1], [case], CONFIG)
    assert list(row["maps"]) == ["right"]
    assert row["maps"]["right"]["label"] == 2
