"""All maps of many errors at once."""

import dataclasses

import numpy as np

from data_pipelines import errors
from inclusive_tf.explain import explainable, grad_cam, occlusion, saliency

ROLES = ("wrong", "missed")
METHODS = ("grad_cam", "saliency", "occlusion")
SIGNED = frozenset({"occlusion"})
"""Methods whose maps speak against a label as well as for it."""


@dataclasses.dataclass(frozen=True)
class ExplainConfig:
    """How maps are taken.

    Args:
        patch: side of the occluding patch in pixels, or (height, width).
        stride: step of the patch in pixels, or (down, right).
        fill: what covers; see `occlusion.Occlusion`.
        batch_size: images a forward and backward pass.
        occlusion_batch_size: occluded images a forward.
    """

    patch: int | tuple = 8
    stride: int | tuple = 4
    fill: str | float = "mean"
    batch_size: int = 64
    occlusion_batch_size: int = 256


def explain_cases(model, final_feature_map, images, cases, config):
    """Maps the wrongly given and the missed label of each case.

    Args:
        model: flat functional Keras model that gives logits; not changed.
        final_feature_map: name of its final feature map's layer.
        images: float32 [N, H, W, C] in 0..1, in the order of `cases`.
        cases: N `errors_to_explain.ErrorCase`.
        config: `ExplainConfig`.

    Returns:
        A dict a case: {"case": the case, "image": float32 [H, W, C], "maps": {role:
        {"label": index, "grad_cam", "saliency", "occlusion": float32 [H, W]}}}, where
        roles are those of "wrong" and "missed" that the case has. Maps are raw: scale
        them with `maps.scaled` or draw them with `maps.overlay`.

    Raises:
        errors.DataError: not one image a case, or model or images cannot be explained.
    """
    if len(images) != len(cases):
        raise errors.DataError(
            "not one image a case",
            expected=f"{len(cases)} images",
            received=f"{len(images)}",
        )
    model = explainable.explainable(model)
    images = explainable.checked_images(model, images)
    asked = [
        (number, role, getattr(case, role))
        for number, case in enumerate(cases)
        for role in ROLES
        if getattr(case, role) is not None
    ]
    owner = np.array([number for number, _, _ in asked], np.int64)
    label = np.array([label for _, _, label in asked], np.int64)
    found = {
        "grad_cam": grad_cam.GradCam(model, final_feature_map, config.batch_size)(
            images[owner], label
        ),
        "saliency": saliency.Saliency(model, config.batch_size)(images[owner], label),
        "occlusion": _occlude(model, images, owner, label, config),
    }
    rows = [
        {"case": case, "image": image, "maps": {}}
        for case, image in zip(cases, images, strict=True)
    ]
    for place, (number, role, index) in enumerate(asked):
        maps = {method: found[method][place] for method in METHODS}
        rows[number]["maps"][role] = {"label": index, **maps}
    return rows


def _occlude(model, images, owner, label, config):
    """Returns float32 [asked, H, W]; each image is occluded once for all its labels."""
    engine = occlusion.Occlusion(
        model, config.patch, config.stride, config.fill, config.occlusion_batch_size
    )
    # only the labels asked for are spread over pixels: all of them might not fit
    falls = engine.falls(images)[owner, :, :, label]
    return engine.spread(falls[..., None], images.shape[1:3])[..., 0]
