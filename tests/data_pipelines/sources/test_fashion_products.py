"""Fashion Product Images: bare commas, even and odd years, top types and the rest."""

import collections
import tarfile
import tracemalloc

import numpy as np
import pytest

from data_pipelines import errors, labels
from data_pipelines.sources import fashion_products, styles_csv

HEADER = ",".join(styles_csv.COLUMNS)


def row(number, kind="Shirts", year="2012", name="Plain", gender="Men", sub="Topwear",
        usage="NA", season="Fall"):  # fmt: skip
    return f"{number},{gender},Apparel,{sub},{kind},Blue,{season},{year},{usage},{name}"


def write(folder, *rows, header=HEADER, ends="\n", mark=""):
    path = folder / "styles.csv"
    path.write_bytes((mark + ends.join([header, *rows, ""])).encode())
    return folder


def read(folder, vocabulary=None, **settings):
    config = fashion_products.FashionProductsConfig(data_dir=str(folder), **settings)
    return fashion_products.read_with_notes(config, vocabulary)


def test_a_product_name_with_bare_commas_is_rejoined_and_counted(tmp_path):
    rows = [row(1), row(2, name="Red, Blue"), row(3, name="A, B,C"),
            row(4, name='"Quoted, too"'), row(5, name='3.5" wide')]  # fmt: skip
    found, notes = read(write(tmp_path, *rows))
    assert found.text.tolist() == ["Plain", "Red, Blue", "A, B,C", "Quoted, too",
                                   '3.5" wide']  # fmt: skip
    assert notes == ["2 rows with bare commas in productDisplayName had them put back "
                     "into the name"]  # fmt: skip
    found, notes = read(tmp_path, malformed="skip")
    assert found.ids.tolist() == ["1", "4", "5"]
    assert notes == ["2 rows with bare commas in productDisplayName were left out"]


def test_one_long_name_costs_its_own_length_and_not_that_of_every_row(tmp_path):
    rows = [row(number) for number in range(1, 20_001)]
    rows[7] = row(8, name="long " * 20_000, season="wide " * 2_000)
    write(tmp_path, *rows)
    tracemalloc.start()
    found, _ = read(tmp_path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # as wide in every row as in the longest, the name alone would take 8 GB
    assert most < 200e6
    assert [len(name) for name in found.text[6:9]] == [5, 100_000, 5]
    assert len(found.columns["season"][7]) == 10_000


def test_even_years_train_and_odd_or_missing_ones_test(tmp_path):
    years = ["2012", "2011", "", "2016", "2019"]
    rows = [row(number, year=year) for number, year in enumerate(years)]
    found, notes = read(write(tmp_path, *rows))
    names = np.array(found.split_names)[found.split]
    assert names.tolist() == ["train", "test", "test", "train", "test"]
    assert notes == ["1 rows without a year are in split test"]
    assert found.locations[1] == str(tmp_path.resolve() / "images" / "1.jpg")
    assert found.columns["year"].tolist() == years


def test_test_rows_of_types_never_trained_on_are_dropped_kept_or_refused(tmp_path):
    rows = [row(1), row(2, year="2011"), row(3, "Ties", "2011"), row(4, "Caps", "2011")]
    found, notes = read(write(tmp_path, *rows))
    assert found.ids.tolist() == ["1", "2"]
    assert notes == ["2 rows (2 of test) were left out: training shows none of their 2 "
                     "types"]  # fmt: skip
    found, notes = read(tmp_path, unseen_labels="keep")
    assert found.vocabulary.ids == ("Shirts", "Caps", "Ties")
    assert notes == []
    with pytest.raises(
        errors.DataError, match=r"styles\.csv, row 4: 2 label\(s\) never"
    ):
        read(tmp_path, unseen_labels="error")


def test_the_levels_above_a_type_are_labels_of_other_ids(tmp_path):
    rows = [row(1, "Accessories"), row(2, "Shirts", sub="Accessories")]
    found, _ = read(write(tmp_path, *rows), levels=("masterCategory", "subCategory"))
    assert found.vocabulary.ids == (
        "Accessories", "Shirts", "masterCategory:Apparel", "subCategory:Accessories",
        "subCategory:Topwear",
    )  # fmt: skip
    assert found.vocabulary.names[2:] == ("Apparel", "Accessories", "Topwear")
    assert found.labels.multi_hot().astype(int).tolist() == [
        [1, 0, 1, 0, 1], [0, 1, 1, 1, 0],
    ]  # fmt: skip


def test_groups_are_of_any_column_and_an_empty_field_is_unknown(tmp_path):
    rows = [row(1), row(2, gender="Women", season="")]
    folder = write(tmp_path, *rows)
    assert read(folder)[0].group_counts() == {"Men": 1, "Women": 1}
    assert read(folder, group_column="season")[0].group_counts() == {
        "Fall": 1, "unknown": 1,
    }  # fmt: skip
    assert read(folder, group_column="usage")[0].group_names == ("NA",)
    assert read(folder, group_column="")[0].group_names == ("all",)


def test_top_types_are_those_of_most_training_rows_and_the_rest_the_others(tmp_path):
    counts = {f"type{number:02}": 30 - number for number in range(25)}
    rows = [row(f"{number:02}{copy:02}", kind)
            for number, (kind, count) in enumerate(counts.items())
            for copy in range(count)]  # fmt: skip
    rows += [row(f"9{number:03}", "type24", "2011") for number in range(99)]
    folder = write(tmp_path, *rows)
    top, _ = read(folder, types="top20")
    rest, _ = read(folder, types="rest")
    both, _ = read(folder)
    assert top.vocabulary.ids == tuple(list(counts)[:20])
    assert rest.vocabulary.ids == tuple(list(counts)[20:])
    assert sorted([*top.ids, *rest.ids]) == sorted(both.ids)


def test_a_model_drops_or_refuses_rows_of_types_it_does_not_know(tmp_path):
    folder = write(tmp_path, row(1), row(2, "Ties"), row(3, "Shirts", "2011"))
    known = labels.Vocabulary(["Shirts", "Caps"])
    found, notes = read(folder, known)
    assert found.ids.tolist() == ["1", "3"]
    assert found.vocabulary is known
    assert "1 rows (1 of train) were left out" in notes[0]
    with pytest.raises(
        errors.DataError, match="row 3: the model does not know a label"
    ):
        read(folder, known, unseen_labels="keep")


def test_held_out_rows_are_found_again_whichever_images_are_there(tmp_path):
    folder = write(
        tmp_path, *(row(number, f"type{number % 3}") for number in range(90))
    )
    (tmp_path / "images").mkdir()
    for number in range(60):
        (tmp_path / "images" / f"{number}.jpg").write_bytes(b"x")
    found, _ = read(folder, validation_fraction=0.2)
    assert found.split_counts() == {"train": 72, "validation": 18}
    fewer, notes = read(
        folder, found.vocabulary, validation_fraction=0.2, missing_images="drop"
    )
    assert notes == ["30 rows whose image file is absent were left out"]
    for name in found.split_names:
        there = set(found.select_split(name).ids.tolist()) & set(fewer.ids.tolist())
        assert set(fewer.select_split(name).ids.tolist()) == there


def test_without_any_image_there_is_nothing_to_use(tmp_path):
    with pytest.raises(errors.DataError, match=r"no row is left.*image file is absent"):
        read(write(tmp_path, row(1)), missing_images="drop")


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    found, _ = read(write(tmp_path, row(1), row(2), ends="\r\n", mark="\ufeff"))
    assert found.text.tolist() == ["Plain", "Plain"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row(1), "2,Men,Apparel"], "row 3: a row has fewer fields.*Received: 3"),
        ([row(1), row("../1")], "row 3: an id is no number"),
        ([row(1), row("a/1")], "row 3: an id is no number"),
        ([row(1), row("١")], "row 3: an id is no number"),
        ([row(1), row(2, " ")], "row 3: the article type is empty"),
        ([row(1), row(2, year="late")], "row 3: the year is no number.*late"),
        ([row(1), row(2), row(1)], r"row 4: an id stands twice \(first in row 2\)"),
        ([row(1), row(2, name='"open')], "row 3: the file is no CSV"),
        ([row(1, year="2011")], "no row is in split 'train'"),
        ([], "a header but no rows"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, rows, said):
    with pytest.raises(errors.DataError, match=said) as caught:
        read(write(tmp_path, *rows))
    assert "styles.csv" in str(caught.value)


