"""The page of errors: small, contained, escaped, and quick in a real browser."""

import html.parser
import re
import shutil

import pytest

from data_pipelines import errors
from inclusive_tf.report import errors_page, tensorboard

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }} {% raw %}",
    "\u202eturned\u202c \x1b[31m",
    "W" * 5_000,
)
FACTS = {
    "row": "as trained",
    "split": "stage_2",
    "given_from": 0.3,
    "chosen": ["highest loss", "right here, wrong there"],
}


def _whole(make, count=3):
    """Cases with all that can be shown of them."""
    cases = make.cases(count)
    for case in cases:
        for panel in case["panels"]:
            panel["examples"] = [
                {"id": "train-7", "image_png": case["image_png"], "truth": ["Bag"],
                 "distance": 1.25}
            ]  # fmt: skip
    cases[0]["beside"] = make.cases(1)[0]
    return cases


def _pictures(make):
    png = make.cases(1)[0]["image_png"]
    return [{"label": "Bag", "probability": 0.97, "png": png}]


class Reader(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def _assert_contained(text):
    reader = Reader(text)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in text
    tags = {tag for tag, _ in reader.tags}
    assert not {"script", "iframe", "object", "link"} & tags
    for _, attributes in reader.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset"):
            assert attributes.get(name, "#").startswith(("data:image/", "#"))
    assert "url(" not in text
    return reader


def test_each_error_shows_all_that_is_known_of_it(make):
    cases = _whole(make)
    text = errors_page.render(cases, FACTS | make.results()["explanations"],
                              _pictures(make))  # fmt: skip
    reader = _assert_contained(text)
    said = " ".join(" ".join(reader.text).split())
    for case in cases:
        assert case["id"] in said
    assert said.count("nearest in training:") == 5
    assert "Beside it, from target/street" in said
    assert "Labels are given from 0.12 on" in said
    assert "given 0.97" in said
    images = [attributes for tag, attributes in reader.tags if tag == "img"]
    assert all(len(one["alt"]) > 5 for one in images)
    lazy = [one for one in images if one.get("loading") == "lazy"]
    assert len(lazy) == len(images) - 3
    assert all(one["src"].startswith("data:image/jpeg") for one in lazy)
    assert all(int(one["width"]) <= 168 for one in lazy)


def test_hostile_names_are_shown_and_do_nothing(make):
    case = _whole(make, 1)[0]
    for number, hostile in enumerate(HOSTILE):
        other = HOSTILE[number - 1]
        panel = case["panels"][0] | {"label": hostile, "role": other}
        panel["maps"] = [one | {"method": hostile} for one in panel["maps"]]
        panel["examples"] = [
            one | {"id": hostile, "truth": [other]} for one in panel["examples"]
        ]
        spoiled = case | {
            "id": hostile, "group": other, "why": hostile, "truth": [hostile],
            "decided": [other], "scores": [{"name": hostile, "probability": 0.5}],
            "panels": [panel], "beside": make.cases(1)[0] | {"id": hostile},
        }  # fmt: skip
        facts = FACTS | {"row": hostile, "split": hostile, "chosen": [hostile]}
        pictures = [_pictures(make)[0] | {"label": hostile}]
        text = errors_page.render([spoiled], facts, pictures)
        reader = _assert_contained(text)
        assert not [one for one in HOSTILE[:3] if one in text]
        assert "49" not in "".join(reader.text).split("{{ 7 * 7 }}")[-1][:3]
        assert not set("\x1b\u202e\u202c") & set(text)
        assert max(len(word) for one in reader.text for word in one.split()) <= 82


def test_pictures_shrink_until_the_page_fits(make):
    cases = _whole(make)
    free = errors_page.render(cases, FACTS)
    limit = len(free) * 3 // 4
    small = errors_page.render(cases, FACTS, most_bytes=limit)
    assert len(small.encode()) <= limit
    assert min(_widths(small)) < min(_widths(free))
    with pytest.raises(errors.DataError, match="page would be too large"):
        errors_page.render(cases, FACTS, most_bytes=1000)


def test_what_a_page_has_once_counts_once(make):
    """Pictures of labels are no part of what each error adds."""
    cases, pictures = _whole(make, 1) * 120, _pictures(make) * 40
    free = errors_page.render(cases, FACTS, pictures)
    limit = len(free.encode()) * 21 // 20
    found = errors_page.render(cases, FACTS, pictures, most_bytes=limit)
    assert max(_widths(found)) == max(_widths(free))


def _widths(text):
    return [int(width) for width in re.findall(r'width="(\d+)" height', text)]


def test_no_errors_and_too_many(make):
    assert "there were none" in errors_page.render([], FACTS)
    with pytest.raises(errors.DataError, match="at most 500"):
        errors_page.render(make.cases(1) * 501, FACTS)


def test_a_picture_that_is_no_png_is_refused(make):
    case = make.cases(1)[0] | {"image_png": b"<svg onload=alert(1)>"}
    with pytest.raises(errors.DataError, match="is not a PNG"):
        errors_page.render([case], FACTS)


def test_tensorboard_gets_the_same_errors(make, tmp_path):
    import tensorflow as tf

    for _ in range(2):
        tensorboard.write_errors(make.cases(2), tmp_path / "errors-stage_2")
    (path,) = (tmp_path / "errors-stage_2").glob("events.*")
    tags = [
        value.tag
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    ]
    assert tags == ["errors/001", "errors/002"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A headless Chromium; skips where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome import service

    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (program and driver):
        pytest.skip("no browser: install chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    profile = tmp_path_factory.mktemp("profile")
    for argument in (
        "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--window-size=1280,800", f"--user-data-dir={profile}",
    ):  # fmt: skip
        options.add_argument(argument)
    started = webdriver.Chrome(options=options, service=service.Service(driver))
    yield started
    started.quit()


def test_a_page_of_500_errors_loads_quickly_and_has_no_sideways_scrolling(
    browser, make, tmp_path
):
    cases = [
        case | {"id": f"{number} {HOSTILE[number % len(HOSTILE)]}"}
        for number, case in enumerate(_whole(make, 5) * 100)
    ]
    path = tmp_path / "errors.html"
    size = errors_page.write(cases, FACTS, _pictures(make), path)
    assert path.stat().st_size == size <= errors_page.MOST_BYTES
    browser.get("about:blank")
    browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    browser.get(path.as_uri())
    # the page counts as complete shortly before its load event has ended
    browser.execute_async_script(
        "const done = arguments[0], look = () => performance"
        ".getEntriesByType('navigation')[0].loadEventEnd ? done() : setTimeout(look);"
        "look();"
    )
    # seconds that the page's thread worked: other processes do not change them
    metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    (worked,) = [one["value"] for one in metrics if one["name"] == "TaskDuration"]
    assert worked < 3
    assert len(browser.find_elements("css selector", "article.case")) == 500
    for width in (1280, 390):
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True},
        )
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
    shown = browser.execute_async_script(
        "const done = arguments[0], image = document.querySelector('.case img');"
        "image.scrollIntoView();"
        "image.decode().then(() => done(image.naturalWidth), () => done(-1));"
    )
    assert shown > 0
