"""Resampling policies: how often each example should be seen in an epoch.

A policy is a function of the label table to a weight an example, or to K alternative
weights of which a coin with K sides picks one an epoch (K is 1 but for a policy that
says so); `rates` scales each alternative so that it sums to the epoch's size. With
several labels on an image exact balance is in general impossible (an image brings all
its labels along); what a policy achieves for each label is what `exposure` prints.

An image without any label counts as showing one further class, "no label". n_c is the
number of images that show c, and sums and maxima run over the classes c of image i.
"""

import inspect

import numpy as np

from data_pipelines import errors
from data_pipelines.resampling import long_tail


def _with_no_label(table):
    """Presence as (row of each entry, class of each entry, count of each class)."""
    present = table.labels.present()
    rows, classes = present.rows(), present.index
    bare = np.flatnonzero(np.diff(present.offsets) == 0)
    rows = np.concatenate([rows, bare])
    classes = np.concatenate([classes, np.full(len(bare), present.num_classes)])
    return rows, classes, np.bincount(classes, minlength=present.num_classes + 1)


def _of_rarest(table, class_weights):
    """Returns float64 [N]: the largest weight among each image's classes.

    Args:
        table: `labels.LabelTable`.
        class_weights: function from float64 counts of shown classes to their weights,
            which fall as counts grow.
    """
    rows, classes, counts = _with_no_label(table)
    weights = np.zeros(len(table))
    np.maximum.at(weights, rows, class_weights(counts[classes].astype(np.float64)))
    return weights


def _require(right, name, expected, received):
    if not right:
        raise errors.SettingError(
            f"{name} of a resampling policy cannot be used. Expected: {expected}. "
            f"Received: {received}."
        )


def none(table):
    """Every example once: weight 1."""
    return np.ones(len(table))


def rarest_label(table):
    """Inverse frequency of an image's rarest label: w_i = max_c 1 / n_c.

    Asbudhkar's system of the Inclusive Images Challenge weights an image by
    T / (L n_i), T being the sum of all counts and L the number of labels, which are the
    same for every image and drop out. Its n_i is one count an image and is not said to
    be which label's; it is read here as the rarest one's, as in the 11th place's
    sampler that it follows.
    """
    return _of_rarest(table, lambda counts: 1.0 / counts)


def root_linear(table, scale=100.0):
    """Falls linearly in the root of the rarest label's count.

    w_i = max_c (s r_c + 1) / s, r_c = 1 - (sqrt n_c - lo) / (hi - lo), where lo and hi
    are the least and the greatest root among the images' rarest labels: the rarest
    weigh 1 + 1/s and the commonest 1/s. Asbudhkar's alternative (s = 100). Where all
    are equally common, all weigh alike.
    """
    _require(np.isfinite(scale) and scale > 0, "scale", "a number above 0", scale)
    roots = np.sqrt(1.0 / _of_rarest(table, lambda counts: 1.0 / counts))
    spread = np.ptp(roots)
    fallen = (roots - roots.min()) / spread if spread else np.zeros(len(roots))
    return (scale * (1.0 - fallen) + 1.0) / scale


def rarest_or_average(table, least=50.0, most=10_000.0):
    """Two alternatives: count of the rarest label, or average count of the labels.

    w_i = most / clip(n, least, most), where n is min_c n_c in the first alternative and
    mean_c n_c in the second. The 11th place of the Inclusive Images Challenge (chicm),
    which tosses a fair coin an epoch between the two.

    Returns:
        float64 [2, N].
    """
    _require(np.isfinite(least) and least > 0, "least", "a count above 0", least)
    _require(np.isfinite(most) and most >= least, "most", f"at least {least}", most)
    rows, classes, counts = _with_no_label(table)
    rarest = np.full(len(table), np.inf)
    np.minimum.at(rarest, rows, counts[classes])
    shown = np.bincount(rows, minlength=len(table))
    average = np.bincount(rows, counts[classes], minlength=len(table)) / shown
    return most / np.clip(np.stack([rarest, average]), least, most)


def class_aware(table):
    """Draw a class uniformly, then one of its images: w_i = sum_c 1 / n_c.

    Shen, Lin and Huang 2016, arXiv 1512.05830, section 4.
    """
    rows, classes, counts = _with_no_label(table)
    return np.bincount(rows, 1.0 / counts[classes], minlength=len(table))


