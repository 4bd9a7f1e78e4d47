"""The page: contained, escaped, and showing the figures and nothing else."""

import base64
import hashlib
import html.parser
import json
import re
import sys

import numpy as np
import pytest
from PIL import Image

from data_pipelines import errors, labels
from inclusive_tf.exploration import config, content, figures, page

VOID = {"img", "meta"}
SMALL = config.ExplorationConfig(title="Small", sample=40, sheets=3, sheet_images=4)
FACTS = {
    "fusion": {
        "rule": "maximum", "images": 200, "given": 900, "kept": 720, "present": 700,
        "absent": 12, "images_without_label": 3, "images_without_present": 5,
        "sources": {
            name: {"file": f"{name}.csv", "rows": 510, "outside": 4, "repeated": 2,
                   "given": 500, "denied": 6, "images": 190,
                   "agreed": {other: 100}, "alone": 400, "lost": 80,
                   "contradicted": 1}
            for name, other in (("human", "machine"), ("machine", "human"))
        },
    },
    "confidence": {"machine": {"edges": [0, 0.5, 1], "counts": [30, 70]}},
    "boxes": {
        "attributes": {"IsOccluded": {"yes": 66, "no": 34, "unknown": 9}},
        "by_label": {"/m/00": {"boxes": 77, "IsOccluded": None},
                     "/m/other": {"boxes": 78, "IsOccluded": 0.25}},
    },
}  # fmt: skip


