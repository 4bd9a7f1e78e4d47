"""The page over HTTP: what it answers, and whom it refuses."""

import json
import os
import pathlib
import re
import time

import numpy as np
import pytest

from data_pipelines import labels, suspects
from inclusive_tf.review import app, beside, guard, queue

HOST = "127.0.0.1:5000"
SAFE = {"Host": HOST, "Origin": f"http://{HOST}"}


class Browser:
    """A client that has opened the printed link."""

    def __init__(self, of, **more):
        made, self.guard = app.make(of, "Review <b>", **more)
        made.testing = True
        self.client = made.test_client()
        opened = self.client.get(
            f"/?token={self.guard.link_token}", headers={"Host": HOST}
        )
        assert (opened.status_code, opened.location) == (303, "/")
        self.cookie = opened.headers["Set-Cookie"]

    def get(self, path, **headers):
        return self.client.get(path, headers={"Host": HOST} | headers)

    def post(self, path, body, **headers):
        given = SAFE | {guard.TOKEN_HEADER: self.guard.write_token} | headers
        return self.client.post(path, json=body, headers=given)

    def decide(self, place, action, label="", new_label="", seen=0, **headers):
        body = {"place": place, "seen": seen, "action": action, "label": label,
                "new_label": new_label}  # fmt: skip
        return self.post("/api/decisions", body, **headers)


@pytest.fixture
def browser(full_desk):
    return Browser(full_desk)


def test_the_page_escapes_its_texts_and_runs_nothing_inline(full_desk):
    browser = Browser(full_desk, notes=["<script>alert(1)</script>"])
    page = browser.get("/")
    text = page.get_data(as_text=True)
    assert "Review &lt;b&gt;" in text
    assert "&lt;script&gt;alert(1)" in text
    assert not re.search(r"<script(?![^>]*\bsrc=)|\bon\w+=|\bstyle=|<style", text)
    assert browser.guard.link_token not in text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(browser):
    assert "HttpOnly" in browser.cookie
    assert "SameSite=Strict" in browser.cookie
    assert browser.cookie.startswith("review_5000=")


def test_an_item_has_what_the_page_shows(browser):
    item = browser.get("/api/suspects/0").get_json()
    assert (item["id"], item["kind"], item["row"]) == ("a.png", "wrong_label", 0)
    assert item["label"] == {"id": "cat", "name": "Cat"}
    assert item["definitions"][0]["checklist"][0] == "whiskers"
    assert item["others"] == [{"place": 5, "status": queue.OPEN}]
    assert item["counts"] == [6, 0, 0, 0]
    assert browser.get("/api/suspects/6").status_code == 404
    assert browser.get(f"/api/suspects/{10**30}").status_code == 404


def test_a_decision_brings_the_next_item(browser):
    answer = browser.decide(0, "relabel", "cat", "dog").get_json()
    assert answer["number"] == 1
    assert answer["said"] == "replaced “Cat” by “Dog”"
    assert answer["item"]["place"] == 1
    undone = browser.post("/api/undo", {"number": 1, "seen": 1, "place": 1})
    assert undone.get_json()["item"]["place"] == 0
    again = browser.post("/api/undo", {"number": 1, "seen": 2, "place": 1})
    assert again.status_code == 410
    assert "withdrawn already" in again.get_json()["error"]


@pytest.mark.parametrize("place", [-1, 6, 10**30])
def test_an_undo_from_a_place_that_there_is_not_is_not_written(browser, place):
    browser.decide(0, "keep")
    answer = browser.post("/api/undo", {"number": 1, "seen": 1, "place": place})
    assert answer.status_code == 404
    item = browser.get("/api/suspects/0").get_json()
    assert (item["seen"], item["status"]) == (1, queue.DECIDED)


