"""What each way of drawing maps is called and shows; imports nothing heavy."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Method:
    """What the maps of one method show.

    Args:
        title: as pages call it.
        shows: in a clause.
        signed: whether its maps speak against a label as well as for it.
        ends: what the ends of its colour bar mean, from the left.
    """

    title: str
    shows: str
    signed: bool = False
    ends: tuple = ("none", "most")


METHODS = {
    "grad_cam": Method("Grad-CAM", "where evidence for the label lies, coarsely"),
    "grad_cam_plus_plus": Method(
        "Grad-CAM++", "as Grad-CAM, and weighs several places of one thing alike"
    ),
    "layer_cam": Method(
        "Layer-CAM", "as Grad-CAM, and each place weighs by its own gradient"
    ),
    "score_cam": Method(
        "Score-CAM", "places of channels through which the label is still seen"
    ),
    "saliency": Method(
        "saliency", "which pixels the score reacts to, for or against"
    ),
    "smooth_grad": Method(
        "SmoothGrad", "saliency averaged over noisy copies of the image"
    ),
    "occlusion": Method(
        "occlusion",
        "red where covering lowers the label's score, blue where it raises it",
        signed=True,
        ends=("raises", "lowers"),
    ),
}  # fmt: skip

DEFAULT = ("grad_cam", "saliency", "occlusion")
