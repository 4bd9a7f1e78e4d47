"""A log of corrections is applied in its order, and what had no effect is counted."""

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data_pipelines import corrections, errors, labels

TIME = "2026-03-01T10:20:00"
LABELS = ("a", "b", "c", "d")


def edit(action, *fields):
    return corrections.Correction(TIME, "ada", action, *fields)


def remove(image, label):
    return edit("remove", image, label)


def add(image, label):
    return edit("add", image, label)


def relabel(image, label, new_label):
    return edit("relabel", image, label, new_label)


def merge(label, new_label):
    return edit("merge", "", label, new_label)


def exclude(image):
    return edit("exclude", image)


def table_of(stated, vocabulary=LABELS, unlisted_is_absent=True, split=None):
    """A table of {id: {label: confidence}}."""
    position = {label: place for place, label in enumerate(vocabulary)}
    rows = list(stated.values())
    count = len(rows)
    return labels.LabelTable(
        ids=np.array(list(stated), dtype="<U8"),
        locations=np.array([f"/{name}" for name in stated], dtype="<U8"),
        labels=labels.SparseLabels(
            np.cumsum([0, *map(len, rows)]),
            np.array([position[label] for row in rows for label in row], np.int32),
            np.array([value for row in rows for value in row.values()], np.float32),
            len(vocabulary),
        ),
        vocabulary=labels.Vocabulary(vocabulary),
        group=np.zeros(count, np.int32),
        group_names=("g",),
        split=np.array(split or [0] * count, np.int32),
        split_names=("train", "test"),
        unlisted_is_absent=unlisted_is_absent,
    )


def stated_of(table):
    """The reverse of `table_of`; of what counts as absent anyway nothing is told."""
    found = {}
    for row, name in enumerate(table.ids.tolist()):
        one = table.labels.take([row])
        found[name] = {
            table.vocabulary.ids[index]: float(value)
            for index, value in zip(one.index, one.confidence, strict=True)
            if value or not table.unlisted_is_absent
        }
    return found


def apply(stated, log, **settings):
    """Applies a log to a small table; returns what is stated then, and the notes."""
    table, notes = corrections.apply(table_of(stated, **settings), log)
    return stated_of(table), notes


def test_each_action_does_what_its_name_says():
    stated = {"x": {"a": 1, "b": 1}, "y": {"c": 0.5}, "z": {"d": 1}, "w": {"b": 1}}
    log = [remove("x", "b"), add("y", "a"), relabel("z", "d", "c"), exclude("w")]
    found, notes = apply(stated, log)
    assert found == {"x": {"a": 1}, "y": {"a": 1, "c": 0.5}, "z": {"c": 1}}
    assert notes == [
        "corrections applied: 1 remove, 1 add, 1 relabel, 1 exclude",
        "corrections left 2 labels without an image, such as b",
    ]


def test_a_removed_label_is_verified_absent_where_the_unlisted_are_unknown():
    stated = {"x": {"a": 1}, "y": {}}
    log = [remove("x", "a"), remove("y", "b"), relabel("y", "c", "d")]
    found, _ = apply(stated, log, unlisted_is_absent=False)
    assert found == {"x": {"a": 0}, "y": {"b": 0, "c": 0, "d": 1}}


def test_merged_labels_leave_the_vocabulary_and_chains_are_followed():
    stated = {"x": {"a": 1}, "y": {"b": 0.5, "c": 0.25}, "z": {"d": 1}}
    table, notes = corrections.apply(
        table_of(stated), [merge("a", "b"), merge("b", "new"), merge("c", "new")]
    )
    assert table.vocabulary.ids == ("d", "new")
    assert stated_of(table) == {"x": {"new": 1}, "y": {"new": 0.5}, "z": {"d": 1}}
    assert notes == [
        "corrections applied: 3 merge",
        f"corrections made 1 new labels (first, {TIME},ada,merge,,b,new)",
    ]


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [(1, 0, 1), (0, 0, 0), (0.25, 0.5, 0.5), (0, None, None), (0.25, None, 0.25)],
)
def test_of_merged_labels_one_present_is_enough_and_all_must_be_absent(
    first, second, merged
):
    stated = {"x": {"a": first}} if second is None else {"x": {"a": first, "b": second}}
    found, _ = apply(stated, [merge("a", "b")], unlisted_is_absent=False)
    assert found == {"x": {} if merged is None else {"b": merged}}
    # and so it is on an image that an edit names
    found, _ = apply(stated, [add("x", "d"), merge("a", "b")], unlisted_is_absent=False)
    assert found == {"x": {"d": 1} | ({} if merged is None else {"b": merged})}