def test_an_outdated_decision_is_told_what_changed(browser):
    browser.decide(0, "relabel", "cat", "dog")
    answer = browser.decide(0, "exclude")
    assert answer.status_code == 409
    said = answer.get_json()
    assert said["error"] == (
        "This has changed since you looked: ada replaced “Cat” by “Dog”"
    )
    assert said["item"]["labels"] == [{"id": "dog", "name": "Dog"}]
    undo = browser.post("/api/undo", {"number": 1, "seen": 0, "place": 0})
    assert undo.status_code == 409


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:5001"},
        {"Sec-Fetch-Site": "cross-site"},
        {guard.TOKEN_HEADER: "guess"},
        {guard.TOKEN_HEADER: ""},
        {guard.TOKEN_HEADER: "gu\u00e9ss"},
    ],
    ids=repr,
)
def test_writes_from_elsewhere_are_refused(browser, headers):
    answer = browser.decide(0, "exclude", **headers)
    assert answer.status_code == 403
    assert browser.get("/api/suspects/0").get_json()["seen"] == 0


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:5000", "127.0.0.1.evil.example:5000", ""]
)
def test_another_name_of_this_machine_is_refused(browser, host):
    """A site can have its name point to this machine: DNS rebinding."""
    for path in ("/", "/api/suspects/0", f"/?token={browser.guard.link_token}"):
        assert browser.get(path, Host=host).status_code == 421


def test_without_the_cookie_there_is_nothing(full_desk):
    browser = Browser(full_desk)
    for path in ("/", "/review.js", "/images/0", "/api/labels",
                 "/exports/decisions.csv", "/nowhere", "/?token=guess"):  # fmt: skip
        stranger = browser.client.application.test_client()
        assert stranger.get(path, headers={"Host": HOST}).status_code == 403
    forged = {"Host": HOST, "Cookie": "review_5000=guess\u00e9"}
    assert stranger.get("/", headers=forged).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/images/../../etc/passwd", "/images/%2e%2e%2fetc%2fpasswd", "/images/-1",
        "/images/6", "/images/a.png", "/images/" + "9" * 5000, "/maps/0/0", "/maps/9/0",
        "/static/review.js", "/templates/review.html", "/../setup.cfg",
        "/exports/..%2fsetup.cfg", "/exports/setup.cfg",
    ],
    ids=range(13),
)  # fmt: skip
def test_no_path_reaches_the_file_system(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 404
    assert b"root:" not in answer.data


def test_images_are_sent_as_they_are_and_only_images(browser, full_desk):
    answer = browser.get("/images/0")
    path = pathlib.Path(full_desk.table.locations[0])
    assert answer.data == path.read_bytes()
    assert answer.content_type == "image/png"
    with open(full_desk.table.locations[1], "w") as file:
        file.write("<svg onload='alert(1)'>")
    assert browser.get("/images/1").status_code == 415
    os.unlink(full_desk.table.locations[2])
    missing = browser.get("/images/2")
    assert missing.status_code == 404
    assert "No such file" in missing.text
    assert str(path.parent) not in missing.text


@pytest.mark.parametrize(
    "body",
    [
        [], "x", {}, {"place": 0}, {"place": "0", "seen": 0, "action": "keep",
        "label": "", "new_label": ""}, {"place": True, "seen": 0, "action": "keep",
        "label": "", "new_label": ""}, {"place": 0, "seen": 0, "action": "burn",
        "label": "", "new_label": ""}, {"place": 0, "seen": 0, "action": "relabel",
        "label": "cat", "new_label": "x" * 501}, {"place": 0, "seen": 0,
        "action": "undo", "label": "", "new_label": ""},
    ],
    ids=range(9),
)  # fmt: skip
def test_requests_of_another_form_are_refused(browser, body):
    answer = browser.post("/api/decisions", body)
    assert answer.status_code == 422
    assert answer.get_json()["error"]


@pytest.mark.parametrize("name", ["action", "label", "new_label"])
def test_half_a_character_is_refused(browser, name):
    """JSON can hold one half of a surrogate pair, and UTF-8 cannot."""
    body = {"place": 0, "seen": 0, "action": "relabel", "label": "cat",
            "new_label": "dog"} | {name: "\ud800"}  # fmt: skip
    headers = SAFE | {
        guard.TOKEN_HEADER: browser.guard.write_token,
        "Content-Type": "application/json",
    }
    answer = browser.client.post(
        "/api/decisions", data=json.dumps(body), headers=headers
    )
    assert answer.status_code == 422
    assert "no text" in answer.get_json()["error"]


def test_large_and_foreign_requests_are_refused(browser):
    huge = {"place": 0, "label": "x" * guard.MOST_BYTES}
    assert browser.post("/api/decisions", huge).status_code == 413
    headers = SAFE | {guard.TOKEN_HEADER: browser.guard.write_token}
    form = browser.client.post("/api/decisions", data={"a": 1}, headers=headers)
    assert form.status_code == 415
    headers["Content-Type"] = "application/json"
    cut = browser.client.post("/api/decisions", data="{", headers=headers)
    assert cut.status_code == 400
    assert browser.get("/api/decisions").status_code == 405
    assert browser.decide(99, "keep").status_code == 404


def test_what_cannot_be_written_is_said_not_to_be_saved(browser, full_desk):
    full_desk.log._connection.execute("PRAGMA query_only = 1")
    answer = browser.decide(0, "keep")
    assert answer.status_code == 503
    assert "NOT saved" in answer.get_json()["error"]
    full_desk.log._connection.execute("PRAGMA query_only = 0")
    assert browser.decide(0, "keep").get_json()["number"] == 1


def test_exports_can_be_taken_along(browser):
    browser.decide(0, "relabel", "cat", "dog")
    answer = browser.get("/exports/corrections.csv")
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=corrections.csv"
    )
    assert answer.text.splitlines()[1].endswith(",ada,relabel,a.png,cat,dog")
    for name in ("decisions.csv", "label_studio.json", "label_studio.xml"):
        assert browser.get(f"/exports/{name}").status_code == 200