def test_another_header_or_none_is_refused(tmp_path):
    with pytest.raises(errors.DataError, match=r"row 1: this is not the header"):
        read(write(tmp_path, row(2), header=row(1)))
    (tmp_path / "styles.csv").write_text("")
    with pytest.raises(errors.DataError, match=r"row 1: .*an empty file"):
        read(tmp_path)
    (tmp_path / "styles.csv").unlink()
    with pytest.raises(errors.DataError, match="there is no such file"):
        read(tmp_path)


@pytest.mark.parametrize(
    "settings",
    [{"types": "top5"}, {"levels": ("brand",)}, {"group_column": "region"}],
)
def test_a_setting_that_cannot_be_is_refused(tmp_path, settings):
    with pytest.raises(errors.SettingError, match="Expected"):
        read(write(tmp_path, row(1)), **settings)


@pytest.fixture(scope="module")
def published(real_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fashion")
    with tarfile.open(real_data / "fashion_products.tar") as archive:
        archive.extract("fashion_products/styles.csv", folder, filter="data")
        names = [name for name in archive.getnames() if name.endswith(".jpg")]
    images = folder / "fashion_products" / "images"
    images.mkdir()
    for name in names:
        (images / name.rpartition("/")[2]).touch()
    return folder / "fashion_products"


def test_the_real_file_has_the_published_counts(published):
    found, notes = read(published, unseen_labels="keep")
    assert found.split_counts() == {"train": 23_791, "test": 20_655}
    train = found.select_split("train").labels.counts()
    assert np.count_nonzero(train) == 108
    assert len(found.vocabulary) == 143
    assert notes == ["1 rows without a year are in split test"]
    top, _ = read(published, types="top20")
    rest, _ = read(published, types="rest")
    # the study counts 2 and 1 fewer: it left out the rows with bare commas
    assert top.split_counts()["train"] == 18_558
    assert rest.split_counts()["train"] == 5_233
    assert len(top.vocabulary) == 20
    assert len(rest.vocabulary) == 88
    assert top.select_split("train").labels.counts().max() == 2_749


def test_the_real_rows_with_an_image_are_those_of_the_folder(published):
    found, notes = read(published, missing_images="drop", unseen_labels="keep")
    assert len(found) == 12_000
    assert "32,446 rows whose image file is absent were left out" in notes
    dropped, _ = read(published, missing_images="drop")
    kinds = collections.Counter(dropped.columns["articleType"].tolist())
    assert set(kinds) <= set(dropped.vocabulary.ids)


def test_a_row_without_a_level_that_is_a_label_is_refused(tmp_path):
    write(tmp_path, row(1), row(2, sub=" "))
    assert len(read(tmp_path)[0]) == 2
    with pytest.raises(errors.DataError, match="row 3: the subCategory is empty"):
        read(tmp_path, levels=("subCategory",))