def test_of_two_verdicts_the_last_counts():
    log = [add("x", "b"), remove("x", "b"), remove("x", "a"), add("x", "a")]
    found, notes = apply({"x": {"a": 1}}, log)
    assert found == {"x": {"a": 1}}
    assert notes == ["corrections applied: 2 remove, 2 add"]


def test_order_counts_between_an_edit_and_a_merge():
    assert apply({"x": {"a": 1}}, [remove("x", "b"), merge("a", "b")])[0] == {
        "x": {"b": 1}
    }
    assert apply({"x": {"a": 1}}, [merge("a", "b"), remove("x", "b")])[0] == {"x": {}}


def test_what_has_no_effect_is_counted_and_the_first_is_named(tmp_path):
    path = tmp_path / "log.csv"
    log = [
        add("x", "a"), remove("x", "b"), add("nobody", "a"), add("none", "b"),
        exclude("y"), add("y", "b"), exclude("y"), remove("x", "typo"),
        merge("typo", "a"), merge("c", "d"), merge("c", "d"), relabel("x", "b", "new"),
    ]  # fmt: skip
    corrections.append(path, log)
    table = table_of({"x": {"a": 1}, "y": {"a": 1}})
    _, notes = corrections.apply(table, corrections.read(path))
    assert notes == [
        "corrections applied: 1 relabel, 1 merge, 1 exclude",
        "3 corrections state what was so already, without effect (first, row 2: "
        f"{TIME},ada,add,x,a,)",
        "2 corrections name an image that is not in the data, without effect (first, "
        f"row 4: {TIME},ada,add,nobody,a,)",
        "2 corrections name an image that was excluded before, without effect (first, "
        f"row 7: {TIME},ada,add,y,b,)",
        "1 corrections merge a label that the data lack, without effect (first, "
        f"row 10: {TIME},ada,merge,,typo,a)",
        "1 corrections repeat a merge, without effect (first, "
        f"row 12: {TIME},ada,merge,,c,d)",
        "1 corrections gave a new label though the old one was not on the image "
        f"(first, row 13: {TIME},ada,relabel,x,b,new)",
        f"corrections made 1 new labels (first, row 13: {TIME},ada,relabel,x,b,new)",
    ]


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ([add("x", "typo")], "the label of 'add' is not known"),
        ([relabel("x", "typo", "a")], "the label of 'relabel' is not known"),
        ([merge("a", "b"), merge("b", "a")], "was merged away before"),
        ([merge("a", "b"), merge("a", "c")], "was merged away before"),
        ([merge("a", "b"), add("x", "a")], r"merged away .*Expected: 'b' in its place"),
        ([merge("a", "b"), relabel("x", "c", "a")], "was merged away"),
        ([merge("typo", "slip")], "neither label of a merge is known"),
        ([exclude("x"), exclude("y")], "leaves no image of split 'train'"),
    ],
)
def test_a_log_that_cannot_hold_is_refused_with_its_row(tmp_path, log, said):
    path = tmp_path / "log.csv"
    corrections.append(path, log)
    table = table_of({"x": {"a": 1}, "y": {}, "z": {}}, split=[0, 0, 1])
    with pytest.raises(errors.DataError, match=said) as caught:
        corrections.apply(table, corrections.read(path))
    assert "log.csv" in str(caught.value)
    if "split" not in said:
        assert f"row {len(log) + 1}: " in str(caught.value)


def test_a_label_that_the_log_made_can_be_added():
    found, _ = apply({"x": {"a": 1}, "y": {}}, [relabel("x", "a", "n"), add("y", "n")])
    assert found == {"x": {"n": 1}, "y": {"n": 1}}


