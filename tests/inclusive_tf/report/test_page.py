import base64
import html.parser
import re
import xml.etree.ElementTree as ElementTree

import pytest

from data_pipelines import errors
from inclusive_tf.report import bars, explained, findings, page, plots

VOID = {"img", "meta", "source"}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "W" * 10_000,
    "\u202eturned\u202c round",
    "two\nlines\r\tand a tab",
    "$x^$ {{ 7 * 7 }} {% raw %}",
    "nul \0 escape \x1b[31m half \ud800",
    "--><!-- ]]> &lt;b&gt;",
    "日本語 العربية हिन्दी",
)


class Reader(html.parser.HTMLParser):
    """Collects tags, attributes and table cells; fails on tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.tables, self.text = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text.append(data)
        if "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data


def _assert_contained(text):
    """Nothing runs, nothing is fetched, and every drawing is well-formed."""
    reader = Reader(text)
    allowed = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    metas = [attributes for tag, attributes in reader.tags if tag == "meta"]
    assert metas[1] == {"http-equiv": "Content-Security-Policy", "content": allowed}
    assert not {"script", "iframe", "object", "link"} & {tag for tag, _ in reader.tags}
    for _, attributes in reader.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset"):
            assert attributes.get(name, "#").startswith(("data:image/", "#"))
    assert "url(" not in text
    assert "@import" not in text
    for drawing in re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", text):
        for element in ElementTree.fromstring(base64.b64decode(drawing)).iter():
            assert "script" not in str(element.tag)
            for name, value in element.attrib.items():
                assert not name.startswith("on")
                if name.endswith("href"):
                    assert value.startswith("#")
    return reader


@pytest.fixture(scope="module")
def text(make):
    return page.render(make.results(), make.cases())


@pytest.fixture(scope="module")
def reader(text):
    return _assert_contained(text)


def test_every_figure_of_the_main_table_is_that_of_the_results(reader, make):
    rows = next(table for table in reader.tables if len(table) == 2 + 7)[2:]
    for row, cells in zip(make.results()["rows"], rows, strict=True):
        shown = [re.sub(r"[\s\xa0]+", " ", cell).strip() for cell in cells]
        assert shown[0].startswith(row["name"])
        expected = [
            row["evaluations"][split]["measures"][measure]
            for split in ("stage_1", "stage_2")
            for measure in findings.MEASURES
        ]
        for cell, interval in zip(shown[1:], expected, strict=True):
            numbers = [float(one) for one in re.findall(r"\d\.\d{3}", cell)]
            keys = ("value", "low", "high")
            assert numbers == pytest.approx([interval[key] for key in keys], abs=5e-4)
            assert f"n = {interval['n']:,}" in cell


def test_the_page_is_told_in_order(reader):
    sections = [attributes["id"] for tag, attributes in reader.tags
                if tag == "section" and "id" in attributes]  # fmt: skip
    assert sections == [
        "data", "table", "steps", "labels", "groups", "exposure", "errors", "counts",
        "run", "glossary",
    ]  # fmt: skip
    links = {attributes["href"] for tag, attributes in reader.tags if tag == "a"}
    assert links == {f"#{section}" for section in sections}


def test_headings_do_not_skip_a_level_and_pictures_have_words(reader):
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    pictures = [attributes for tag, attributes in reader.tags if tag == "img"]
    assert all(len(attributes["alt"]) > 10 for attributes in pictures)
    scopes = [attributes.get("scope") for tag, attributes in reader.tags if tag == "th"]
    assert set(scopes) == {"col", "colgroup", "row"}
    assert len([tag for tag, _ in reader.tags if tag == "caption"]) == len(
        reader.tables
    )


def test_what_is_induced_is_called_induced(reader):
    assert "What is induced" in reader.text
    assert any("a long tail over garments" in text for text in reader.text)


def _said(reader):
    return " ".join(" ".join(reader.text).split())


def test_the_page_says_that_each_row_is_one_training(reader):
    said = _said(reader)
    assert said.count("rests on one training run") == 2
    assert "One training run each." in said.split("What is induced")[1]
    assert "not retraining" in said.split("Terms")[-1]


def test_groups_without_images_are_one_line(reader):
    said = _said(reader)
    assert "no images in stage 2: source/street" in said
    assert "no images in stage 1: source/street" in said


def test_each_error_says_why_it_is_shown_and_of_which_row(reader):
    said = _said(reader)
    for why in ("highest loss", "most confident wrong", "rare label missed"):
        assert said.count(why) == 2
    assert "Errors of “ resampled + last layer + threshold ” on stage 2" in said
    assert "Labels are given from 0.12 on" in said
    assert "no label" in said
    styles = [attributes.get("style") for tag, attributes in reader.tags
              if attributes.get("class") == "tick"]  # fmt: skip
    assert styles == ["left:12.0%"] * 15


def test_the_check_of_the_maps_says_what_it_rests_on(reader):
    table = next(one for one in reader.tables if one[0][-1].strip() == "by chance")
    assert [cell.strip() for cell in table[0][1:-1]] == [
        "Grad-CAM", "saliency", "occlusion",
    ]  # fmt: skip
    pointing, energy = (" ".join(" ".join(row).split()) for row in table[1:])
    assert pointing.count("n = 400") == pointing.count("2 flat maps") == 3
    assert energy.count("n/a") == 2
    assert "says nothing" in _said(reader)


def test_thresholds_by_label_and_unchecked_maps_are_said(make):
    found = make.results()["explanations"]
    found |= {"given_from": None}
    del found["pointing"], found["energy"]
    assert explained.check_table(found) is None
    assert explained.cases(make.cases(1), None)[0]["tick"] is None


def test_an_image_of_no_label_says_so(make):
    described = make.cases(1)
    described[0]["truth"] = []
    results = make.results()
    found = {key: results[key] for key in ("title", "explanations")}
    found["rows"] = results["rows"][:1]
    text = page.render(found, described)
    assert "which shows no label" in text


def test_errors_of_an_unknown_row_are_refused(results, cases):
    del results["explanations"]
    with pytest.raises(errors.DataError, match="which row the errors are of"):
        explained.gather(results, cases)


def test_a_flat_map_is_said_to_be_flat(text):
    assert text.count("flat: the map shows nothing") == 2


def _spoiled(value, names):
    """Returns a copy of results or cases with every name taken from `names` in turn."""
    keys = {
        "name",
        "id",
        "group",
        "title",
        "policy",
        "method",
        "label",
        "worst_group",
        "why",
        "row",
        "run",
        "role",
    }
    if isinstance(value, dict):
        return {
            key: next(names) if key in keys else _spoiled(one, names)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [
            next(names) if isinstance(one, str) else _spoiled(one, names)
            for one in value
        ]
    return value


def test_hostile_names_are_shown_and_do_nothing(make):
    def endless():
        number = 0
        while True:
            yield f"{HOSTILE[number % len(HOSTILE)]} {number}"
            number += 1

    names = endless()
    results = _spoiled(make.results(), names)
    results["flags"] = {one: one for one in HOSTILE}
    results["runs"] = {one: {"seconds": 1.0, "flags": {one: one}} for one in HOSTILE}
    # sentences of ours: longer than a name, so the 10,000 letters stay away from them
    results["data"]["notes"] = results["exposure"]["cannot"] = HOSTILE[:3]
    results["data"]["counts"] = {
        one: {"images": 1, "groups": {one: 1}} for one in HOSTILE
    }
    text = page.render(results, _spoiled(make.cases(1), names))
    reader = _assert_contained(text)
    for hostile in HOSTILE[:3]:
        assert hostile not in text
    assert "&lt;script&gt;" in text
    assert "49" not in "".join(reader.text).split("{{ 7 * 7 }}")[1][:3]
    assert not set("\0\x1b\u202e\u202c\ud800") & set(text)
    longest = max(len(word) for one in reader.text for word in one.split())
    assert longest <= 80


def test_a_run_of_which_little_is_known_says_what_is_missing(tmp_path):
    results = {"title": "Bare", "rows": [{"name": "constant answer", "kind": "constant",
        "evaluations": {"test": {"n": 0, "measures": {"mean_f2": {
            "value": None, "low": None, "high": None, "n": 0}}}}}]}  # fmt: skip
    page.write(results, [], tmp_path / "report" / "index.html")
    text = (tmp_path / "report" / "index.html").read_text("utf-8")
    said = " ".join(_assert_contained(text).text)
    for missing in ("no steps were compared", "nothing was resampled", "no images",
                    "no cases were explained", "not measured"):  # fmt: skip
        assert missing in said
    assert "induced" not in said.split("Terms")[0]


def test_a_picture_that_is_no_png_is_refused(cases):
    with pytest.raises(errors.DataError, match="is not a PNG"):
        explained.picture(b"<svg onload=alert(1)>", "the image")


def test_the_same_results_make_the_same_drawing(results):
    assert bars.bands(results, "stage_2") == bars.bands(results, "stage_2")


def test_a_bar_of_zero_is_marked_at_the_axis(results):
    bands = results["rows"][0]["evaluations"]["stage_2"]["bands"]
    for band in bands:
        band["recall"] |= {"value": 0.0, "low": 0.0, "high": 0.0}
        band["f2"]["value"] = 0.25
    drawn = bars.bands(results, "stage_2")["wide"].decode()
    assert len(re.findall(r">0</text>", drawn)) == len(bands)


def test_the_main_plot_has_ticks_each_fifth_and_names_the_grey(results):
    drawn = plots.measures(results)["wide"].decode()
    for text in (">0.2<", ">0.4<", ">0.6<", ">constant answer<"):
        assert text in drawn
    assert ">0.5<" not in drawn


def test_the_steps_plot_says_that_scales_differ(results):
    assert plots.SCALES_DIFFER in plots.steps(results)["wide"].decode()
