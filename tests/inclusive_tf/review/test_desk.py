"""What a person decides is checked, written, answered and can be taken back."""

import concurrent.futures

import pytest

from data_pipelines import corrections, decision_log, errors, suspects
from inclusive_tf.review import checks, queue, replay
from inclusive_tf.review import desk as review_desk


def ask(desk, place, action, label="", new_label="", seen=None):
    seen = desk.item(place)["seen"] if seen is None else seen
    return desk.decide(review_desk.Request(place, seen, action, label, new_label))


def names(item):
    return [one["id"] for one in item["labels"]]


def test_each_answer_is_written_with_what_was_before_and_after(make_desk):
    desk = make_desk()
    ask(desk, 0, "relabel", "cat", "dog")
    ask(desk, 1, "several_fit", "cat", "dog")
    ask(desk, 2, "keep")
    ask(desk, 3, "add", "cow")
    ask(desk, 4, "exclude")
    rows = desk.log.since(0)
    assert [(one.action, one.id, one.before, one.after) for one in rows] == [
        ("relabel", "a.png", ("cat",), ("dog",)),
        ("several_fit", "b.png", ("cat", "cow"), ("cat", "cow", "dog")),
        ("keep", "c.png", rows[2].before, rows[2].before),
        ("add", "d.png", (), ("cow",)),
        ("exclude", "e.png", ("dog",), ()),
    ]
    assert {one.who for one in rows} == {"ada"}
    assert desk.queue.counts == [1, 5, 0, 0]
    applied, _ = corrections.apply(desk.table, corrections.read(desk.log.path))
    assert "e.png" not in applied.ids
    assert applied.labels.counts().tolist() == [1, 2, 3, 1]


def test_an_answer_leads_to_the_next_open_suspect_and_an_edit_beside_it_stays(
    make_desk,
):
    desk = make_desk()
    _, place = ask(desk, 1, "remove", "cow")
    assert place == 1
    assert desk.item(1)["status"] == queue.OPEN
    _, place = ask(desk, 1, "keep")
    assert place == 2
    assert names(desk.item(1)) == ["cat"]
    _, place = ask(desk, 5, "keep")
    assert place == 0


def test_a_second_answer_withdraws_the_first(make_desk):
    desk = make_desk()
    ask(desk, 0, "relabel", "cat", "dog")
    ask(desk, 0, "keep")
    assert names(desk.item(0)) == ["cat"]
    rows = desk.log.since(0)
    assert [one.action for one in rows] == ["relabel", "undo", "keep"]
    assert (rows[1].withdraws, rows[1].before, rows[1].after) == (1, ("dog",), ("cat",))
    assert corrections.read(desk.log.path) == []
    # a refused second answer leaves the first standing
    with pytest.raises(errors.DataError, match="does not show"):
        ask(desk, 0, "relabel", "cow", "dog")
    assert desk.item(0)["answer"]["said"] == "kept the labels as they are"


def test_an_undo_opens_the_question_again(make_desk):
    desk = make_desk()
    written, _ = ask(desk, 0, "remove", "cat")
    undone, place = desk.undo(written.number, written.number)
    assert (undone, place) == (written, 0)
    assert desk.item(0)["status"] == queue.OPEN
    assert names(desk.item(0)) == ["cat"]
    with pytest.raises(errors.DataError, match="withdrawn already"):
        desk.undo(written.number, 2)
    with pytest.raises(errors.DataError, match="withdrawn already"):
        desk.undo(2, 2)
    for number in (0, 3, -1):
        with pytest.raises(errors.DataError, match="no such decision"):
            desk.undo(number, 2)


def test_other_decisions_settle_what_they_make_moot(make_desk):
    desk = make_desk()
    first, _ = ask(desk, 0, "exclude")
    assert desk.item(5)["status"] == queue.EXCLUDED
    desk.undo(first.number, 1)
    assert desk.item(5)["status"] == queue.OPEN
    ask(desk, 0, "add", "cow")
    assert desk.item(5)["status"] == queue.SETTLED
    assert desk.item(0)["status"] == queue.OPEN


def test_a_merge_changes_every_image_and_the_questions_on_both_labels(make_desk):
    desk = make_desk()
    merge, _ = ask(desk, 0, "merge", "cat", "dog")
    assert names(desk.item(0)) == ["dog"]
    assert names(desk.item(1)) == ["cow", "dog"]
    assert desk.item(1)["status"] == queue.SETTLED
    assert [one["id"] for one in desk.labels()][:2] == ["dog", "cow"]
    with pytest.raises(errors.DataError, match="no such label"):
        ask(desk, 3, "add", "cat")
    with pytest.raises(errors.DataError, match="merged away"):
        ask(desk, 4, "relabel", "dog", "cat")
    desk.undo(merge.number, 1)
    assert names(desk.item(1)) == ["cat", "cow"]
    assert desk.item(1)["status"] == queue.OPEN
    assert desk.log.since(0)[1].after == ("cat",)