def test_for_a_model_the_table_comes_to_exactly_its_vocabulary():
    log = [merge("a", "b"), relabel("x", "c", "new"), merge("d", "new")]
    raw = {"x": {"a": 1, "c": 1}, "y": {"d": 1, "b": 1}, "z": {"c": 1}}
    trained, _ = corrections.apply(table_of(raw), log)
    wanted = corrections.before(trained.vocabulary, log)
    assert set(wanted.ids) == {"a", "b", "c", "d", "new"}
    again, _ = corrections.apply(
        table_of(raw, vocabulary=wanted.ids), log, trained.vocabulary
    )
    assert again.vocabulary is trained.vocabulary
    assert stated_of(again) == stated_of(trained)
    np.testing.assert_array_equal(again.labels.index, trained.labels.index)


def test_a_label_that_the_model_does_not_know_is_refused(tmp_path):
    path = tmp_path / "log.csv"
    corrections.append(path, [relabel("x", "a", "later")])
    vocabulary = labels.Vocabulary(LABELS)
    with pytest.raises(
        errors.DataError, match=r"row 2: the model does not know.*later"
    ):
        corrections.apply(table_of({"x": {"a": 1}}), corrections.read(path), vocabulary)
    with pytest.raises(errors.DataError, match=r"the model does not know.*Received: a"):
        corrections.apply(table_of({"x": {"a": 1}}), [], labels.Vocabulary(("b",)))


def test_a_label_that_a_relabel_made_is_merged_like_any_other():
    stated = {"i0": {"a": 1}, "i1": {"b": 0}, "i2": {"a": 1}}
    log = [relabel("i0", "a", "new"), merge("new", "b")]
    found, notes = apply(stated, log, unlisted_is_absent=False)
    # of i1 nobody ever said whether it shows what "new" stands for
    assert found == {"i0": {"a": 0, "b": 1}, "i1": {}, "i2": {"a": 1}}
    assert notes == ["corrections applied: 1 relabel, 1 merge"]


# --- against a dictionary of dictionaries ---


class Oracle:
    """Applies one row at a time to {id: {label: confidence}}."""

    def __init__(self, stated, vocabulary, absent):
        self.stated = {name: dict(row) for name, row in stated.items()}
        self.vocabulary, self.absent = list(vocabulary), absent

    def apply(self, log):
        for one in log:
            getattr(self, one.action)(one)
        return {
            name: {
                label: float(np.float32(value)) for label, value in row.items()
                if value or not self.absent
            }
            for name, row in self.stated.items()
        }  # fmt: skip

    def remove(self, one):
        if one.id in self.stated and one.label in self.vocabulary:
            self.stated[one.id][one.label] = 0

    def add(self, one):
        if one.id in self.stated:
            self.stated[one.id][one.label] = 1

    def relabel(self, one):
        self.remove(one)
        if one.new_label not in self.vocabulary:
            self.vocabulary.append(one.new_label)
        if one.id in self.stated:
            self.stated[one.id][one.new_label] = 1

    def exclude(self, one):
        self.stated.pop(one.id, None)

    def merge(self, one):
        known = [one.label, one.new_label]
        known = [label for label in known if label in self.vocabulary]
        for row in self.stated.values():
            values = {
                label: row.pop(label, 0 if self.absent else None)
                for label in (one.label, one.new_label)
            }
            some = [value for value in values.values() if value]
            if some:
                row[one.new_label] = max(some)
            elif known and all(values[label] == 0 for label in known):
                row[one.new_label] = 0
        if one.label in self.vocabulary:
            self.vocabulary.remove(one.label)
            if one.new_label not in self.vocabulary:
                self.vocabulary.append(one.new_label)


IMAGES = st.sampled_from(["i0", "i1", "i2", "i3", "gone"])
KNOWN = st.sampled_from(LABELS)
MADE = st.sampled_from([*LABELS, "n", "m"])
ROWS = st.one_of(
    st.builds(remove, IMAGES, KNOWN),
    st.builds(add, IMAGES, KNOWN),
    st.tuples(IMAGES, KNOWN, MADE)
    .filter(lambda row: row[1] != row[2])
    .map(lambda row: relabel(*row)),
    st.tuples(MADE, MADE)
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: merge(*pair)),
    st.builds(exclude, st.sampled_from(["i0", "gone"])),
)
LOGS = st.lists(ROWS, max_size=8)
STATED = st.fixed_dictionaries(
    {
        f"i{row}": st.dictionaries(KNOWN, st.sampled_from([0, 0.25, 1]))
        for row in range(5)
    }
)


