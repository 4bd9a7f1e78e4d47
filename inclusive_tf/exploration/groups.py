"""Which labels each group shows, and how far its mix is from that of all images."""

import numpy as np
from scipy import sparse, stats

from inclusive_tf.exploration import entries, frequency


def group_labels(present, group, num_groups):
    """Returns sparse int64 [G, C]: images of each group that show each label.

    Args:
        present: `labels.SparseLabels` of present labels only, of N images.
        group: int [N].
        num_groups: G.
    """
    keys = group[present.rows()].astype(np.int64) * present.num_classes + present.index
    # by key rather than in a dense table, as there may be a group a photographer
    found, counts = np.unique(keys, return_counts=True)
    return sparse.csr_array(
        (counts, np.divmod(found, present.num_classes)),
        shape=(num_groups, present.num_classes),
    )


def distances(table):
    """Total variation distance of each group's label mix from that of all.

    ½ Σ_c |p_gc − p_c|, where p_gc is the share of the group's label assignments that
    are of label c, and p_c that of all assignments: 0 is the same mix, 1 no label in
    common.

    Args:
        table: sparse int [G, C], as of `group_labels`.

    Returns:
        float64 [G]; NaN where a group has no label.
    """
    sizes = np.asarray(table.sum(axis=1), np.float64)
    whole = np.asarray(table.sum(axis=0), np.float64)
    whole /= max(whole.sum(), 1)
    entry = table.tocoo()
    rows, columns = entry.coords
    share, usual = entry.data / sizes[rows], whole[columns]
    # labels that a group lacks add their whole share, which is 1 less those it has
    apart = np.bincount(rows, np.abs(share - usual) - usual, minlength=len(sizes))
    return np.where(sizes > 0, (1 + apart) / 2, np.nan)


def chance(sizes, counts, images):
    """What `distances` would be about, were each group drawn from all images at random.

    A label of K of N images is then on about nK/N of a group's n images. The mean
    deviation of a binomial count from its mean has a closed form (de Moivre; Diaconis
    and Zabell 1991, "Closed Form Summation for Classical Distributions"): E|X − nq| =
    2 v (1 − q) P(X = v) with v = floor(nq) + 1. It is shrunk by sqrt((N − n)/(N − 1)),
    as a group is part of what it is drawn from, and halved, summed over labels and
    divided by the n·T/N labels that a group of n is expected to have, of T in all.

    Args:
        sizes: int [G]; images of each group.
        counts: int [C]; images that show each label, of all groups.
        images: int, N.

    Returns:
        float64 [G]; NaN where a group has no image, or no image a label.
    """
    counts = np.asarray(counts)[np.asarray(counts) > 0]
    found = np.full(len(sizes), np.nan)
    q = counts / images
    several = q < 1
    for place in np.flatnonzero(np.asarray(sizes) if len(counts) else []):
        size = int(sizes[place])
        v = np.minimum(np.floor(size * q) + 1, size)
        deviation = 2 * v * (1 - q) * stats.binom.pmf(v, size, q)
        part = np.sqrt((images - size) / max(images - 1, 1))
        expected = size * counts.sum() / images
        found[place] = deviation[several].sum() / expected / 2 * part
    return found


def _number(value):
    return None if np.isnan(value) else float(value)


def group_by_label(present, group, group_names, vocabulary, top):
    """Figures of groups by label.

    Args:
        present: `labels.SparseLabels` of present labels only, of N images.
        group: int [N].
        group_names: str, G.
        vocabulary: `labels.Vocabulary`.
        top: labels, and groups, at most: the most common and the largest.

    Returns:
        {"images", "groups_in_use" (groups that have an image), "groups": [{"name",
        "images", "assignments", "distance", "chance"}], largest first, "labels":
        [{"id", "name", "images", "share", "shares": of each group's images, in the
        order of "groups"}], "labels_in_use"}; or {"missing"}.
    """
    sizes = np.bincount(group, minlength=len(group_names))
    if np.count_nonzero(sizes) < 2:
        return entries.missing("all images are of one group")
    table = group_labels(present, group, len(group_names))
    apart = distances(table)
    shown = np.lexsort((np.array(group_names), -sizes))[:top]
    shown = shown[sizes[shown] > 0]
    counts = np.asarray(table.sum(axis=0), np.int64)
    order = frequency.ranked(counts, vocabulary)[:top]
    order = order[counts[order] > 0]
    shares = table[shown][:, order].toarray() / sizes[shown][:, None]
    assignments = np.asarray(table.sum(axis=1), np.int64)
    by_chance = chance(sizes[shown], counts, len(group))
    return {
        "images": len(group),
        "groups_in_use": int(np.count_nonzero(sizes)),
        "groups": [
            {
                "name": str(group_names[one]),
                "images": int(sizes[one]),
                "assignments": int(assignments[one]),
                "distance": _number(apart[one]),
                "chance": _number(by_chance[place]),
            }
            for place, one in enumerate(shown)
        ],
        "labels": [
            entries.label(vocabulary, position)
            | {
                "images": int(counts[position]),
                "share": entries.share(counts[position], len(group)),
                "shares": shares[:, column].tolist(),
            }
            for column, position in enumerate(order)
        ],
        "labels_in_use": int(np.count_nonzero(counts)),
    }