class Reader(html.parser.HTMLParser):
    """Collects tags, scripts, headings and text; fails on tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.scripts, self.headings = [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append([dict(attrs), ""])
        if tag in ("h1", "h2"):
            self.headings.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "script" in self.open:
            self.scripts[-1][1] += data
        elif "style" not in self.open:
            self.text.append(data)
            if {"h1", "h2"} & set(self.open):
                self.headings[-1] += data

    def said(self):
        return " ".join(" ".join(self.text).replace("\u00a0", " ").split())

    def data(self, name):
        (found,) = [text for attrs, text in self.scripts if attrs.get("id") == name]
        return json.loads(found)


def assert_contained(text):
    """Only the two named scripts run, nothing is fetched; returns the `Reader`."""
    reader = Reader(text)
    metas = [attributes for tag, attributes in reader.tags if tag == "meta"]
    policy = metas[1]["content"]
    assert metas[1]["http-equiv"] == "Content-Security-Policy"
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    runs = [text for attributes, text in reader.scripts if "type" not in attributes]
    assert len(reader.scripts) == 4
    assert len(runs) == 2
    for script in runs:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert not {"iframe", "object", "link", "base", "form"} & {
        tag for tag, _ in reader.tags
    }
    for tag, attributes in reader.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset"):
            allowed = ("#",) if tag == "a" else ("data:image/",)
            assert attributes.get(name, allowed[0]).startswith(allowed)
    return reader


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(figures, thumbnails, reader) of a table with facts and images."""
    folder = tmp_path_factory.mktemp("images")
    generator = np.random.default_rng(0)
    paths = []
    for row in range(80):
        path = folder / f"{row}.png"
        pixels = generator.integers(0, 255, (12 + row % 2, 9, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        paths.append(str(path))
    dense = (generator.random((80, 5)) < [0.8, 0.5, 0.4, 0.2, 0.1]).astype(np.float32)
    dense[dense[:, 0] > 0, 0] = 0.6
    table = labels.LabelTable(
        ids=np.array([f"id{row}" for row in range(80)]),
        locations=np.array(paths),
        labels=labels.SparseLabels.from_dense(dense),
        vocabulary=labels.Vocabulary(
            [f"/m/{number:02d}" for number in range(5)],
            ["Tree", "Trunk", "Trunk", "Person", "Cat"],
        ),
        group=(np.arange(80) % 2).astype(np.int32),
        group_names=("north", "south"),
        split=(np.arange(80) % 4 == 3).astype(np.int32),
        split_names=("train", "tuning"),
    )
    settings = config.ExplorationConfig(
        title="Small", sample=40, sheets=3, sheet_images=4, pair_images=2
    )
    found, thumbnails = figures.gather(table, settings, ["left out: 3"], FACTS)
    return found, thumbnails, assert_contained(page.render(found, thumbnails))


def test_the_figures_on_the_page_are_those_of_the_json(made, tmp_path):
    found, thumbnails, reader = made
    assert reader.data("figures") == found
    written = page.write(found, thumbnails, tmp_path / "out")
    assert json.loads((written.parent / "figures.json").read_text()) == found
    assert Reader(written.read_text("utf-8")).data("figures") == found


def test_every_plot_is_drawn_from_the_figures(made):
    found, _, reader = made
    plots = reader.data("plots")
    places = {attributes["data-plot"] for _, attributes in reader.tags
              if "data-plot" in attributes}  # fmt: skip
    assert places == set(plots)
    most = plots["frequency_most"]["data"][0]
    assert most["x"] == [row["images"] for row in found["frequency"]["most"]]
    bars = plots["labels_per_image"]["data"][0]
    assert bars["y"] == [bar["images"] for bar in found["labels_per_image"]["bars"]]
    curve = plots["long_tail"]["data"][0]
    assert curve["y"] == found["long_tail"]["curve"]["share"]
    ends = plots["shift_shares"]["data"]
    for trace, key in zip(ends, ("from", "to"), strict=True):
        assert trace["x"] == [label[key]["share"] for label in found["shift"]["labels"]]
    ratios = [label["log2_ratio"]["value"] for label in found["shift"]["labels"]]
    assert plots["shift_ratios"]["data"][0]["x"] == ratios
    box = plots["brightness"]["data"][0]
    cells = found["pictures"]["cells"]
    for key, percentile in (("q1", "p25"), ("median", "p50"), ("upperfence", "p95")):
        assert box[key] == [one["brightness"][percentile] for one in cells]
    heat = plots["co_occurrence"]["data"][0]["z"]
    together = found["co_occurrence"]["together"]
    assert heat[0][1] == together[0][1] / together[0][0]
    assert heat[1][1] is None
    lost = next(one for one in plots["fusion"]["data"] if one["name"] == "lost")
    assert lost["x"] == [80, 80]
    assert plots["confidence_1"]["data"][0]["y"] == [30, 70]
    assert plots["boxes"]["data"][0]["x"] == [66 / 109]


def test_every_number_of_a_table_is_in_the_figures(made):
    found, _, reader = made
    said = reader.said()
    for pair in found["co_occurrence"]["pairs"]:
        assert f"{pair['expected']:,.1f}" in said
    for one in found["group_by_label"]["groups"]:
        assert f"{one['distance']:.3f}" in said
    assert "720 of 900 labels are kept" in said
    assert "100 (20 %)" in said
    assert "left out: 3." in said


def test_headings_state_findings(made):
    found, _, reader = made
    headings = [" ".join(one.split()) for one in reader.headings]
    first = found["frequency"]["most"][0]
    assert any(one.startswith(f"“{first['name']}” is on ") for one in headings)
    assert any("make up half of all labels given" in one for one in headings)
    assert any(one.startswith("The rule “maximum” keeps 80 %") for one in headings)
    assert any("commonest attribute of boxes: 66 %" in one for one in headings)
    links = {attributes["href"][1:] for tag, attributes in reader.tags if tag == "a"}
    sections = {attributes["id"] for tag, attributes in reader.tags
                if tag == "section" and "id" in attributes}  # fmt: skip
    assert links == sections == {"data", "sheets", "glossary", *content.PARTS}


def test_boxes_stand_under_the_names_of_their_labels_or_else_under_their_id(made):
    found, _, reader = made
    assert found["boxes"]["names"] == {"/m/00": "Tree"}
    table = reader.said().split("Labels with the most boxes")[1]
    assert "/m/other /m/other 78 25 % Tree /m/00 77 n/a" in table


def test_every_image_of_a_sheet_is_inline_with_words(made):
    _, thumbnails, reader = made
    images = [attributes for tag, attributes in reader.tags if tag == "img"]
    assert len(images) >= len(thumbnails) > 0
    assert all(image["alt"].startswith("Image id") for image in images)


def test_plots_are_told_to_those_who_cannot_see_them(made):
    _, _, reader = made
    plots = [attributes for _, attributes in reader.tags if "data-plot" in attributes]
    assert len(plots) > 3
    for attributes in plots:
        assert attributes["role"] == "img"
        assert len(attributes["aria-label"]) > 20


def test_missing_parts_are_said(random_table):
    settings = config.ExplorationConfig(sample=0, sheets=0)
    found, thumbnails = figures.gather(random_table(), settings)
    said = assert_contained(page.render(found, thumbnails)).said()
    for reason in ("the data come from one source of labels", "the data have no boxes",
                   "no image was to be read", "no image was to be shown"):  # fmt: skip
        assert f"Nothing to show: {reason}" in said
    # gathered at the end, not one empty section after the other
    gathered = said[said.index("Not in these data") :]
    for topic in ("Sources of labels", "Boxes", "Sizes and light"):
        assert said.count(topic) == 1
        assert topic in gathered
    assert "Every label that is stated is stated with certainty" in said


def test_a_table_without_any_label_makes_a_page(random_table):
    empty = labels.SparseLabels.from_lists([[]] * 200, 12)
    settings = config.ExplorationConfig(sample=0, sheets=0)
    found, thumbnails = figures.gather(random_table(labels=empty), settings)
    said = assert_contained(page.render(found, thumbnails)).said()
    assert "200 images, 12 labels, none of them on an image." in said


def test_hostile_names_are_shown_and_do_nothing(random_table, hostile, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "one.png")
    count = len(hostile)
    table = random_table(
        images=400,
        classes=count,
        groups=count,
        density=0.9,
        vocabulary=labels.Vocabulary(
            [f"{number}{name}" for number, name in enumerate(hostile)], hostile
        ),
        group_names=hostile,
        split_names=("train", hostile[0]),
        ids=np.array(
            [f"{hostile[row % count]}{row}".strip("\0") for row in range(400)]
        ),
    )
    facts = json.loads(json.dumps(FACTS).replace("IsOccluded", "<b>is</b>"))
    facts["confidence"] = {hostile[0]: facts["confidence"]["machine"]}
    facts["fusion"]["rule"] = hostile[2]
    settings = config.ExplorationConfig(title=hostile[0], sample=20, sheets=2)
    found, thumbnails = figures.gather(table, settings, [hostile[0]], facts)
    text = page.render(found, thumbnails)
    reader = assert_contained(text)
    assert reader.data("figures") == json.loads(json.dumps(found))
    markup = text.split('<script type="application/json"')[0]
    for name in (hostile[0], hostile[1], hostile[2], hostile[11]):
        assert name not in markup
    assert "49" not in reader.said().split("{{ 7 * 7 }}")[1][:3]
    assert not set("\0\u202e\u202c\ud800") & set(markup)
    assert max(len(word) for word in reader.said().split()) <= 120
    for plot in reader.data("plots").values():
        for written in _strings(plot):
            # what is left are our own tags, and the names' are escaped
            assert not re.sub(r"</?b>|<br>|<extra></extra>", "", written).count("<")
            assert "$" not in written


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def test_many_groups_are_drawn_as_a_heat_map(random_table):
    settings = config.ExplorationConfig(sample=0, sheets=0, top=20)
    found, thumbnails = figures.gather(random_table(groups=40, images=900), settings)
    reader = assert_contained(page.render(found, thumbnails))
    heat = reader.data("plots")["group_shares"]["data"][0]
    assert heat["type"] == "heatmap"
    assert heat["z"] == [row["shares"] for row in found["group_by_label"]["labels"]]
    assert "20 of 40 groups are shown." in reader.said()


def test_without_plotly_the_extra_is_named(random_table, monkeypatch):
    for module in list(sys.modules):
        if module.partition(".")[0] == "plotly":
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "plotly", None)
    settings = config.ExplorationConfig(sample=0, sheets=0)
    found, thumbnails = figures.gather(random_table(), settings)
    with pytest.raises(errors.MissingExtraError, match=r"inclusive_tf\[explore\]"):
        page.render(found, thumbnails)
