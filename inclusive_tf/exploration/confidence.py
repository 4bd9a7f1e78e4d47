"""How sure the labels are that a data set states."""

import numpy as np

from data_pipelines import labels

_BINS = 20


def histogram(sparse_labels):
    """Counts of the stated confidences.

    Args:
        sparse_labels: `labels.SparseLabels`.

    Returns:
        {"stated", "present", "absent" (confidence 0, verified), "certain" (confidence
        1), "edges": 21 from 0 to 1, "counts": 20; a bin holds its lower edge, the last
        one both}.
    """
    values = sparse_labels.confidence
    edges = np.linspace(0, 1, _BINS + 1)
    # tenths are not exact in float32, and would fall below an edge of their own value
    bins = np.floor(values.astype(np.float64) * _BINS + 1e-4).astype(np.int64)
    counts = np.bincount(np.minimum(bins, _BINS - 1), minlength=_BINS)
    return {
        "stated": len(values),
        "present": int(np.count_nonzero(values >= labels.PRESENT)),
        "absent": int(np.count_nonzero(values == 0)),
        "certain": int(np.count_nonzero(values == 1)),
        "edges": np.round(edges, 10).tolist(),
        "counts": counts.tolist(),
    }


def confidence(sparse_labels, known=None):
    """Returns {"table": `histogram`, "sources": {source: {"edges", "counts"}}}.

    Args:
        sparse_labels: `labels.SparseLabels` of the whole table.
        known: the same histograms by source, where a layout knows them; before fusion.
    """
    return {"table": histogram(sparse_labels), "sources": known or {}}