@pytest.mark.parametrize(
    ("place", "action", "fields"),
    [
        (1, "merge", ("cow", "dog")),
        (4, "merge", ("dog", "cow")),
        (1, "several_fit", ("cow", "dog")),
        (0, "several_fit", ("cat", "cow")),
    ],
)
def test_what_is_about_other_labels_does_not_answer_the_question(
    make_desk, place, action, fields
):
    desk = make_desk()
    written, following = ask(desk, place, action, *fields)
    assert (written.question, following) == ("", place)
    item = desk.item(place)
    assert item["answer"] is None
    assert item["status"] != queue.DECIDED
    desk.decide(review_desk.Request(place, item["seen"], "keep"))
    assert [one.action for one in desk.log.since(0)] == [action, "keep"]


def test_an_answer_leaves_a_merge_that_answered_before_it(make_desk):
    desk = make_desk()
    merge, following = ask(desk, 0, "merge", "cat", "dog")
    assert following == 2
    kept, _ = ask(desk, 0, "keep")
    assert [one.action for one in desk.log.since(0)] == ["merge", "keep"]
    assert names(desk.item(1)) == ["cow", "dog"]
    ask(desk, 0, "remove", "dog")
    assert [(one.action, one.withdraws) for one in desk.log.since(2)] == [
        ("undo", kept.number), ("remove", None),
    ]  # fmt: skip
    assert names(desk.item(0)) == []
    assert names(desk.item(1)) == ["cow", "dog"]
    assert desk.now.stands(merge)


@pytest.mark.parametrize(
    ("chain", "action", "fields"),
    [
        ([("cat", "dog")], "remove", ("dog",)),
        ([("cat", "dog")], "relabel", ("dog", "cow")),
        ([("cat", "dog"), ("dog", "pet")], "remove", ("pet",)),
    ],
    ids=["removed", "replaced", "after a chain"],
)
def test_a_merge_is_not_undone_where_its_label_was_removed_since(
    make_desk, chain, action, fields
):
    desk = make_desk()
    merge, *_ = [ask(desk, 3, "merge", *one)[0] for one in chain]
    later, _ = ask(desk, 0, action, *fields)
    with pytest.raises(errors.DataError, match=r"undo that first.*a\.png, image 1"):
        desk.undo(merge.number, later.number)
    assert desk.item(0)["seen"] == later.number
    desk.undo(later.number, later.number)
    # what was done to an image that did not show it is nobody's loss
    ask(desk, 2, "remove", *names(desk.item(2)))
    ask(desk, 4, "relabel", names(desk.item(4))[0], "cow")
    if len(chain) == 1:
        desk.undo(merge.number, desk.item(0)["seen"])
        assert names(desk.item(0)) == ["cat"]


def test_what_later_decisions_stand_on_is_not_withdrawn(make_desk):
    desk = make_desk()
    made, _ = ask(desk, 0, "relabel", "cat", "lynx")
    later, _ = ask(desk, 3, "add", "lynx")
    with pytest.raises(errors.DataError, match="later decisions stand on this one"):
        desk.undo(made.number, 2)
    with pytest.raises(errors.DataError, match="later decisions stand on this one"):
        ask(desk, 0, "keep")
    desk.undo(later.number, 2)
    desk.undo(made.number, 3)
    assert "lynx" not in [one["id"] for one in desk.labels()]


@pytest.mark.parametrize(
    ("place", "action", "fields", "said"),
    [
        (0, "remove", ("dog",), "does not show that label"),
        (0, "add", ("cat",), "shows that label already"),
        (0, "add", ("lynx",), "no such label"),
        (0, "add", ("",), "no such label"),
        (0, "several_fit", ("cat", "lynx"), "no such label"),
        (0, "relabel", ("cat", ""), "new_label of 'relabel' is empty"),
        (0, "relabel", ("cat", "cat"), "become itself"),
        (0, "relabel", ("cat", " x"), "begins or ends with a space"),
        (0, "relabel", ("cat", "two\nlines"), "line end"),
        (0, "merge", ("lynx", "cat"), "no such label"),
    ],
)
def test_what_cannot_be_done_is_refused_and_not_written(
    make_desk, place, action, fields, said
):
    desk = make_desk()
    with pytest.raises(errors.DataError, match=said):
        ask(desk, place, action, *fields)
    assert desk.log.since(0) == []
    assert desk.item(place)["status"] == queue.OPEN


def test_an_excluded_image_is_not_edited(make_desk):
    desk = make_desk()
    ask(desk, 4, "exclude")
    with pytest.raises(errors.DataError, match="excluded; undo that first"):
        ask(desk, 4, "add", "cat")


