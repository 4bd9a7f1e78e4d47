"""Which labels come together, and which do so more than chance would bring."""

import numpy as np
from scipy import sparse

from inclusive_tf.exploration import entries, frequency

_BLOCK = 512


def _incidence(present, chosen):
    """Returns sparse int32 [N, chosen]: 1 where an image shows a label of `chosen`."""
    column = np.full(present.num_classes, -1, np.int32)
    column[chosen] = np.arange(len(chosen))
    columns = column[present.index]
    kept = columns >= 0
    kept_before = np.concatenate([[0], np.cumsum(kept)])
    return sparse.csr_array(
        (np.ones(np.count_nonzero(kept), np.int32), columns[kept],
         kept_before[present.offsets]),
        shape=(len(present), len(chosen)),
    )  # fmt: skip


def matrix(present, counts, vocabulary, top):
    """How often the most common labels come together.

    Args:
        present: `labels.SparseLabels` of present labels only.
        counts: int [C]; images that show each label.
        vocabulary: `labels.Vocabulary`.
        top: labels, at most.

    Returns:
        {"labels": [{"id", "name", "images"}], "together": k rows of k counts of images
        (the diagonal is "images")}.
    """
    order = frequency.ranked(counts, vocabulary)[:top]
    order = order[counts[order] > 0]
    shows = _incidence(present, order)
    return {
        "labels": [
            entries.label(vocabulary, position) | {"images": int(counts[position])}
            for position in order
        ],
        "together": (shows.T @ shows).toarray().tolist(),
    }


def strongest_pairs(present, counts, vocabulary, pairs, pair_images):
    """The pairs of labels that come together most beyond chance.

    Ranked by pointwise mutual information, log2(n_ab · N / (n_a · n_b)) bits (Church
    and Hanks 1990, "Word Association Norms, Mutual Information, and Lexicography"); two
    to its power is the lift: how many times as often as if labels were independent.

    Args:
        present: `labels.SparseLabels` of present labels only.
        counts: int [C]; images that show each label.
        vocabulary: `labels.Vocabulary`.
        pairs: pairs returned, at most.
        pair_images: images that a pair must share, since a few meet by accident.

    Returns:
        {"pair_images", "beyond" (pairs that share so many images and come together more
        often than by chance), "pairs": [{"a",
        "b": {"id", "name", "images"}, "together", "expected" (images, by chance),
        "lift", "pmi"}]}, strongest first.
    """
    chosen = np.flatnonzero(counts >= pair_images)
    shows = _incidence(present, chosen)
    turned = shows.T.tocsr()
    parts = []
    # in blocks, so that rare meetings are never held all at once
    for start in range(0, len(chosen), _BLOCK):
        block = (turned[start : start + _BLOCK] @ shows).tocoo()
        first, second = block.coords
        first = first + start
        kept = (block.data >= pair_images) & (first < second)
        parts.append((chosen[first[kept]], chosen[second[kept]], block.data[kept]))
    empty = [np.zeros(0, np.int64)] * 3
    first, second, together = (
        np.concatenate(column) for column in zip(empty, *parts, strict=True)
    )
    expected = counts[first].astype(np.float64) * counts[second] / max(len(present), 1)
    lift = together / expected
    # of equal lift, the better attested first
    order = np.lexsort((second, first, -together, -lift))[:pairs]
    order = order[lift[order] > 1]

    def side(position):
        return entries.label(vocabulary, position) | {"images": int(counts[position])}

    return {
        "pair_images": pair_images,
        "beyond": int(np.count_nonzero(lift > 1)),
        "pairs": [
            {
                "a": side(first[pair]),
                "b": side(second[pair]),
                "together": int(together[pair]),
                "expected": float(expected[pair]),
                "lift": float(lift[pair]),
                "pmi": float(np.log2(lift[pair])),
            }
            for pair in order
        ],
    }


def co_occurrence(present, counts, vocabulary, config):
    """Returns `matrix` and `strongest_pairs` in one dict, or {"missing"}.

    Args:
        present: `labels.SparseLabels` of present labels only.
        counts: int [C]; images that show each label.
        vocabulary: `labels.Vocabulary`.
        config: `config.ExplorationConfig`.
    """
    several = int(np.count_nonzero(np.diff(present.offsets) > 1))
    if not several:
        return entries.missing("no image has more than one label")
    return (
        {"images": len(present), "several": several}
        | matrix(present, counts, vocabulary, config.matrix)
        | strongest_pairs(present, counts, vocabulary, config.pairs, config.pair_images)
    )
