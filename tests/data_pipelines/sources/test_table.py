"""A table becomes a label table, or a message that says what is wrong and where."""

import dataclasses
import tracemalloc

import numpy as np
import pytest

from data_pipelines import errors, label_files, labels
from data_pipelines.sources import splits, table


def read(path, **settings):
    return table.read_with_notes(table.TableConfig(table=str(path), **settings))[0]


def write(tmp_path, text, name="labels.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


GOOD = (
    "path,labels,group,split\na.png,cat|dog,x,train\nb.png,dog,y,train\nc.png,,x,test\n"
)


def test_a_table_is_read_with_labels_groups_and_splits(tmp_path):
    found = read(write(tmp_path, GOOD))
    assert found.vocabulary.ids == ("cat", "dog")
    assert found.labels.multi_hot().tolist() == [
        [True, True], [False, True], [False, False],
    ]  # fmt: skip
    assert found.split_names == ("train", "test")
    assert found.group_counts() == {"x": 2, "y": 1}
    assert found.locations[0] == str(tmp_path.resolve() / "a.png")


def test_the_word_na_is_a_label_like_any_other(tmp_path):
    path = write(tmp_path, "path,labels,group,split\na.png,NA,x,train\n")
    assert read(path).vocabulary.ids == ("NA",)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    path = write(tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read(path).labels.counts().tolist() == [1, 2]


def test_a_quoted_path_with_a_comma_is_one_field(tmp_path):
    path = write(tmp_path, 'path,labels,group,split\n"a, b.png",cat,x,train\n')
    assert read(path).ids.tolist() == ["a, b.png"]


def test_several_label_columns_are_joined(tmp_path):
    path = write(
        tmp_path, "path,kind,shape,group,split\na.png,stop,round|red,x,train\n"
    )
    found = read(path, label_columns=("kind", "shape"))
    assert set(found.vocabulary.ids) == {"stop", "round", "red"}


def test_a_label_of_two_display_names_is_refused(tmp_path):
    write(tmp_path, "label,name\ncat,Cat\ndog,Dog\ncat,Cat\ncat,Kitten\n", "names.csv")
    config = table.TableConfig(
        table=str(write(tmp_path, GOOD)), names=str(tmp_path / "names.csv")
    )
    with pytest.raises(errors.DataError, match=r"names\.csv, row 5: .*named twice"):
        table.read_with_notes(config)


def test_display_names_come_from_a_file_and_are_no_keys(tmp_path):
    write(tmp_path, "label,name\ncat,Trunk\ndog,Trunk\n", "names.csv")
    found = read(write(tmp_path, GOOD), names=str(tmp_path / "names.csv"))
    assert found.vocabulary.names == ("Trunk", "Trunk")
    assert found.vocabulary.ids == ("cat", "dog")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the table is empty"),
        ("path,labels,group,split\n", "a header but no rows"),
        ("path,tags,group,split\na.png,cat,x,train\n", "no column 'labels'"),
        ("path,labels,split\na.png,cat,train\n", "--group_column=group asks for"),
        (GOOD + "a.png,cat,x,train\n", "row 5: a path stands twice (first in row 2)"),
        (GOOD + "./a.png,cat,x,train\n", "row 5: a path stands twice (first in row 2)"),
        (GOOD + "../a.png,cat,x,train\n", "row 5: a path leaves the image folder"),
        (GOOD + "x/../../a.png,cat,x,train\n", "row 5: a path leaves the image folder"),
        (GOOD + "/etc/passwd,cat,x,train\n", "row 5: a path leaves the image folder"),
        (GOOD + ",cat,x,train\n", "row 5: the path of an image is empty"),
        (GOOD + "d.png,cat||dog,x,train\n", "row 5: a label is empty"),
        (GOOD + "d.png,bird,x,test\n", "row 5: 1 label(s) never seen in split 'train'"),
        (GOOD + "d.png,cat,x,\n", "row 5: the split is empty"),
        (
            GOOD + "d.png,cat,x,train,more\n",
            "row 5: a row has another number of fields",
        ),
        (GOOD.replace("split", "group", 1), "two columns have the same name"),
        (GOOD + '"d.png,cat,x,train\n', "row 5: the file is no CSV"),
        (GOOD + "d.png,cat\n", "row 5: a row has another number of fields"),
        (GOOD + "\n\nd.png,cat,x,train\n", "row 5: a row has another number of fields"),
        (b"path,labels,group,split\n\xff\xfe.png,cat,x,train\n", "not UTF-8"),
        ("path,labels,group,split\na.png,cat,x,test\n", "no row is in split 'train'"),
        ("path,labels,group,split\na.png,,x,train\n", "no row has a label"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, said):
    path = write(tmp_path, text)
    with pytest.raises(errors.DataError) as caught:
        read(path)
    assert said in str(caught.value)
    assert "labels.csv" in str(caught.value)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(errors.DataError, match=r"absent\.csv: there is no such file"):
        read(tmp_path / "absent.csv")


def test_labels_never_trained_on_may_be_kept_and_stand_last(tmp_path):
    path = write(tmp_path, GOOD + "d.png,bird,x,test\n")
    found = read(path, unseen_labels="keep")
    assert found.vocabulary.ids == ("cat", "dog", "bird")
    assert found.select_split("train").labels.counts().tolist() == [1, 2, 0]


def test_rows_without_a_label_are_dropped_and_counted(tmp_path):
    config = table.TableConfig(table=str(write(tmp_path, GOOD)), unlabelled="drop")
    found, notes = table.read_with_notes(config)
    assert len(found) == 2
    assert notes == ["1 rows without a label were left out"]


def test_a_model_refuses_labels_that_it_does_not_know(tmp_path):
    config = table.TableConfig(table=str(write(tmp_path, GOOD)))
    with pytest.raises(
        errors.DataError, match="row 2: the model does not know a label"
    ):
        table.read_with_notes(config, labels.Vocabulary(["dog"]))
    found, _ = table.read_with_notes(config, labels.Vocabulary(["dog", "ox", "cat"]))
    assert found.labels.counts().tolist() == [2, 0, 1]


def test_data_for_a_model_need_no_training_split_whatever_the_run_held_out(tmp_path):
    config = table.TableConfig(
        table=str(write(tmp_path, GOOD)), splits=("new:split=train",),
        validation_fraction=0.15,
    )  # fmt: skip
    found, _ = table.read_with_notes(config, labels.Vocabulary(["cat", "dog"]))
    assert found.split_counts() == {"new": 2}


def test_a_model_finds_the_rows_again_that_its_training_held_out(tmp_path):
    config = table.TableConfig(
        table=str(write(tmp_path, SIGNS)), splits=("train:country=de|be",),
        cluster_column="scene", validation_fraction=0.4,
    )  # fmt: skip
    first, _ = table.read_with_notes(config)
    again, _ = table.read_with_notes(config, first.vocabulary)
    assert "validation" in first.split_names
    assert again.split_counts() == first.split_counts()
    assert again.ids.tolist() == first.ids.tolist()


def test_a_split_without_rows_is_refused_by_name(tmp_path):
    found = read(write(tmp_path, GOOD))
    with pytest.raises(errors.DataError, match="no such split"):
        found.select_split("stage_9")
    empty = dataclasses.replace(found, split=np.zeros(3, np.int32))
    with pytest.raises(errors.DataError, match=r"a split has no rows.*test"):
        empty.select_split("test")


SIGNS = """path,labels,group,split,country,scene
1.png,stop,x,a,de,s1
2.png,stop,x,a,de,s1
3.png,stop,x,a,be,s2
4.png,stop,x,a,be,s3
5.png,stop,x,a,it,s4
6.png,stop,x,b,fr,s5
"""


def test_rules_make_splits_and_what_no_rule_takes_is_counted(tmp_path):
    config = table.TableConfig(
        table=str(write(tmp_path, SIGNS)),
        splits=("train:country=de|be", "italy:country=it&split=a"),
    )
    found, notes = table.read_with_notes(config)
    assert found.split_counts() == {"train": 4, "italy": 1}
    assert notes == ["1 rows are in no split and were left out"]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (("train:country=xx",), "split 'train' has no rows"),
        (("train:country=de", "other:split=a"), "row 2: a row is in two splits"),
        (("train:place=de",), "no column 'place'"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused(tmp_path, rules, said):
    with pytest.raises(errors.DataError, match=said):
        read(write(tmp_path, SIGNS), splits=rules)


def test_a_rule_of_another_form_is_refused():
    with pytest.raises(ValueError, match="A split rule cannot be read"):
        splits.parse_rule("train=country")


def test_a_cluster_never_stands_on_both_sides(tmp_path):
    path = write(tmp_path, SIGNS)
    rules = ("train:country=de|be",)
    for seed in range(8):
        found = read(path, splits=rules, cluster_column="scene",
                     validation_fraction=0.4, seed=seed)  # fmt: skip
        sides = {
            name: set(found.select_split(name).cluster) for name in found.split_names
        }
        assert not sides["train"] & sides["validation"]
        assert found.cluster.tolist() == [0, 0, 1, 2]


def test_rows_without_a_cluster_are_not_taken_for_one(tmp_path):
    text = "path,labels,split,scene\na,x,,\nb,x,train,one\nc,x,train,\n"
    config = table.TableConfig(
        table=str(write(tmp_path, text)), group_column="", cluster_column="scene",
        splits=("train:split=train",), validation_fraction=0.1,
    )  # fmt: skip
    with pytest.raises(errors.DataError, match="row 4: the cluster is empty"):
        table.read_with_notes(config)


def test_a_cluster_on_both_sides_of_given_splits_is_refused(tmp_path):
    path = write(
        tmp_path, SIGNS.replace("6.png,stop,x,b,fr,s5", "6.png,stop,x,b,fr,s4")
    )
    path.write_text(path.read_text().replace(",a,", ",train,"))
    with pytest.raises(errors.DataError, match="row 7: cluster 's4' is in two splits"):
        read(path, cluster_column="scene")


def test_held_out_share_is_close_and_the_same_for_a_seed():
    clusters = np.array([f"scene{number // 3}" for number in range(3000)])
    out = splits.held_out(clusters, 0.2, seed=1)
    assert 0.2 <= out.mean() <= 0.202
    np.testing.assert_array_equal(out, splits.held_out(clusters, 0.2, seed=1))
    assert (out != splits.held_out(clusters, 0.2, seed=2)).any()


def test_folds_hold_every_row_out_once_and_keep_clusters_whole():
    clusters = np.array([f"scene{number // 3}" for number in range(3000)])
    folds = np.stack([splits.held_out(clusters, 0.2, 1, fold) for fold in range(5)])
    np.testing.assert_array_equal(folds.sum(axis=0), np.ones(3000))
    np.testing.assert_array_equal(folds[0], splits.held_out(clusters, 0.2, 1))
    assert (folds.reshape(5, 1000, 3).std(axis=2) == 0).all()
    assert (abs(folds.mean(axis=1) - 0.2) < 0.002).all()


def test_rows_without_a_file_are_left_out_before_the_vocabulary_is_made(tmp_path):
    path = write(tmp_path, GOOD + "d.png,bird,x,train\n")
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "c.png").write_bytes(b"x")
    config = table.TableConfig(table=str(path), missing_images="drop")
    found, notes = table.read_with_notes(config)
    assert found.ids.tolist() == ["a.png", "c.png"]
    assert found.vocabulary.ids == ("cat", "dog")
    assert notes == ["2 rows whose image file is absent were left out"]


def test_a_table_without_any_file_or_any_training_file_is_refused(tmp_path):
    path = write(tmp_path, GOOD)
    config = table.TableConfig(table=str(path), missing_images="drop")
    with pytest.raises(errors.DataError, match=r"no row is left.*3 rows whose image"):
        table.read_with_notes(config)
    (tmp_path / "c.png").write_bytes(b"x")
    with pytest.raises(errors.DataError, match="no row is in split 'train'"):
        table.read_with_notes(config)


def test_text_and_further_columns_are_carried_along(tmp_path):
    path = write(tmp_path, 'path,labels,about,size\na,x,"red, round",2\nb,x,,3\n')
    found = read(
        path, text_column="about", extra_columns=("size",), group_column="",
        split_column="",
    )  # fmt: skip
    assert found.text.tolist() == ["red, round", ""]
    assert found.columns["size"].tolist() == ["2", "3"]


def test_one_long_text_costs_its_own_length_and_not_that_of_every_row(tmp_path):
    """As wide in every row as in the longest, text and column would take 80 GB."""
    rows = [f"{row},x,{row % 7},{row % 5}" for row in range(100_000)]
    rows[70_000] = f"70000,x,{'long ' * 20_000},{'wide ' * 20_000}"
    path = write(tmp_path, "\n".join(["path,labels,about,size", *rows]))
    settings = {"text_column": "about", "extra_columns": ("size",),
                "group_column": "", "split_column": ""}  # fmt: skip
    tracemalloc.start()
    found = read(path, **settings).take(np.arange(100_000)[::-1])
    label_files.save(tmp_path / "stored", found)
    again = label_files.load(tmp_path / "stored")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 300e6
    for each in (found, again):
        assert len(each.text[29_999]) == len(each.columns["size"][29_999]) == 100_000
        assert each.text[30_000] == str(69_999 % 7)


def test_several_tables_are_their_own_splits(tmp_path):
    (tmp_path / "b").mkdir()
    first = write(tmp_path, "path,labels\na,x\nb,y\n", "train.csv")
    second = write(tmp_path / "b", "labels,path\nx,a\n", "test.csv")
    config = table.TableConfig(
        tables=(f"train:{first}", f"test:{second}"), group_column=""
    )
    found, _ = table.read_with_notes(config)
    assert found.split_counts() == {"train": 2, "test": 1}
    assert found.locations.tolist() == [
        str(tmp_path.resolve() / name) for name in ("a", "b", "b/a")
    ]
    # an id is unique, also where two folders use one path
    assert found.ids.tolist() == ["a", "b", "b/a"]
    same = dataclasses.replace(config, image_dir=str(tmp_path))
    with pytest.raises(
        errors.DataError, match=r"test\.csv, row 2: .*first in row 2 of"
    ):
        table.read_with_notes(same)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"unlisted": "maybe"}, "Unknown unlisted"),
        ({"missing_images": "skip"}, "Unknown missing_images"),
        ({"label_form": "json"}, "Unknown label_form"),
        ({"tables": ("train:a.csv",)}, "Several tables are their own splits"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(tmp_path, settings, said):
    with pytest.raises(errors.SettingError, match=said):
        read(write(tmp_path, GOOD), **settings)


def test_what_is_held_out_stays_what_it_was():
    # runs that were made before must find their validation rows again
    clusters = np.array([f"scene{number // 2}" for number in range(12)])
    assert splits.held_out(clusters, 0.4, 3).astype(int).tolist() == [
        1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0,
    ]  # fmt: skip
