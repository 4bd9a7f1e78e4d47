"""Columns made of others, or a message that says which rule or row is at fault."""

import numpy as np
import pandas as pd
import pytest

from data_pipelines import errors
from data_pipelines.sources import table

ROWS = "file,country,income\na.jpg,South Africa,195\nb.jpg,Japan,195.5\nc.jpg,Japan,\n"


def write(tmp_path, text, name="labels.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def read(path, **settings):
    return table.read_with_notes(
        table.TableConfig(
            table=str(path),
            **{
                "path_column": "file",
                "label_columns": ("country",),
                "group_column": "",
                "split_column": "",
                **settings,
            },
        )
    )[0]


def test_a_region_is_looked_up_and_a_path_is_composed_of_it(tmp_path):
    regions = write(tmp_path, "c,r\nJapan,EastAsia\nSouth Africa,Africa\n", "r.csv")
    found = read(
        write(tmp_path, ROWS),
        lookup_columns=(f"region=country:{regions}",),
        compose_columns=("place={region}/{country:_}/{file}",),
        path_column="place",
        group_column="region",
    )
    assert found.ids[0] == "Africa/South_Africa/a.jpg"
    assert found.group_counts() == {"Africa": 1, "EastAsia": 2}


def test_bands_close_at_their_upper_edge_and_sort_by_number(tmp_path):
    found = read(
        write(tmp_path, ROWS),
        band_columns=("wealth=income:100|195|1963",),
        group_column="wealth",
    )
    names = np.array(found.group_names)[found.group]
    assert names.tolist() == ["2: above 100 up to 195", "3: above 195 up to 1963",
                              "unknown"]  # fmt: skip


def test_parts_are_by_the_value_alone_and_about_equally_large(tmp_path):
    scenes = [f"scene{number}" for number in range(900) for _ in range(2)]
    rows = "".join(f"{i}.jpg,x,{scene}\n" for i, scene in enumerate(scenes))
    settings = {"part_columns": ("third=scene:3",), "extra_columns": ("third",)}
    table_file = write(tmp_path, f"file,country,scene\n{rows}")
    part = read(table_file, **settings).columns["third"]
    assert (part[::2] == part[1::2]).all()
    assert set(part) == {"0", "1", "2"}
    assert all(480 < (part == name).sum() < 720 for name in "012")
    fewer = write(tmp_path, "file,country,scene\na.jpg,x,scene7\n", "fewer.csv")
    assert read(fewer, **settings).columns["third"][0] == part[14]


def test_bands_are_those_of_pandas_cut(tmp_path):
    generator = np.random.default_rng(0)
    income = generator.integers(0, 40, 300) / 2
    lines = [f"{number}.jpg,x,{value}" for number, value in enumerate(income)]
    found = read(
        write(tmp_path, "\n".join(["file,country,income", *lines]) + "\n"),
        band_columns=("wealth=income:3|7.5|12",), extra_columns=("wealth",),
    )  # fmt: skip
    expected = pd.cut(income, [-np.inf, 3, 7.5, 12, np.inf], labels=False) + 1
    assert [int(name[0]) for name in found.columns["wealth"]] == expected.tolist()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"band_columns": ("w=country:1|2",)}, "row 2: column 'country' holds what is"),
        ({"band_columns": ("w=pay:1|2",)}, "row 1: there is no column 'pay'"),
        ({"band_columns": ("country=income:1",)}, "row 1: there is a column 'country'"),
        ({"compose_columns": ("p={place}.jpg",)}, "no column 'place', which"),
    ],
)
def test_a_rule_that_the_table_cannot_follow_is_refused(tmp_path, settings, said):
    with pytest.raises(errors.DataError, match=rf"labels\.csv, {said}|{said}"):
        read(write(tmp_path, ROWS), **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"band_columns": ("w=income",)},
        {"band_columns": ("w=income:low|high",)},
        {"part_columns": ("w=income:1",)},
        {"part_columns": ("w=income:half",)},
        {"band_columns": ("w=income:2|1",)},
        {"band_columns": ("w=income:nan",)},
        {"lookup_columns": ("country:r.csv",)},
        {"compose_columns": ("path=file",)},
        {"compose_columns": ("{file}",)},
    ],
)
def test_a_rule_of_another_form_is_refused(tmp_path, settings):
    with pytest.raises(errors.SettingError, match="A rule for a derived column"):
        read(write(tmp_path, ROWS), **settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("c,r\nJapan,EastAsia\n", r"labels\.csv, row 2: the lookup does not know"),
        ("c,r\nJapan,x\nFrance,y\nJapan,z\n", r"r\.csv, row 4: a value stands twice"),
        ("c\nJapan\n", r"r\.csv, row 1: a file of a lookup has two columns"),
    ],
)
def test_a_lookup_that_does_not_answer_is_refused(tmp_path, text, said):
    regions = write(tmp_path, text, "r.csv")
    with pytest.raises(errors.DataError, match=said):
        read(write(tmp_path, ROWS), lookup_columns=(f"region=country:{regions}",))


def test_a_composed_path_may_not_leave_the_folder_either(tmp_path):
    path = write(tmp_path, "file,country\na.jpg,..\n")
    with pytest.raises(errors.DataError, match=r"row 2: a path leaves.*\.\./a\.jpg"):
        read(path, compose_columns=("place={country}/{file}",), path_column="place")


def test_names_of_ten_bands_and_more_sort_as_the_bands_do(tmp_path):
    rows = "".join(f"{row}.jpg,x,{10 * row + 5}\n" for row in range(12))
    edges = "|".join(str(10 * edge) for edge in range(1, 11))
    found = read(
        write(tmp_path, "file,country,income\n" + rows),
        band_columns=(f"wealth=income:{edges}",),
        group_column="wealth",
    )
    assert found.group.tolist() == [*range(11), 10]
    assert found.group_names[:2] == ("01: up to 10", "02: above 10 up to 20")


def test_bands_are_named_by_their_exact_edges(tmp_path):
    found = read(
        write(tmp_path, "file,country,income\na.jpg,x,1000001\n"),
        band_columns=("wealth=income:1000000|1000002|0.5e8",),
        group_column="wealth",
    )
    assert found.group_names == ("2: above 1000000 up to 1000002",)
