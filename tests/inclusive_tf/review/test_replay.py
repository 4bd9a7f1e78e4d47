"""The labels of one image are those that applying the whole log gives it."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data_pipelines import corrections, decision_log, errors, labels
from inclusive_tf.review import replay

TIME = "2026-03-01T10:20:00"
IMAGES = ("w", "x", "y", "z", "kept")
LABELS = ("a", "b", "c", "d")


def table_of(rows):
    index = [[LABELS.index(label) for label in sorted(row)] for row in rows]
    return labels.LabelTable(
        ids=np.array(IMAGES),
        locations=np.array(IMAGES),
        labels=labels.SparseLabels.from_lists(index, len(LABELS)),
        vocabulary=labels.Vocabulary(LABELS),
        group=np.zeros(len(IMAGES), np.int32),
        group_names=("g",),
        split=np.zeros(len(IMAGES), np.int32),
        split_names=("train",),
    )


images = st.sampled_from(IMAGES[:-1])
known = st.sampled_from(LABELS)
any_label = st.sampled_from((*LABELS, "new"))
steps = st.one_of(
    st.tuples(st.just("keep"), images),
    st.tuples(st.sampled_from(["remove", "add"]), images, known),
    st.tuples(st.just("relabel"), images, known, any_label),
    st.tuples(st.just("several_fit"), images, known, known),
    st.tuples(st.just("merge"), st.just(""), known, any_label),
    st.tuples(st.just("exclude"), images),
    st.tuples(st.just("undo"), st.integers(1, 12)),
)


def decisions_of(drawn):
    """Numbered decisions of drawn steps, without those that no log can hold."""
    made, withdrawn = [], set()
    for action, *fields in drawn:
        number = len(made) + 1
        if action == "undo":
            (target,) = fields
            if target >= number or target in withdrawn or made[target - 1].withdraws:
                continue
            withdrawn.add(target)
            one = decision_log.Decision(
                TIME, "ada", "undo", withdraws=target, number=number
            )
        elif len(set(fields[1:])) < len(fields[1:]):
            continue
        else:
            one = decision_log.Decision(TIME, "ada", action, *fields, number=number)
        made.append(one)
    return made


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.frozensets(known), min_size=len(IMAGES), max_size=len(IMAGES)),
    st.lists(steps, max_size=12),
)
def test_image_by_image_is_as_all_at_once(rows, drawn):
    table, decisions = table_of(rows), decisions_of(drawn)
    log = [one.correction() for one in decision_log.effective(decisions)]
    try:
        whole, _ = corrections.apply(table, [one for one in log if one is not None])
    except errors.DataError:
        assume(False)
    now = replay.Replay(table)
    for one in decisions:
        now.add(one)
    assert tuple(now.vocabulary) == whole.vocabulary.ids
    left = {name: row for row, name in enumerate(whole.ids.tolist())}
    for row, name in enumerate(IMAGES):
        shown, excluded = now.labels(row)
        assert excluded == (name not in left)
        if not excluded:
            part = whole.labels.take([left[name]]).present()
            assert set(shown) == {whole.vocabulary.ids[one] for one in part.index}


def test_a_withdrawal_can_be_tried_out(make_table):
    now = replay.Replay(make_table({"a.png": ["cat"]}))
    merge = decision_log.Decision(TIME, "ada", "merge", "", "cat", "pet", number=1)
    now.add(merge)
    assert now.labels(0) == (("pet",), False)
    with now.without([merge]):
        assert now.labels(0) == (("cat",), False)
        assert "cat" in now.vocabulary
    assert "cat" not in now.vocabulary
    assert now.label_now("cat") == "pet"


def test_a_soft_target_below_one_half_is_not_shown(make_table):
    table = make_table({"a.png": ["cat", "dog"]})
    table.labels.confidence[:] = (0.4, 0.5)
    assert replay.Replay(table).labels(0) == (("dog",), False)