def test_tasks_for_label_studio_name_images_where_it_serves_them(full_desk):
    browser = Browser(full_desk, label_studio_prefix="s3://mine/")
    tasks = browser.get("/exports/label_studio.json").get_json(force=True)
    assert [one["data"]["image"] for one in tasks[:2]] == [
        "s3://mine/a.png", "s3://mine/b.png",
    ]  # fmt: skip


def test_maps_and_neighbours_are_shown(make_desk, tmp_path):
    class Near:
        def of(self, row):
            return [(4, 0.5)] if row == 0 else []

    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "m.png").write_bytes(b"\x89PNG\r\n\x1a\nmap")
    (tmp_path / "maps" / "cases.json").write_text(
        '{"cases": [{"id": "a.png", "panels": [{"label": "cat", "role": "missed", '
        '"maps": [{"method": "occlusion", "png": "m.png", "degenerate": false}]}]}]}'
    )
    browser = Browser(
        make_desk(maps=beside.Maps([tmp_path / "maps"]), neighbours=Near())
    )
    item = browser.get("/api/suspects/0").get_json()
    assert item["maps"] == [{"label": "cat", "role": "missed", "method": "occlusion",
                             "degenerate": False}]  # fmt: skip
    assert browser.get("/maps/0/0").data.endswith(b"map")
    assert browser.get("/maps/0/1").status_code == 404
    assert browser.get("/maps/1/0").status_code == 404
    (near,) = browser.get("/api/neighbours/0").get_json()["neighbours"]
    assert (near["id"], near["distance"]) == ("e.png", 0.5)
    assert near["labels"] == [{"id": "dog", "name": "Dog"}]
    assert browser.get("/api/neighbours/3").get_json() == {"neighbours": []}


def test_many_suspects_open_fast_and_answer_fast(make_desk, tmp_path):
    """Limits are many times what is measured, for busy machines."""
    count = 100_000
    names = np.char.add("image", np.arange(count).astype(str))
    table = labels.LabelTable(
        ids=names,
        locations=names,
        labels=labels.SparseLabels.from_lists([[row % 50] for row in range(count)], 50),
        vocabulary=labels.Vocabulary([f"label{number}" for number in range(50)]),
        group=np.zeros(count, np.int32),
        group_names=("g",),
        split=np.zeros(count, np.int32),
        split_names=("train",),
    )
    found = [
        suspects.Suspect(name, "wrong_label", f"label{row % 50}",
                         f"label{(row + 1) % 50}", 1 - row / count)
        for row, name in enumerate(names.tolist())
    ]  # fmt: skip
    start = time.perf_counter()
    browser = Browser(make_desk(found, of=table))
    assert browser.get("/api/suspects/0").status_code == 200
    assert time.perf_counter() - start < 10
    start = time.perf_counter()
    for place in range(20):
        answer = browser.decide(place, "keep", seen=place)
        assert answer.get_json()["item"]["place"] == place + 1
    assert time.perf_counter() - start < 20 * 0.25
