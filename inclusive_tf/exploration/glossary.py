"""The terms of the page, a line or two each, for readers who are not of the field."""

TERMS = {
    "Label given": "One label on one image. An image with three labels counts three "
    "times; a label's share of all labels given is not its share of the images.",
    "Head, middle, tail": "The labels in use in three equal parts by how many images "
    "show them: the commonest, the middle, the rarest.",
    "By chance": "As often as two labels would share an image if neither cared for the "
    "other: images with the one, times the share of images with the other.",
    "Lift and PMI": "Lift is how many times as often as by chance two labels share an "
    "image. PMI, pointwise mutual information, is its base-2 logarithm, in bits.",
    "Total variation distance": "Half the sum, over labels, of the differences between "
    "two mixes: the part of one that would have to change its label to give the other. "
    "0 is the same mix, 1 has no label in common. A small group differs by chance "
    "alone, so that chance is shown beside it.",
    "Brackets": "95 % intervals: Wilson's for a share, Walter's for a ratio of shares. "
    "They treat images as independent.",
    "Ratio of shares": "Share in the second split over share in the first; half an "
    "image is added to every count, so that it can be told where a count is 0.",
    "Brightness": "Mean luma of an image, 0 for black to 1 for white (ITU-R BT.601: "
    "0.299 red, 0.587 green, 0.114 blue).",
    "Contrast": "Standard deviation of the luma over an image's pixels; 0 is one tone "
    "all over, 0.5 half black and half white.",
    "Box and whiskers": "The box holds the middle half of the images, its line is the "
    "median; the whiskers end where 5 % and 95 % of the images lie below.",
    "n": "How many images a figure rests on.",
}
