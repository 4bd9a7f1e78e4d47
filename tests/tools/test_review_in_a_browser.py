"""The review page in a real browser: keys and clicks, and what the log holds then."""

import collections
import csv
import json
import shutil
import subprocess
import time

import pytest
from PIL import Image

from data_pipelines import corrections, datasets, suspects
from data_pipelines.sources import table as table_source

webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium")
from selenium.webdriver.common import action_chains, keys  # noqa: E402

HOSTILE = "<img src=x onerror=window.hostile=1>"
LONG = "W" * 90
LABELS = {
    0: ["cat"], 1: ["cat", "cow"], 2: ["cow", HOSTILE], 3: ["cat"], 4: ["dog"], 5: [],
    6: ["cow"], 7: ["cat"], 8: ["video store"], 9: ["book store"], 10: [LONG, "dog"],
    11: ["cow"],
}  # fmt: skip
SUSPECTS = [
    (0, "wrong_label", "cat", "dog", "given 0.02"),
    (1, "several_fit", "cat", "dog", ""), (2, "wrong_label", HOSTILE, "", HOSTILE),
    (3, "wrong_label", "cat", "", ""),
    (4, "image", "", "", "blurry"), (5, "missing_label", "", "cow", ""),
    (6, "wrong_label", "cow", "", ""), (7, "wrong_label", "cat", "cow", ""),
    (8, "wrong_label", "video store", "book store", ""), (10, "image", "", "", ""),
    (11, "wrong_label", "cow", "dog", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A headless browser that notes what its console says."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("no browser: needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (
        "headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-sync",
        "disable-background-networking", "disable-component-update",
        f"user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):  # fmt: skip
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield browser
    browser.quit()


class Page:
    """The page as a person has it before them."""

    def __init__(self, browser, link):
        self.browser = browser
        self.size(1280, 800)
        # what pages before this one said is theirs
        browser.get_log("browser")
        browser.get(link)
        self.until("document.querySelector('#main[aria-busy=false]') !== null")

    def size(self, width, height):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False,
        })  # fmt: skip

    def ask(self, script):
        return self.browser.execute_script(f"return {script}")

    def until(self, script):
        end = time.monotonic() + 12
        while not (found := self.ask(script)):
            assert time.monotonic() < end, script
            time.sleep(0.02)
        return found

    def text(self, name):
        return self.ask(f"document.getElementById('{name}').textContent")

    def type(self, *pressed):
        action_chains.ActionChains(self.browser).send_keys(*pressed).perform()

    def press(self, *pressed):
        """Presses keys, and waits until the page has answered."""
        self.type(*pressed)
        self.until("document.querySelector('#main[aria-busy=false]') !== null")

    def answer(self, *pressed):
        """Presses keys, and waits until another suspect is shown."""
        place = self.text("place")
        self.press(*pressed)
        self.until(f"document.getElementById('place').textContent !== '{place}'")

    def click(self, selector):
        self.browser.find_element("css selector", selector).click()


def arguments(folder):
    """Writes a small data set with all that a review takes; returns its flags."""
    (folder / "images").mkdir()
    rows = []
    for number, shown in LABELS.items():
        name = f"images/{number}.png"
        Image.new("RGB", (16, 12), (20 * number, 90, 160)).save(folder / name)
        rows.append((name, "|".join(shown), "g", "train"))
    with open(folder / "labels.csv", "w", newline="") as file:
        csv.writer(file).writerows([("path", "labels", "group", "split"), *rows])
    found = [
        suspects.Suspect(f"images/{image}.png", *rest[:3], 1 - place / 20, rest[3])
        for place, (image, *rest) in enumerate(SUSPECTS)
    ]
    suspects.write(folder / "suspects.csv", found)
    with open(folder / "definitions.csv", "w", newline="") as file:
        csv.writer(file).writerows([
            ("label", "definition", "checklist"),
            ("cat", "A small cat.", f"whiskers|{HOSTILE}"), ("dog", "Barks.", "tail"),
        ])  # fmt: skip
    maps = folder / "maps"
    maps.mkdir()
    shutil.copy(folder / "images" / "1.png", maps / "m.png")
    drawn = [{"method": "occlusion", "png": "m.png", "degenerate": False}]
    panel = {"label": "cat", "role": "wrongly given", "maps": drawn}
    stored = {"cases": [{"id": "images/0.png", "panels": [panel]}], "facts": {}}
    (maps / "cases.json").write_text(json.dumps(stored))
    return [
        "--dataset=table", f"--table={folder / 'labels.csv'}", "--who=ada",
        f"--suspects={folder / 'suspects.csv'}", f"--log={folder / 'log.sqlite'}",
        f"--definitions={folder / 'definitions.csv'}", f"--maps={maps}",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def shown(review, tmp_path_factory, chromium):
    """The address of a page that several tests look at."""
    return review(*arguments(tmp_path_factory.mktemp("shown"))).link


def labels_after(tmp_path, log):
    source = table_source.TableConfig(table=str(tmp_path / "labels.csv"))
    table, _ = datasets.read_labels(
        datasets.DataConfig("table", source, corrections=str(log))
    )
    names = table.vocabulary.ids
    found = {
        name: {names[place] for place in table.labels.take([row]).index}
        for row, name in enumerate(table.ids.tolist())
    }
    return set(names), found


def test_ten_suspects_are_reviewed_one_is_undone_and_training_follows(
    review, chromium, call, tmp_path
):
    server = review(*arguments(tmp_path))
    page = Page(chromium, server.link)
    assert page.text("question") == "Does it show “cat”?"
    assert "token" not in chromium.current_url
    page.answer("r")
    assert page.text("said") == "Saved: replaced “cat” by “dog”."
    page.answer("f")
    page.answer("w")
    page.click("[data-key=k]")
    page.until("document.getElementById('question').textContent.includes('fit for')")
    page.answer("e")
    page.answer("f")
    page.press("c")
    assert page.ask("document.activeElement.id") == "chooser-input"
    page.answer("heron", keys.Keys.ENTER)
    page.press("a")
    page.press("dog", keys.Keys.ARROW_DOWN, keys.Keys.ARROW_UP, keys.Keys.ENTER)
    page.until("document.getElementById('labels').textContent.includes('dog')")
    page.answer("k")
    page.press("m")
    page.answer(keys.Keys.ENTER)
    page.press("2")
    page.press("w")
    page.until("!document.getElementById('labels').textContent.includes('dog')")
    page.answer("k")
    assert page.text("place") == "11 of 11"
    assert page.text("counts") == "10 decided, 1 open"
    page.answer("u")
    assert page.text("place") == "10 of 11"
    assert page.text("said") == "Undone: kept the labels as they are."
    chromium.refresh()
    page.until("document.getElementById('counts').textContent")
    assert page.text("place") == "10 of 11"
    assert page.text("counts") == "9 decided, 2 open"
    page.press("u")
    page.until("document.getElementById('labels').textContent.includes('dog')")
    page.press("p")
    page.until("document.getElementById('place').textContent === '9 of 11'")
    assert "ada merged “video store” into “book store”" in page.text("answer")
    errors = [one for one in chromium.get_log("browser") if one["level"] == "SEVERE"]
    assert errors == []
    server.end()
    rows = corrections.read(tmp_path / "log.sqlite")
    assert [(one.action, one.id[7:-4], one.label, one.new_label) for one in rows] == [
        ("relabel", "0", "cat", "dog"),
        ("add", "1", "dog", ""),
        ("remove", "2", HOSTILE, ""),
        ("exclude", "4", "", ""),
        ("add", "5", "cow", ""),
        ("relabel", "6", "cow", "heron"),
        ("add", "7", "dog", ""),
        ("merge", "", "video store", "book store"),
    ]
    vocabulary, shown = labels_after(tmp_path, tmp_path / "log.sqlite")
    assert vocabulary == {"cat", "cow", "dog", HOSTILE, "book store", LONG, "heron"}
    expected = {
        f"images/{number}.png": set(found)
        for number, found in {
            0: ["dog"], 1: ["cat", "cow", "dog"], 2: ["cow"], 3: ["cat"], 5: ["cow"],
            6: ["heron"], 7: ["cat", "dog"], 8: ["book store"], 9: ["book store"],
            10: [LONG, "dog"], 11: ["cow"],
        }.items()
    }  # fmt: skip
    assert shown == expected
    run = tmp_path / "run"
    said = call(
        "train", f"--run={run}", "--dataset=table", f"--table={tmp_path}/labels.csv",
        f"--corrections={tmp_path}/log.sqlite", "--height=8", "--width=8",
        "--channels=3", "--blocks=1", "--growth=2", "--batch_size=4", "--epochs=1",
        "--warmup_steps=1",
    ).stdout  # fmt: skip
    assert "corrections applied: 1 remove, 3 add, 2 relabel, 1 merge, 1 exclude" in said
    with open(run / "vocabulary.csv", newline="") as file:
        learnt = {
            row["label"]: int(row["training_count"]) for row in csv.DictReader(file)
        }
    counts = collections.Counter(label for each in expected.values() for label in each)
    # the wrong label was on one image alone, and stays in the vocabulary
    assert learnt == {**counts, HOSTILE: 0}
    trained = json.loads((run / "data.json").read_text())["counts"]["train"]
    assert (trained["images"], trained["labels"]) == (11, learnt)


def test_two_windows_do_not_lose_each_others_work(review, chromium, tmp_path):
    server = review(*arguments(tmp_path))
    page = Page(chromium, server.link)
    server.decide(0, "exclude")
    page.press("r")
    page.until("!document.getElementById('alert').hidden")
    assert page.text("alert") == (
        "This has changed since you looked: ada excluded the image"
    )
    assert page.text("labels") == "The image is excluded."
    assert "ada excluded the image" in page.text("answer")
    assert [one.action for one in corrections.read(tmp_path / "log.sqlite")] == [
        "exclude"
    ]
    # a server that is gone loses nothing, and the page says so
    server.end()
    page.press("n")
    page.until("document.getElementById('alert').textContent.includes('not answer')")


# A request for a path waits for `release`; what is sent is noted in `sent`.
DELAY = """
const [late] = arguments, real = window.fetch;
window.sent = [];
window.fetch = async (path, options) => {
  window.sent.push(path);
  if (path === late) await new Promise((done) => { window.release = done; });
  return real(path, options);
};"""


def test_what_is_typed_before_the_labels_are_there_decides_nothing(
    review, chromium, tmp_path
):
    server = review(*arguments(tmp_path))
    page = Page(chromium, server.link)
    chromium.execute_script(DELAY, "/api/labels")
    page.press("n")
    page.until("document.getElementById('place').textContent === '2 of 11'")
    page.press("2")
    page.type("m")
    page.type("k", "e", "m", "w", "n", "1")
    # a button is no way round it
    page.click("[data-key=c]")
    page.click("[data-key=k]")
    sent = page.ask("window.sent")
    assert sent.count("/api/labels") == 1
    assert not {"/api/decisions", "/api/suspects/2"} & set(sent)
    assert page.ask("document.querySelector('dialog[open]') === null")
    page.ask("window.release()")
    page.until("document.querySelector('dialog[open]') !== null")
    assert page.text("chooser-title") == "Merge “cow” into …"
    page.press("dog", keys.Keys.ENTER)
    page.until("document.getElementById('said').textContent.includes('merged')")
    server.end()
    rows = corrections.read(tmp_path / "log.sqlite")
    assert [(one.action, one.label, one.new_label) for one in rows] == [
        ("merge", "cow", "dog")
    ]


FAIL = """
const real = window.fetch;
window.fetch = async (path, options) => {
  if (path !== "/api/undo") return real(path, options);
  window.fetch = real;
  return new Response('{"error": "This was NOT saved"}', { status: 503 });
};"""


def test_an_undo_that_was_refused_or_failed_is_tried_again_by_the_next(
    review, chromium, tmp_path
):
    server = review(*arguments(tmp_path))
    page = Page(chromium, server.link)
    page.answer("k")
    page.answer("k")
    chromium.execute_script(FAIL)
    page.press("u")
    assert page.text("alert") == "This was NOT saved"
    # its image has changed in another window
    server.decide(1, "remove", "cow")
    page.press("u")
    assert "ada removed “cow”" in page.text("alert")
    page.answer("u")
    assert page.text("place") == "2 of 11"
    # what was undone elsewhere is over, and the next is an older one
    server.decide(0, "exclude")
    page.press("u")
    assert "withdrawn already" in page.text("alert")
    rows = page.ask("fetch('/exports/decisions.csv').then((one) => one.text())")
    found = [
        (one["action"], one["withdraws"]) for one in csv.DictReader(rows.splitlines())
    ]
    assert found == [
        ("keep", ""), ("keep", ""), ("remove", ""), ("undo", "2"), ("undo", "1"),
        ("exclude", ""),
    ]  # fmt: skip
    page.ask("document.querySelector('#undo').click()")
    page.until("document.getElementById('said').textContent.includes('Undone: rem')")


def test_maps_and_texts_of_the_data_are_shown_and_nothing_of_them_runs(shown, chromium):
    page = Page(chromium, shown)
    assert page.ask("document.getElementById('image').src").split("?")[0].endswith("/0")
    page.press("o")
    assert "/maps/0/0" in page.ask("document.getElementById('image').src")
    assert page.until("document.getElementById('image').naturalWidth") == 16
    page.press("o")
    assert "/images/0" in page.ask("document.getElementById('image').src")
    assert f"whiskers{HOSTILE}" in page.text("definitions")
    page.press("n")
    page.press("n")
    page.until(f"document.getElementById('question').textContent.includes({HOSTILE!r})")
    page.press("c")
    page.press(HOSTILE)
    page.press(keys.Keys.ESCAPE)
    assert page.ask("window.hostile === undefined")
    assert page.ask("document.querySelectorAll('img[src=x]').length") == 0


def test_a_narrow_window_does_not_scroll_sideways(shown, chromium):
    page = Page(chromium, shown)
    width = "document.documentElement.scrollWidth"
    for place in range(1, 12):
        page.until(f"document.getElementById('place').textContent === '{place} of 11'")
        for narrow in (320, 390):
            page.size(narrow, 844)
            assert page.ask(width) <= narrow
        page.press("n")
    page.press("a")
    assert page.ask("document.getElementById('chooser').scrollWidth") <= 390


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The text of axe-core, which npm brings."""
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("no npm to bring axe-core")
    folder = tmp_path_factory.mktemp("axe")
    command = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "axe-core@4"]
    try:
        subprocess.run(
            [npm, *command], cwd=folder, check=True, capture_output=True, timeout=120
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"npm brings no axe-core: {error}")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def test_axe_finds_nothing_serious(shown, chromium, axe):
    page = Page(chromium, shown)

    def violations():
        page.browser.execute_script(axe)
        found = page.browser.execute_async_script(
            "const done = arguments[0]; axe.run().then((one) => done(one.violations));"
        )
        return [
            (one["id"], one["impact"], [node["html"] for node in one["nodes"]])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]

    assert violations() == []
    page.size(390, 844)
    assert violations() == []
    page.press("a")
    assert violations() == []
    page.press("no such label")
    assert violations() == []
    page.press(keys.Keys.ESCAPE)
    page.press("?")
    assert violations() == []
    page.press(keys.Keys.ESCAPE)
    page.press("k")
    page.press("p")
    page.until("document.getElementById('answer').className === 'answered'")
    assert violations() == []


def test_single_keys_can_be_switched_off_and_all_is_reached_by_tab(shown, chromium):
    page = Page(chromium, shown)
    counts = page.text("counts")
    page.press("?")
    page.press(keys.Keys.TAB, keys.Keys.SPACE, keys.Keys.ESCAPE)
    page.press("k", "e")
    assert page.text("counts") == counts
    reached = set()
    for _ in range(40):
        page.press(keys.Keys.TAB)
        reached.add(page.ask("document.activeElement.id || "
                             "document.activeElement.dataset.key"))  # fmt: skip
    assert reached >= {"next", "previous", "undo", "help", *"kwrfcame"}
    # the image's answer is given by Enter on its button
    page.ask("document.querySelector('[data-key=k]').focus()")
    page.answer(keys.Keys.ENTER)
    assert page.text("counts") != counts
