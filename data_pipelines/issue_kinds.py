"""The kinds of image issues that `image_issues` names, and what each means."""

KINDS = {
    "unreadable": "the file is no image, damaged, truncated or too large",
    "dark": "almost every pixel is dark (under-exposed)",
    "light": "almost every pixel is bright (over-exposed)",
    "blurry": "hardly any edges and few shades of grey",
    "low_information": "nearly one colour: the grey values hardly vary",
    "odd_size": "far larger or smaller than the other images",
    "odd_aspect_ratio": "far from square",
    "exact_duplicate": "the same pixels as an earlier image of its split",
    "near_duplicate": "the same perceptual hash as an earlier image of its split",
    "leak": "an exact or near duplicate of an image of another split",
    "irrelevant": "unlike every other image",
}
