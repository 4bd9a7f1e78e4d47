"""Planted faults are found, clean images are not, and cleanvision agrees."""

import dataclasses
import pathlib
import tarfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter

from data_pipelines import (
    duplicates,
    errors,
    image_issues,
    image_measures,
    issue_kinds,
    labels,
)
from data_pipelines import storage as storages


def table_of(folder, names, split=None, label_rows=None, groups=None):
    count = len(names)
    return labels.LabelTable(
        ids=np.array(names),
        locations=np.array([str(folder / name) for name in names]),
        labels=labels.SparseLabels.from_lists(label_rows or [[0]] * count, 2),
        vocabulary=labels.Vocabulary(("x", "y")),
        group=np.array(groups or [0] * count, np.int32),
        group_names=("north", "south"),
        split=np.array(split or [0] * count, np.int32),
        split_names=("stage", "train"),
    )


def photograph(seed, size=(120, 160)):
    """A made picture with edges, shades and colours, unlike that of another seed."""
    generator = np.random.default_rng(seed)
    height, width = size
    coarse = generator.integers(20, 236, (6, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    pixels = np.asarray(picture).astype(int)
    for _ in range(12):
        top, left = generator.integers(0, height - 8), generator.integers(0, width - 8)
        tall, wide = generator.integers(8, 40, 2)
        pixels[top : top + tall, left : left + wide] += generator.integers(-90, 91, 3)
    pixels += generator.integers(-20, 21, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


CLEAN = [f"clean{number}.png" for number in range(40)]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A folder of 40 clean pictures and one of each fault; returns (table, faults)."""
    folder = tmp_path_factory.mktemp("planted")
    for number, name in enumerate(CLEAN):
        photograph(number).save(folder / name)
    base = photograph(100)
    dark = Image.fromarray((np.asarray(base) // 8).astype(np.uint8))
    white = Image.fromarray((250 + np.asarray(base) // 64).astype(np.uint8))
    faults = {
        "dark.png": (dark, "dark"),
        "white.png": (white, "light"),
        "blurred.png": (photograph(101).filter(ImageFilter.GaussianBlur(5)), "blurry"),
        "teal.png": (Image.new("RGB", (160, 120), "teal"), "low_information"),
        "tiny.png": (photograph(102).resize((4, 3)), "odd_size"),
        "huge.png": (photograph(103).resize((1600, 1200)), "odd_size"),
        "narrow.png": (photograph(104, (90, 300)), "odd_aspect_ratio"),
        "again.png": (photograph(0), "exact_duplicate"),
        "soft.jpg": (photograph(1), "near_duplicate"),
        "leaked.jpg": (photograph(2), None),
        "strange.png": (strange(), "irrelevant"),
    }
    for name, (picture, _) in faults.items():
        picture.save(folder / name, **({"quality": 90} if "jpg" in name else {}))
    (folder / "half.png").write_bytes((folder / "clean3.png").read_bytes()[:2000])
    names = [*CLEAN, *faults, "half.png", "gone.png"]
    split = [0 if name == "leaked.jpg" else 1 for name in names]
    expected = {name: kind for name, (_, kind) in faults.items() if kind}
    expected |= {"half.png": "unreadable", "gone.png": "unreadable"}
    expected["clean2.png"] = "leak"
    return table_of(folder, names, split), expected


def strange():
    """Red above, cyan below, and a few lines."""
    pixels = np.zeros((120, 160, 3), np.uint8)
    pixels[:60, :, 0] = 255
    pixels[60:, :, 1:] = 255
    pixels[::9] //= 2
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def found(planted):
    return image_issues.find(planted[0], image_issues.IssueConfig())


def test_every_planted_fault_is_found_by_its_kind(planted, found):
    listed = {(row.id, row.issue) for row in found.rows}
    missed = {pair for pair in planted[1].items() if pair not in listed}
    assert not missed


def test_clean_images_raise_no_alarm(found):
    alarms = [
        row for row in found.rows
        if row.id in CLEAN and (row.id, row.issue) != ("clean2.png", "leak")
    ]  # fmt: skip
    assert alarms == []


def test_the_leak_names_the_other_image_and_its_split(found):
    (leak,) = [row for row in found.rows if row.issue == "leak"]
    assert leak.id == "clean2.png"
    assert leak.detail == "looks like leaked.jpg of split stage"
    assert found.others["clean2.png", "leak"] == "leaked.jpg"


def test_issues_stand_by_kind_and_the_worst_first(found):
    order = list(issue_kinds.KINDS)
    kinds = [order.index(row.issue) for row in found.rows]
    assert kinds == sorted(kinds)
    for kind in image_measures.JUDGED:
        scores = [row.score for row in found.rows if row.issue == kind]
        assert scores == sorted(scores)
        assert all(0 <= score < 1 for score in scores)


def test_a_threshold_decides_how_dark_is_dark():
    measures = image_measures.Measures(
        pd.DataFrame({"brightness_perc_99": [0.1, 0.2, 0.5]}), np.zeros(3), np.zeros(3)
    )
    for threshold, dark in (({}, 2), ({"dark": 0.15}, 1), ({"dark": 0.6}, 3)):
        bad, score = image_measures.judge(measures, ("dark",), threshold)["dark"]
        assert bad.tolist() == [place < dark for place in range(3)]
        assert score.tolist() == [0.1, 0.2, 0.5]


def test_counts_and_summary_agree_with_the_rows(planted, found):
    table = planted[0]
    index = {name: row for row, name in enumerate(table.ids.tolist())}
    counted = image_issues.counts(
        found.rows, found.looked_for, table.split, table.split_names, index
    )
    assert counted.to_numpy().sum() == len(found.rows)
    assert counted.loc["unreadable", "train"] == 2
    text = image_issues.summary(table, found)
    assert text.splitlines()[-1].split() == ["images", "1", "52", "53"]


def test_cleanvision_itself_gives_the_same_scores(tmp_path):
    from cleanvision import Imagelab

    # of odd numbers of pixels, so that nothing is as large as another by chance
    pictures = [photograph(seed, (31 + seed, 41 + 2 * seed)) for seed in range(12)]
    pictures[3] = pictures[3].convert("L")
    pictures[4] = Image.new("L", (50, 40), "black")
    pictures[5] = Image.fromarray(np.asarray(pictures[5]) // 10)
    names = [f"{number}.png" for number in range(12)]
    for name, picture in zip(names, pictures, strict=True):
        picture.save(tmp_path / name)
    paths = [str(tmp_path / name) for name in names]
    lab = Imagelab(filepaths=paths, verbose=False)
    lab.find_issues(
        {kind: {} for kind in (*image_measures.JUDGED, "near_duplicates")},
        n_jobs=1, verbose=False,
    )  # fmt: skip
    measures = image_measures.measure(table_of(tmp_path, names), 10**6)
    for kind, (bad, score) in image_measures.judge(measures).items():
        theirs = lab.issues.loc[paths]
        np.testing.assert_allclose(score, theirs[f"{kind}_score"], atol=1e-9)
        np.testing.assert_array_equal(bad, theirs[f"is_{kind}_issue"])
    sets = lab.info["near_duplicates"]["sets"]
    assert len(set(measures.look)) == 12 - sum(len(one) - 1 for one in sets)


def test_palette_transparency_and_sixteen_bits_are_measured_as_they_are_seen(tmp_path):
    picture = photograph(5)
    picture.save(tmp_path / "plain.png")
    picture.quantize(200).save(tmp_path / "palette.png")
    clear = picture.convert("RGBA")
    clear.putalpha(255)
    clear.save(tmp_path / "alpha.png")
    grey = picture.convert("L")
    grey.save(tmp_path / "grey.png")
    grey.convert("LA").save(tmp_path / "grey_alpha.png")
    fine = np.asarray(grey).astype(np.uint16) * 257
    Image.fromarray(fine).save(tmp_path / "fine.png")
    names = ["plain", "alpha", "palette", "grey", "grey_alpha", "fine"]
    measures = image_measures.measure(
        table_of(tmp_path, [f"{name}.png" for name in names]), 10**6
    )
    bright = dict(zip(names, measures.values["brightness"], strict=True))
    assert bright["alpha"] == bright["plain"]
    assert bright["palette"] == pytest.approx(bright["plain"], abs=0.02)
    assert bright["grey_alpha"] == bright["grey"]
    assert bright["fine"] == bright["grey"]
    assert measures.pixels[3] == measures.pixels[4] == measures.pixels[5]


def test_blank_images_of_other_shapes_or_colours_are_no_duplicates(tmp_path):
    wide, tall, names = (30, 20), (20, 30), ["a.png", "b.png", "c.png", "d.png"]
    sizes, colours = (wide, tall, wide, wide), ("black", "black", "white", "black")
    for name, size, colour in zip(names, sizes, colours, strict=True):
        Image.new("RGB", size, colour).save(tmp_path / name)
    some = image_issues.find(table_of(tmp_path, names), image_issues.IssueConfig())
    repeated = [row for row in some.rows if "duplicate" in row.issue]
    assert [(row.id, row.detail) for row in repeated] == [
        ("d.png", "same pixels as a.png of split stage")
    ]
    assert some.notes == [
        "irrelevant images were not looked for: 4 images are fewer than 20"
    ]


# --- repeats ---


def test_of_repeats_the_first_of_a_split_stays_and_differing_labels_are_told():
    table = table_of(pathlib.Path("/"), list("abcdef"), [1, 0, 1, 1, 0, 1],
                     [[0], [0], [0, 1], [0], [1], []])  # fmt: skip
    pixels = np.array(["p", "p", "p", "q", "r", "r"])
    found = duplicates.rows(
        table, np.arange(6), pixels, np.array(["l", "l", "l", "l", "", ""]),
        issue_kinds.KINDS,
    )  # fmt: skip
    assert [(row.id, row.issue, other) for row, other in found] == [
        ("c", "exact_duplicate", "a"),
        ("d", "near_duplicate", "a"),
        ("a", "leak", "b"),
        ("c", "leak", "b"),
        ("f", "leak", "e"),
        ("d", "leak", "b"),
    ]
    details = {(row.id, row.issue): row.detail for row, _ in found}
    assert details["c", "exact_duplicate"] == (
        "same pixels as a of split train; labels differ: x|y and x"
    )
    assert details["f", "leak"].endswith("e of split stage; labels differ: none and y")


def test_repeats_agree_with_a_plain_search():
    generator = np.random.default_rng(0)
    for _ in range(50):
        count = 30
        split = generator.integers(0, 2, count).tolist()
        keys = generator.integers(0, 12, count).astype(str)
        names = [f"i{number}" for number in range(count)]
        table = table_of(pathlib.Path("/"), names, split)
        found = duplicates.rows(
            table, np.arange(count), keys, np.full(count, ""), issue_kinds.KINDS
        )
        expected = set()
        for row in range(count):
            same = [
                other for other in range(count)
                if keys[other] == keys[row] and split[other] == split[row]
            ]  # fmt: skip
            across = [
                other for other in range(count)
                if keys[other] == keys[row] and split[other] == 0 and split[row] == 1
            ]  # fmt: skip
            if same[0] < row:
                expected.add((names[row], "exact_duplicate", names[same[0]]))
            if across:
                expected.add((names[row], "leak", names[across[0]]))
        assert {(row.id, row.issue, other) for row, other in found} == expected


# --- unlike all others ---


def test_distances_are_those_of_scikit_learn():
    neighbors = pytest.importorskip("sklearn.neighbors")
    generator = np.random.default_rng(1)
    features = generator.normal(size=(300, 6)).astype(np.float32)
    features[7] += 9
    config = image_issues.IssueConfig(neighbours=4)
    far = image_issues.unlike_others(features, config)
    theirs = neighbors.NearestNeighbors(n_neighbors=5).fit(features)
    log = np.log(theirs.kneighbors(features)[0][:, -1])
    spread = np.median(np.abs(log - np.median(log))) / 0.6744897501960817
    np.testing.assert_allclose(far, (log - np.median(log)) / spread, atol=1e-4)
    assert np.argmax(far) == 7


def test_with_a_sample_the_far_image_is_still_found_and_repeats_are_like_others():
    generator = np.random.default_rng(2)
    features = generator.normal(size=(2000, 8)).astype(np.float32)
    features[11] += 12
    features[20:40] = features[20]
    config = image_issues.IssueConfig(sample=500, neighbours=3, deviations=8)
    far = image_issues.unlike_others(features, config)
    assert np.flatnonzero(far > config.deviations).tolist() == [11]
    whole = image_issues.unlike_others(features, image_issues.IssueConfig(neighbours=3))
    assert (whole[20:40] == -np.inf).all()


def test_features_that_do_not_vary_make_no_suspects():
    config = image_issues.IssueConfig()
    assert not image_issues.unlike_others(np.zeros((30, 4), np.float32), config).any()
    ring = np.eye(30, dtype=np.float32)
    assert not image_issues.unlike_others(ring, config).any()


def test_given_features_are_used_and_missing_ones_are_counted(planted, monkeypatch):
    table, _ = planted
    generator = np.random.default_rng(3)
    features = generator.normal(size=(len(table), 5)).astype(np.float32)
    features[4] += 50
    features[9] = np.nan
    config = image_issues.IssueConfig(kinds=("irrelevant",))
    monkeypatch.setattr("data_pipelines.quality.scan", lambda *_: [])
    some = image_issues.find(table, config, features)
    assert [row.id for row in some.rows if row.issue == "irrelevant"] == ["clean4.png"]
    assert some.notes == [
        "1 readable images have no features: whether they are irrelevant was not "
        "looked at"
    ]


def test_images_are_measured_under_the_limit_of_the_scan(planted, monkeypatch):
    limits = []

    def measure(table, *, max_pixels, **_):
        limits.append(max_pixels)
        return np.zeros((len(table), 3), np.float32)

    monkeypatch.setattr("data_pipelines.pixel_features.measure", measure)
    monkeypatch.setattr("data_pipelines.quality.scan", lambda *_: [])
    config = image_issues.IssueConfig(kinds=("irrelevant",), max_pixels=60_000_000)
    image_issues.find(planted[0], config)
    assert limits == [60_000_000]


# --- what cannot be looked at ---


def test_records_of_a_prepared_set_are_refused(planted):
    table = dataclasses.replace(
        planted[0], storage=storages.Records(paths=("a",), lengths=(1,), bytes=1)
    )
    with pytest.raises(
        errors.DataError, match="the data set that it was prepared from"
    ):
        image_issues.find(table, image_issues.IssueConfig())


def test_without_cleanvision_the_extra_is_named_before_the_work(planted, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cleanvision", None)
    monkeypatch.setattr("data_pipelines.quality.scan", None)
    with pytest.raises(errors.MissingExtraError, match=r"inclusive_tf\[quality\]"):
        image_issues.find(planted[0], image_issues.IssueConfig())


@pytest.mark.parametrize(
    "settings",
    [
        {"kinds": ("blurred",)},
        {"thresholds": (("leak", 0.5),)},
        {"thresholds": (("dark", 1.5),)},
        {"neighbours": 0},
        {"deviations": float("nan")},
        {"sample": 3},
        {"sample": 20, "neighbours": 20},
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(settings):
    with pytest.raises(errors.SettingError, match="Received: "):
        image_issues.IssueConfig(**settings)


def test_images_that_are_all_unreadable_are_named_and_only_kinds_asked_for(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    table = table_of(tmp_path, ["a.jpg", "b.jpg"])
    some = image_issues.find(table, image_issues.IssueConfig(kinds=("dark",)))
    assert some.looked_for == ("unreadable", "dark")
    assert [row.issue for row in some.rows] == ["unreadable"] * 2
    assert image_issues.summary(table, some).splitlines()[1].split() == [
        "unreadable", "2", "0", "2",
    ]  # fmt: skip


def test_awkward_files_are_named_and_none_ends_the_search(real_data, tmp_path):
    archive = real_data / "awkward_images.tar"
    if not archive.exists():
        pytest.skip("awkward_images.tar is not among the real data")
    with tarfile.open(archive) as files:
        files.extractall(tmp_path, filter="data")
    folder = tmp_path / "awkward_images" / "files"
    names = sorted(path.name for path in folder.iterdir())
    some = image_issues.find(
        table_of(folder, names),
        image_issues.IssueConfig(
            kinds=("dark", "near_duplicate", "exact_duplicate"), max_pixels=10**7
        ),
    )
    kinds = pd.Series([row.issue for row in some.rows]).value_counts()
    assert len(names) == 65
    assert kinds["unreadable"] >= 14
    assert kinds["exact_duplicate"] == 16
