"""How much images are varied, checked; imports no TensorFlow."""

import dataclasses
import math

from data_pipelines import errors

FILLS = ("nearest", "reflect", "constant")
SCHEDULES = ("constant", "soft_to_hard")
_COLOUR_ONLY = ("hue", "saturation", "channel_shift", "grey")
_WHOLE = ("jpeg_quality", "rand_augment", "rare_below")
# what is not listed lies between 0 and 1
_RANGES = {
    "rotate": (0, 180),
    "zoom": (0, math.inf),
    "crop_scale": (0.05, 1),
    "crop_aspect": (1, 4),
    "gamma": (0, 4),
    "hue": (0, 0.5),
    "jpeg_quality": (1, 100),
    "rand_augment": (0, 10),
    "rand_magnitude": (0, 10),
    "mixup": (0, 100),
    "cutmix": (0, 100),
    "rare_below": (0, math.inf),
    "rare_strength": (0, 10),
}


@dataclasses.dataclass(frozen=True)
class AugmentationConfig:
    """How much images are varied; as it stands it leaves them as they are.

    Each amount is the largest: what an image gets is drawn uniformly up to it.

    Args:
        mirror: probability of swapping left and right, 0..1.
        shift: fraction of the side, 0..1, each way and in each direction.
        rotate: degrees, 0..180, each way.
        zoom: at z the scale is between 1 / (1 + z) and 1 + z, uniform in its logarithm.
        brightness: added to all pixels, 0..1, each way.
        contrast: at c the distance of pixels to the image's mean is multiplied by
            1 - c to 1 + c; 0..1.
        noise: standard deviation of independent noise, 0..1.
        blur: share of a 3 x 3 mean in the image, 0..1.
        fill: where a moved image leaves a gap. `nearest` repeats the edge: it continues
            a plain backdrop of whatever shade and brings no second object in, as
            `reflect` does; `constant` is black, which fits black backdrops only and
            elsewhere draws bars that a model may learn.
        crop_scale: smallest share of the image's area that a random crop shows (Szegedy
            et al. 2015, "Going deeper with convolutions"), 0.05..1; at 1 nothing is
            cropped.
        crop_aspect: how much wider or taller than the image a crop may be shaped, 1..4,
            uniform in its logarithm, as far as a part of that area still fits.
        gamma: at g pixels are raised to a power between 1 / (1 + g) and 1 + g.
        hue: turn of the colour circle, 0..0.5 of it, each way; colour only.
        saturation: at s the distance of pixels to their grey is multiplied by 1 - s to
            1 + s; 0..1; colour only.
        channel_shift: added to each channel apart, 0..1, each way; colour only.
        grey: probability of an image without colour, 0..1; colour only.
        jpeg: probability of an image that JPEG has been through, 0..1.
        jpeg_quality: smallest quality of it, 1..100; qualities are uniform up to 100.
        rand_augment: operations an image, of `rand_augment.OPERATIONS` (N of Cubuk et
            al. 2020); 0 is none.
        rand_magnitude: how strong these are, 0..10 (their M).
        mixup: a of the Beta(a, a) distribution of the share of another image of the
            batch that is laid over (Zhang et al. 2018); 0 is none.
        cutmix: a of the Beta(a, a) distribution of the area that another image of the
            batch is pasted into (Yun et al. 2019); 0 is none. With both, each image
            gets one of the two by a fair coin.
        batch_mix_probability: of either for an image, 0..1.
        schedule: `constant`, or `soft_to_hard` (`draws.phases`).
        boundaries: shares of the epochs at which that schedule begins to draw, and
            begins to draw extremes, in order.
        rare_below: images whose rarest label fewer training images show are varied more
            strongly; 0 is none.
        rare_strength: what their amounts are multiplied by, 0..10.

    Raises:
        errors.DataError: a value is outside its range.
    """

    mirror: float = 0.0
    shift: float = 0.0
    rotate: float = 0.0
    zoom: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    fill: str = "nearest"
    crop_scale: float = 1.0
    crop_aspect: float = 4 / 3
    gamma: float = 0.0
    hue: float = 0.0
    saturation: float = 0.0
    channel_shift: float = 0.0
    grey: float = 0.0
    jpeg: float = 0.0
    jpeg_quality: int = 55
    rand_augment: int = 0
    rand_magnitude: float = 5.0
    mixup: float = 0.0
    cutmix: float = 0.0
    batch_mix_probability: float = 1.0
    schedule: str = "constant"
    boundaries: tuple = (1 / 3, 2 / 3)
    rare_below: int = 0
    rare_strength: float = 2.0

    def __post_init__(self):
        if isinstance(self.boundaries, list):
            object.__setattr__(self, "boundaries", tuple(self.boundaries))
        for field in dataclasses.fields(self):
            if isinstance(field.default, int | float):
                self._require_number(field.name)
        self._require_choice("fill", FILLS)
        self._require_choice("schedule", SCHEDULES)
        _require_boundaries(self.boundaries)

    def _require_number(self, name):
        value = getattr(self, name)
        least, most = _RANGES.get(name, (0, 1))
        kind = int if name in _WHOLE else int | float
        right = isinstance(value, kind) and not isinstance(value, bool)
        if not right or not least <= value <= most or math.isinf(value):
            whole = "whole number" if name in _WHOLE else "number"
            raise errors.DataError(
                f"{name} of an augmentation cannot be used",
                expected=f"a {whole} from {least:g} to {most:g}",
                received=value,
            )

    def _require_choice(self, name, choices):
        if getattr(self, name) not in choices:
            raise errors.DataError(
                f"{name} of an augmentation cannot be used",
                expected=f"one of {', '.join(choices)}",
                received=getattr(self, name),
            )

    def require_channels(self, channels):
        """Refuses variations of colour for images that have none.

        Raises:
            errors.SettingError: `channels` is 1 and an amount of colour is not 0.
        """
        given = [name for name in _COLOUR_ONLY if getattr(self, name)]
        if channels == 1 and given:
            raise errors.SettingError(
                "Grey images have no colour to vary. Expected: 3 channels, or 0 for "
                f"{', '.join(_COLOUR_ONLY)}. Received: 1 channel and "
                f"{', '.join(f'{name} {getattr(self, name):g}' for name in given)}."
            )

    def to_dict(self):
        """Returns what `from_dict` takes, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values):
        """Builds from the result of `to_dict`.

        Raises:
            errors.DataError: a value is unknown or cannot be used.
        """
        try:
            return cls(**values)
        except TypeError as error:
            raise errors.DataError(
                "not an augmentation configuration",
                expected=", ".join(field.name for field in dataclasses.fields(cls)),
                received=values,
            ) from error


def _require_boundaries(boundaries):
    right = (
        isinstance(boundaries, tuple)
        and len(boundaries) == 2
        and all(
            isinstance(share, int | float) and not isinstance(share, bool)
            for share in boundaries
        )
        and 0 <= boundaries[0] <= boundaries[1] <= 1
    )
    if not right:
        raise errors.DataError(
            "boundaries of an augmentation cannot be used",
            expected="two shares of the epochs from 0 to 1, in order",
            received=boundaries,
        )
