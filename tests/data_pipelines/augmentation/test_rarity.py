import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipelines import labels
from data_pipelines.augmentation import rarity


@given(
    st.lists(
        st.dictionaries(st.integers(0, 5), st.sampled_from([0.0, 0.3, 0.5, 1.0])),
        max_size=12,
    ),
    st.integers(0, 8),
)
@settings(max_examples=50, deadline=None)
def test_images_are_rare_when_their_rarest_label_is(rows, below):
    counts = [sum(row.get(label, 0) >= 0.5 for row in rows) for label in range(6)]
    rarest = [
        min((counts[label] for label, sure in row.items() if sure >= 0.5), default=None)
        for row in rows
    ]
    expected = [3.0 if count is not None and count < below else 1.0 for count in rarest]
    sparse = labels.SparseLabels(
        np.cumsum([0, *map(len, rows)]),
        np.array([label for row in rows for label in row], np.int32),
        np.array([sure for row in rows for sure in row.values()], np.float32),
        6,
    )
    found = rarity.strengths(sparse, below, 3.0)
    if 3.0 in expected:
        np.testing.assert_array_equal(found, np.array(expected, np.float32))
    else:
        assert found is None


def test_a_strength_of_one_changes_nobody():
    sparse = labels.SparseLabels.from_lists([[0], [1], [1]], 2)
    assert rarity.strengths(sparse, 2, 1.0) is None
    np.testing.assert_array_equal(rarity.strengths(sparse, 2, 0.0), [0, 1, 1])