def applied(table, log):
    """Applies a log, or gives up the example where its labels are in conflict."""
    try:
        return corrections.apply(table, log)[0]
    except errors.DataError:
        assume(False)


@settings(max_examples=150, deadline=None)
@given(STATED, LOGS, st.booleans())
def test_a_log_does_what_one_row_after_another_does(stated, log, absent):
    table = applied(table_of(stated, unlisted_is_absent=absent), log)
    oracle = Oracle(stated, LABELS, absent)
    assert stated_of(table) == oracle.apply(log)
    assert sorted(table.vocabulary.ids) == sorted(oracle.vocabulary)


@settings(max_examples=100, deadline=None)
@given(STATED, LOGS, LOGS, st.booleans())
def test_two_logs_in_one_do_what_one_after_the_other_does(
    stated, first, second, absent
):
    table = table_of(stated, unlisted_is_absent=absent)
    together = applied(table, first + second)
    apart = applied(applied(table, first), second)
    assert stated_of(apart) == stated_of(together)
    assert apart.vocabulary == together.vocabulary
    np.testing.assert_array_equal(apart.labels.index, together.labels.index)
    np.testing.assert_array_equal(apart.labels.offsets, together.labels.offsets)


@settings(max_examples=100, deadline=None)
@given(STATED, LOGS, st.booleans())
def test_a_log_whose_merges_stand_first_changes_nothing_the_second_time(
    stated, log, absent
):
    log = sorted(log, key=lambda one: one.action != "merge")
    once = applied(table_of(stated, unlisted_is_absent=absent), log)
    twice, _ = corrections.apply(once, log)
    assert stated_of(twice) == stated_of(once)
    assert twice.vocabulary == once.vocabulary


@settings(max_examples=100, deadline=None)
@given(STATED, LOGS, st.booleans())
def test_every_row_of_a_log_is_counted_once(stated, log, absent):
    try:
        _, notes = corrections.apply(table_of(stated, unlisted_is_absent=absent), log)
    except errors.DataError:
        assume(False)
    counted = 0
    for note in notes:
        if note.startswith("corrections applied: ") and "none" not in note:
            counted += sum(int(part.split()[0]) for part in note[21:].split(", "))
        elif ", without effect (" in note:
            counted += int(note.split()[0])
    assert counted == len(log)


# --- the file ---


def test_a_log_is_appended_to_and_read_back(tmp_path):
    path = tmp_path / "new" / "log.csv"
    first, second = [add("x", "a,b"), exclude('"y"')], [merge("née", "NA")]
    corrections.append(path, first)
    corrections.append(path, second)
    assert corrections.read(path) == first + second
    assert [one.row for one in corrections.read(path)] == [2, 3, 4]
    assert path.read_text().count("time,who") == 1


_APPEND_MANY = """
import pathlib, sys, time
from data_pipelines import corrections
path, who = pathlib.Path(sys.argv[1]), sys.argv[2]
path.with_name(who).touch()
while not all(path.with_name(name).exists() for name in ("ada", "bob")):
    time.sleep(0.001)
for number in range(50):
    corrections.append(path, [
        corrections.Correction("2026-03-01", who, "add", str(number), label * 3000)
        for label in "ab"
    ])
"""


def test_two_processes_append_without_mixing_their_rows(tmp_path, root):
    path = tmp_path / "log.csv"
    both = [
        subprocess.Popen([sys.executable, "-c", _APPEND_MANY, str(path), who], cwd=root)
        for who in ("ada", "bob")
    ]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    log = corrections.read(path)
    for who in ("ada", "bob"):
        its = [(one.id, one.label[0]) for one in log if one.who == who]
        assert its == [(f"{number}", label) for number in range(50) for label in "ab"]
    pairs = [(one.who, one.id) for one in log]
    assert pairs[::2] == pairs[1::2]


def test_a_last_line_that_was_cut_off_is_refused(tmp_path):
    path = tmp_path / "log.csv"
    corrections.append(path, [relabel("x", "a", "bear")])
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(
        errors.DataError, match=r"log\.csv, row 2: the last line has no"
    ):
        corrections.read(path)
    with pytest.raises(errors.DataError, match="the last line has no end"):
        corrections.append(path, [exclude("x")])
    assert path.read_bytes() == whole[:-3]