def repeat_factor(table, threshold=0.05):
    """Repeat what is rarer than a share: w_i = max_c max(1, sqrt(threshold / f_c)).

    f_c is the share of images that show c. Gupta, Dollár and Girshick 2019 (LVIS),
    arXiv 1908.03195, section 4.
    """
    _require(0 <= threshold <= 1, "threshold", "a share from 0 to 1", threshold)
    size = len(table)
    return np.maximum(
        _of_rarest(table, lambda counts: np.sqrt(threshold * size / counts)), 1.0
    )


def effective_number(table, beta=0.999):
    """Inverse effective number of the rarest label: max_c (1 - b) / (1 - b^n_c).

    Cui et al. 2019, arXiv 1901.05555, equation 3, b being beta. The paper has one label
    an image; of several the rarest decides, so that beta 0 leaves all alike and beta
    towards 1 is `rarest_label`, which are the paper's two ends.
    """
    return _of_rarest(
        table, lambda counts: 1.0 / long_tail.effective_number(counts, beta)
    )


def group_balanced(table):
    """Every group alike: w_i = 1 / (size of its group)."""
    sizes = np.bincount(table.group, minlength=len(table.group_names))
    return 1.0 / sizes[table.group]


def class_group(table):
    """Every pair of a class and a group alike: w_i = sum_c 1 / n_{c,g}.

    g is the image's group and n_{c,g} the number of its images that show c: a pair is
    drawn uniformly among those that have an image, then one of these. Idrissi et al.
    2022, arXiv 2110.14503, section 3 (RWG), whose groups are such pairs, with one class
    an image. A class that is shown in few groups has few pairs and is drawn less.
    """
    rows, classes, _ = _with_no_label(table)
    pairs = classes.astype(np.int64) * len(table.group_names) + table.group[rows]
    _, pair, sizes = np.unique(pairs, return_inverse=True, return_counts=True)
    return np.bincount(rows, 1.0 / sizes[pair], minlength=len(table))


POLICIES = {
    "none": none,
    "rarest_label": rarest_label,
    "root_linear": root_linear,
    "rarest_or_average": rarest_or_average,
    "class_aware": class_aware,
    "repeat_factor": repeat_factor,
    "effective_number": effective_number,
    "group_balanced": group_balanced,
    "class_group": class_group,
}


def _policy(name):
    if name not in POLICIES:
        raise errors.SettingError(
            f"Unknown resampling policy. Expected: one of {', '.join(POLICIES)}. "
            f"Received: {name}."
        )
    return POLICIES[name]


def defaults(policy):
    """Returns {setting: default} of what `rates` takes for a policy.

    Raises:
        errors.SettingError: an unknown policy.
    """
    parameters = list(inspect.signature(_policy(policy)).parameters.values())[1:]
    return {"power": 1.0} | {one.name: one.default for one in parameters}


def rates(table, policy, epoch_size, power=1.0, **settings):
    """Returns float64 [K, N]: expected draws of each example in an epoch.

    Each of the K rows is an alternative; `plan.alternative` says which one an epoch
    follows.

    Args:
        table: `labels.LabelTable` of the training split.
        policy: a name in `POLICIES`.
        epoch_size: draws an epoch; each row sums to it.
        power: tempers any policy: rates are proportional to w_i^power. 1 is the policy,
            0 leaves all alike. With one label an image, `class_aware` or `rarest_label`
            at power a draw label c in proportion to n_c^(1 - a): at 1/2 square-root
            sampling (Mahajan et al. 2018, arXiv 1805.00932; Kang et al. 2020, arXiv
            1910.09217, equation 1, whose q is 1 - a).
        **settings: of `defaults`.

    Raises:
        errors.SettingError: an unknown policy or setting, one out of its range, an
            empty table or no draws.
    """
    known = defaults(policy)
    for name in settings:
        if name not in known:
            raise errors.SettingError(
                f"{policy} has no such setting. Expected: {', '.join(known)}. "
                f"Received: {name}."
            )
    _require(np.isfinite(power) and power >= 0, "power", "a number from 0", power)
    if not len(table) or epoch_size < 1:
        raise errors.SettingError(
            "Nothing to draw. Expected: at least one example and one draw. "
            f"Received: {len(table)} examples, {epoch_size} draws."
        )
    weights = np.atleast_2d(_policy(policy)(table, **settings)) ** power
    return weights * (epoch_size / weights.sum(axis=1, keepdims=True))
