"""The recipes of GeoDE and Dollar Street, run on tiny tables of their layout."""

import json
import os
import shutil
import subprocess
import sys

import pytest

_SCRIPT = """
import json, sys
from absl import flags
from flags import data_flags, experiment_flags
experiment_flags.define()
flags.FLAGS(sys.argv)
from data_pipelines import errors
from data_pipelines.sources import table
try:
    found, notes = table.read_with_notes(data_flags.config_from_flags())
except errors.DataError as error:
    print(json.dumps({"error": str(error)}))
else:
    print(json.dumps({
        "ids": found.ids.tolist(), "splits": found.split_counts(),
        "groups": found.group_counts(), "labels": found.vocabulary.ids,
        "columns": {key: value.tolist() for key, value in found.columns.items()},
        "there": [__import__("os").path.isfile(path) for path in found.locations],
        "present": found.labels.multi_hot().astype(int).tolist(), "notes": notes,
    }))
"""


@pytest.fixture
def run(root, tmp_path):
    """Returns a function that reads a recipe's table with `tmp_path` as the root."""
    shutil.copytree(root / "flags" / "recipes", tmp_path / "flags" / "recipes")

    def run(recipe, *arguments):
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT, f"--flagfile=flags/recipes/{recipe}.flags",
             *arguments],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
            env=os.environ | {"PYTHONPATH": str(root)},
        )  # fmt: skip
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)

    return run


def put(tmp_path, files):
    for path, text in files.items():
        target = tmp_path / "data" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


GEODE = """,file_name,script_name,ip_country
0,Italy_stove_1.jpg,stove,Italy
1,Italy_hand_soap_2.jpg,hand_soap,Italy
2,Brazil_stove_1.jpg,stove,Brazil
3,South_Africa_stove_1.jpg,stove,South Africa
4,Hong_Kong_hand_soap_9.jpg,hand_soap,Hong Kong
"""


def test_geode_trains_on_two_regions_and_finds_images_by_region_and_country(
    run, tmp_path
):
    put(tmp_path, {
        "geode/index.csv": GEODE,
        "geode/images/Africa/South_Africa/South_Africa_stove_1.jpg": "x",
        "geode/images/Europe/Italy/Italy_stove_1.jpg": "x",
    })  # fmt: skip
    found = run("geode", "--validation_fraction=0")
    assert found["ids"][3] == "Africa/South_Africa/South_Africa_stove_1.jpg"
    assert found["there"] == [True, False, False, True, False]
    assert found["splits"] == {"train": 3, "elsewhere": 2}
    assert found["groups"] == {"Africa": 1, "Americas": 1, "EastAsia": 1, "Europe": 2}
    assert found["labels"] == ["hand_soap", "stove"]
    assert found["columns"]["ip_country"][4] == "Hong Kong"
    assert found["notes"] == []


def test_geode_names_a_country_that_it_cannot_place(run, tmp_path):
    put(tmp_path, {"geode/index.csv": GEODE + "5,x.jpg,stove,Atlantis\n"})
    found = run("geode")
    assert (
        "row 7: the lookup does not know a value of column 'ip_country'"
        in (found["error"])
    )
    assert "Atlantis" in found["error"]


STREET = (
    "id,country.name,country.id,region.id,type,imageRelPath,topics,place,income,"
    "imagenet_synonyms,imagenet_sysnet_id\n"
)


def street(number, home, income, names, region="af"):
    return (
        f"{number},Malawi,mw,{region},image,assets/{number}/{number}.jpg,"
        f'"[\'stoves\']",{home},{income},"{names}",[827]\n'
    )


def test_dollar_street_has_bands_of_income_and_keeps_homes_together(run, tmp_path):
    train = STREET + "".join(
        street(number, f"home{number // 2}", 100 + 50 * number,
               "['stove', 'oven']" if number % 2 else "['stove']")
        for number in range(20)
    )  # fmt: skip
    test = STREET + street(30, "h30", 195, "['stove']", "as") + street(
        31, "h31", 10098.5, "['oven']", "eu"
    ) + street(32, "h32", 685.01, "[]", "am")  # fmt: skip
    put(tmp_path, {
        "dollar_street/house_separated_with_metadata/train.csv": train,
        "dollar_street/house_separated_with_metadata/test.csv": test,
        "dollar_street/assets/30/30.jpg": "x",
    })  # fmt: skip
    found = run("dollar_street")
    assert found["splits"] == {"train": 16, "validation": 4, "test": 2}
    assert found["labels"] == ["oven", "stove"]
    assert found["present"][1] == [1, 1]
    assert found["groups"] == {
        "1: up to 195": 3, "2: above 195 up to 685": 10,
        "3: above 685 up to 1963": 8, "4: above 1963": 1,
    }  # fmt: skip
    assert found["ids"][20] == "assets/30/30.jpg"
    assert found["there"][20]
    assert found["columns"]["region.id"][-1] == "eu"
    assert found["notes"] == ["1 rows without a label were left out"]


def test_dollar_street_refuses_a_home_on_both_sides(run, tmp_path):
    put(tmp_path, {
        "dollar_street/house_separated_with_metadata/train.csv":
            STREET + street(1, "home", 1, "['stove']"),
        "dollar_street/house_separated_with_metadata/test.csv":
            STREET + street(2, "home", 1, "['stove']"),
    })  # fmt: skip
    found = run("dollar_street", "--validation_fraction=0")
    assert "test.csv, row 2: cluster 'home' is in two splits" in found["error"]
