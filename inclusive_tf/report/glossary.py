"""The terms of the page, a line or two each, for readers who are not of the field."""

TERMS = {
    "Mean F2": "Each image gets an F2 score: agreement of the labels given with the "
    "labels that are true, where a missed label weighs more than a wrong one. The mean "
    "is over images. 1 is perfect, 0 is nothing right.",
    "Macro F2": "F2 computed for each label over all images, then averaged, so that a "
    "rare label counts as much as a common one.",
    "Head, middle, tail": "The labels in three equal parts by how many training images "
    "show them: the commonest, the middle, the rarest.",
    "Tail recall": "Of the images that show a rare label, the share in which it was "
    "found, averaged over the rare labels.",
    "Worst group": "The lowest mean F2 among the groups of images. A group without "
    "images is not counted.",
    "Interval": "The range in brackets. The images were redrawn at random many times "
    "and the figure computed again; 95 % of the results lie within it.",
    "Helps, hurts, no clear difference": "A step helps when the whole interval of its "
    "difference, image by image on the same images, lies above zero; hurts when it "
    "lies below; otherwise there is no clear difference. Each interval is read alone.",
    "Constant answer": "The same labels for every image: what can be had without "
    "looking at the images at all.",
    "Threshold": "A label is given when the model's score for it is at least this.",
    "Last layer": "The last step of the model, from what it sees to scores. It can be "
    "refitted on a few labelled images without training the rest again.",
    "Tuning images": "The few labelled images of the target that adaptation may use. "
    "They are never part of a score.",
    "Resampled": "Trained on a stream in which rare labels come up more often.",
    "Induced": "Made on purpose by this project, openly, in order to be studied; not "
    "found so in the world.",
    "n": "How many images a figure rests on.",
}

ONE_TRAINING = (
    "Each model row rests on one training run with one seed. The intervals cover the "
    "choice of images, not retraining: training again with another seed would move the "
    "figures, by how much is not measured here."
)


def terms(is_one_training):
    """Returns {term: meaning}; an interval's says what it leaves out.

    Args:
        is_one_training: whether no run was repeated with several seeds.
    """
    if not is_one_training:
        return TERMS
    return TERMS | {"Interval": f"{TERMS['Interval']} {ONE_TRAINING}"}