def test_rows_that_cannot_be_written_whole_leave_the_log_as_it_was(
    tmp_path, monkeypatch
):
    path = tmp_path / "log.csv"
    corrections.append(path, [exclude("x")])
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(errors.StoppedError, match=r"log\.csv: .* No space"):
        corrections.append(path, [exclude("y")])
    assert path.read_bytes() == before
    # nor is a log begun that could not be read
    new = tmp_path / "new.csv"
    with pytest.raises(errors.StoppedError, match=r"new\.csv: .* No space"):
        corrections.append(new, [exclude("y")])
    assert corrections.read(new) == []


@pytest.mark.parametrize("data", [b"path,labels\na.png,cat\n", b"\xef\xbb\xbf"])
def test_a_file_that_is_no_log_is_not_appended_to(tmp_path, data):
    path = tmp_path / "labels.csv"
    path.write_bytes(data)
    with pytest.raises(errors.DataError, match="no log of corrections"):
        corrections.append(path, [exclude("x")])
    assert path.read_bytes() == data


HEADER = "time,who,action,id,label,new_label\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n", "the file is empty"),
        ("time,who,action,id,label\n", "row 1: the columns are others"),
        (f"{TIME},ada,exclude,x,,\n", "row 1: the columns are others"),
        (HEADER + f"{TIME},ada,drop,x,,\n", "row 2: there is no such action"),
        (HEADER + f"{TIME},ada,remove,x,,\n", "row 2: the label of 'remove' is empty"),
        (HEADER + f"{TIME},ada,remove,,a,\n", "row 2: the id of 'remove' is empty"),
        (HEADER + f"{TIME},,remove,x,a,\n", "row 2: the who of 'remove' is empty"),
        (HEADER + f"{TIME},ada,merge,x,a,b\n", "the id of 'merge' must be empty"),
        (HEADER + f"{TIME},ada,exclude,x,a,\n", "the label of 'exclude' must be empty"),
        (HEADER + f"{TIME},ada,add,x,a,b\n", "the new_label of 'add' must be empty"),
        (HEADER + f"{TIME},ada,relabel,x,a,a\n", "a label would become itself"),
        (HEADER + "1.3.2026,ada,exclude,x,,\n", "row 2: the time cannot be read"),
        (HEADER + f"{TIME},ada,exclude,x,\n", "row 2: a row has another number"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(tmp_path, text, said):
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(errors.DataError) as caught:
        corrections.read(path)
    assert said in str(caught.value)
    assert "log.csv" in str(caught.value)


def test_a_mark_and_windows_line_ends_do_no_harm(tmp_path):
    path = tmp_path / "log.csv"
    text = (HEADER + f"{TIME}Z,ada,exclude,x,,\n").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    corrections.append(path, [exclude("y")])
    assert [one.id for one in corrections.read(path)] == ["x", "y"]


def test_a_long_log_on_a_large_table_takes_seconds():
    generator = np.random.default_rng(0)
    images, edits = 100_000, 20_000
    offsets = np.arange(images + 1) * 4
    index = np.sort(generator.integers(0, 5000, (images, 4)) * 4 + np.arange(4), axis=1)
    table = table_of({"x": {}}, vocabulary=[f"l{one}" for one in range(20_000)])
    table = labels.LabelTable(
        ids=np.array([f"i{one}" for one in range(images)]),
        locations=np.array([f"/i{one}" for one in range(images)]),
        labels=labels.SparseLabels(
            offsets, index.ravel().astype(np.int32),
            np.ones(index.size, np.float32), 20_000,
        ),
        vocabulary=table.vocabulary,
        group=np.zeros(images, np.int32), group_names=("g",),
        split=np.zeros(images, np.int32), split_names=("train",),
    )  # fmt: skip
    log = [
        add(f"i{image}", f"l{label}")
        for image, label in zip(generator.integers(0, images, edits).tolist(),
                                generator.integers(100, 20_000, edits).tolist(),
                                strict=True)
    ]  # fmt: skip
    log[5000:5000] = [merge(f"l{one}", f"l{one + 100}") for one in range(20)]
    start = time.process_time()
    found, _ = corrections.apply(table, log)
    assert time.process_time() - start < 20
    assert len(found.vocabulary) == 20_000 - 20
