"""All maps of many errors at once."""

import dataclasses

import numpy as np

from data_pipelines import errors
from inclusive_tf.explain import (
    explainable,
    grad_cam,
    occlusion,
    saliency,
    score_cam,
)
from inclusive_tf.explain import methods as all_methods

ROLES = ("wrong", "missed", "right")


@dataclasses.dataclass(frozen=True)
class ExplainConfig:
    """How maps are taken.

    Args:
        methods: names in `methods.METHODS`, in the order they are shown.
        patch: side of the occluding patch in pixels, or (height, width).
        stride: step of the patch in pixels, or (down, right).
        fill: what covers; see `occlusion.Occlusion`.
        samples: noisy copies an image of SmoothGrad.
        noise: their noise, as a share of the image's range.
        channels: channels that Score-CAM tries an image; 0: all.
        seed: of all that is drawn.
        batch_size: images a forward and backward pass.
        occlusion_batch_size: covered images a forward.

    Raises:
        errors.SettingError: there is no method, or none of a name.
    """

    methods: tuple = all_methods.DEFAULT
    patch: int | tuple = 8
    stride: int | tuple = 4
    fill: str | float = "mean"
    samples: int = 25
    noise: float = 0.2
    channels: int = 0
    seed: int = 0
    batch_size: int = 64
    occlusion_batch_size: int = 256

    def __post_init__(self):
        object.__setattr__(self, "methods", tuple(dict.fromkeys(self.methods)))
        unknown = [name for name in self.methods if name not in all_methods.METHODS]
        if unknown or not self.methods:
            raise errors.SettingError(
                "Errors cannot be explained by these methods. Expected: some of "
                f"{', '.join(all_methods.METHODS)}. Received: "
                f"{', '.join(unknown) or 'none'}."
            )


def maps_of(model, final_feature_map, images, owner, label_index, config):
    """Takes the maps of every method.

    Args:
        model: flat functional Keras model that gives logits; not changed.
        final_feature_map: name of its final feature map's layer.
        images: float32 [N, H, W, C] in 0..1.
        owner: int [M], the image of each map.
        label_index: int [M], the label of each map.
        config: `ExplainConfig`.

    Returns:
        {method: float32 [M, H, W]}.

    Raises:
        errors.DataError: model, images or labels cannot be explained.
    """
    images = explainable.checked_images(model, images)
    owner = np.asarray(owner, np.int64)
    label_index = np.asarray(label_index, np.int64)
    found = {}
    for method in config.methods:
        if method == "occlusion":
            found[method] = _occlude(model, images, owner, label_index, config)
        else:
            engine = _engine(method, model, final_feature_map, config)
            found[method] = engine(images[owner], label_index)
    return found


def _engine(method, model, layer, config):
    """Returns what maps (float32 [B, H, W, C], int [B]) to float32 [B, H, W]."""
    size = config.batch_size
    if method == "saliency":
        return saliency.Saliency(model, size)
    if method == "smooth_grad":
        return saliency.SmoothGrad(
            model, config.samples, config.noise, config.seed, size
        )
    if method == "score_cam":
        return score_cam.ScoreCam(
            model, layer, config.channels, config.occlusion_batch_size
        )
    by_gradient = {
        "grad_cam": grad_cam.GradCam,
        "grad_cam_plus_plus": grad_cam.GradCamPlusPlus,
        "layer_cam": grad_cam.LayerCam,
    }
    return by_gradient[method](model, layer, size)


def _occlude(model, images, owner, label, config):
    """Returns float32 [asked, H, W]; each image is occluded once for all its labels."""
    engine = occlusion.Occlusion(
        model, config.patch, config.stride, config.fill, config.occlusion_batch_size
    )
    falls = engine.falls_of(images, owner, label)
    return engine.spread(falls[..., None], images.shape[1:3])[..., 0]


def explain_cases(model, final_feature_map, images, cases, config):
    """Maps the wrongly given, the missed and the rightly given label of each case.

    Args:
        model: flat functional Keras model that gives logits; not changed.
        final_feature_map: name of its final feature map's layer.
        images: float32 [N, H, W, C] in 0..1, in the order of `cases`.
        cases: N `errors_to_explain.ErrorCase`.
        config: `ExplainConfig`.

    Returns:
        A dict a case: {"case": the case, "image": float32 [H, W, C], "maps": {role:
        {"label": index, method: float32 [H, W]}}}, where roles are those of `ROLES`
        that the case has. Maps are raw: scale them with `maps.scaled` or draw them with
        `maps.overlay`.

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
    asked = [
        (number, role, getattr(case, role))
        for number, case in enumerate(cases)
        for role in ROLES
        if getattr(case, role) is not None
    ]
    owner = [number for number, _, _ in asked]
    label = [label for _, _, label in asked]
    found = maps_of(model, final_feature_map, images, owner, label, config)
    rows = [
        {"case": case, "image": image, "maps": {}}
        for case, image in zip(cases, images, strict=True)
    ]
    for place, (number, role, index) in enumerate(asked):
        maps = {method: taken[place] for method, taken in found.items()}
        rows[number]["maps"][role] = {"label": index, **maps}
    return rows