def test_a_decision_on_an_outdated_view_is_refused_with_what_changed(make_desk):
    desk, other = make_desk(), make_desk(who="bob")
    seen = desk.item(0)["seen"]
    ask(other, 0, "remove", "cat")
    with pytest.raises(checks.OutdatedError) as refused:
        ask(desk, 0, "relabel", "cat", "dog", seen)
    assert refused.value.changes == ["bob removed “Cat”"]
    assert desk.item(0)["labels"] == []
    # another image is nobody's conflict
    ask(desk, 3, "keep", seen=seen)
    assert len(other.log.since(0)) == 2
    ask(desk, 0, "keep")


def test_a_merge_of_a_label_outdates_the_views_that_show_it(make_desk):
    desk, other = make_desk(), make_desk(who="bob")
    merge, _ = ask(other, 1, "merge", "cat", "dog")
    with pytest.raises(checks.OutdatedError, match="bob merged “Cat” into “Dog”"):
        ask(desk, 0, "keep", seen=0)
    ask(desk, 3, "keep", seen=0)
    other.undo(merge.number, 2)
    with pytest.raises(checks.OutdatedError, match="bob undid: merged"):
        ask(desk, 0, "keep", seen=1)


def test_an_undo_of_what_another_changed_since_is_refused(make_desk):
    desk, other = make_desk(), make_desk(who="bob")
    mine, _ = ask(desk, 0, "remove", "cat")
    ask(other, 0, "add", "dog")
    with pytest.raises(checks.OutdatedError, match="bob added “Dog”"):
        desk.undo(mine.number, mine.number)


def test_decisions_of_many_threads_are_all_there_once(make_desk):
    desk = make_desk()

    def work(number):
        place = 3
        while True:
            try:
                return ask(desk, place, ("add", "keep")[number % 2], "dog")
            except (errors.DataError, checks.OutdatedError):
                if number % 2 == 0:
                    return None

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))
    rows = desk.log.since(0)
    assert [one.number for one in rows] == list(range(1, len(rows) + 1))
    kept = [one for one in decision_log.effective(rows) if one.action == "keep"]
    assert len(kept) == 1
    assert sum(one.action == "add" for one in rows) == 1


def test_a_log_is_taken_up_where_it_was_left(make_desk):
    desk = make_desk()
    ask(desk, 0, "relabel", "cat", "dog")
    ask(desk, 2, "keep")
    again = make_desk()
    assert again.queue.counts == desk.queue.counts == [4, 2, 0, 0]
    assert again.first_open() == 1
    assert names(again.item(0)) == ["dog"]


def test_suspects_of_a_new_audit_keep_the_answers_to_the_same_questions(make_desk):
    desk = make_desk()
    ask(desk, 3, "keep")
    newer = make_desk([
        suspects.Suspect("f.png", "image", "", "", 0.9),
        suspects.Suspect("d.png", "missing_label", "", "cow", 0.1),
        suspects.Suspect("d.png", "missing_label", "", "cat", 0.2),
    ])  # fmt: skip
    assert [newer.item(place)["status"] for place in range(3)] == [
        queue.OPEN, queue.OPEN, queue.DECIDED,
    ]  # fmt: skip


def test_suspects_of_corrected_data_may_name_what_the_log_has_made(make_desk):
    desk = make_desk()
    ask(desk, 0, "relabel", "cat", "lynx")
    ask(desk, 3, "add", "lynx")
    ask(desk, 1, "merge", "cow", "cattle")
    made = replay.labels_made(decision_log.effective(desk.log.since(0)))
    assert made == {"lynx", "cattle"}
    found = [
        suspects.Suspect("a.png", "wrong_label", "lynx", "dog", 0.9),
        suspects.Suspect("f.png", "wrong_label", "cattle", "lynx", 0.8),
        suspects.Suspect("e.png", "missing_label", "", "lynx", 0.7),
        suspects.Suspect("d.png", "missing_label", "", "lynx", 0.6),
    ]
    later = make_desk(found, made=made)
    assert later.queue.notes == []
    assert later.queue.status == [queue.OPEN] * 3 + [queue.SETTLED]
    ask(later, 0, "remove", "lynx")
    ask(later, 1, "relabel", "cattle", "lynx")
    assert [names(later.item(place)) for place in (0, 1)] == [[], ["lynx"]]


def test_suspects_that_the_data_lack_are_counted_and_all_of_them_refused(make_desk):
    strangers = [
        suspects.Suspect("zzz.png", "image", "", "", 0.9),
        suspects.Suspect("a.png", "wrong_label", "cat", "unicorn", 0.9),
    ]
    found = make_desk([*strangers, suspects.Suspect("a.png", "image", "", "", 0.1)])
    assert len(found.queue) == 1
    assert found.queue.notes == [
        "1 suspects name an image that is not in the data and are left out "
        "(first: zzz.png)",
        "1 suspects name a label that the data lack and are left out (first: unicorn)",
    ]
    with pytest.raises(errors.DataError, match=r"s\.csv: none of the suspects"):
        make_desk(strangers)
    with pytest.raises(errors.DataError, match="names no suspect"):
        make_desk([])
