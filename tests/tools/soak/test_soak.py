"""What the long tests look at is looked at rightly."""

import subprocess

from tools.soak import full_disk, fuzz, serving, strangers


def test_a_round_of_the_fuzz_says_how_many_files_were_tried():
    code, said, examples = fuzz.round_of(
        1, ["tests/hostile/test_readers.py", "-k", "exclusion"], profile="suite"
    )
    assert code == 0, said
    assert examples == 20


def test_what_a_round_found_is_kept_without_its_statistics():
    said = (
        "F.\n====== FAILURES ======\n___ test_a ___\nE  assert 1 == 2\n"
        "====== Hypothesis Statistics ======\n2 passing, 1 failing\n"
        "=== short test summary info ===\nFAILED test_a\n"
    )
    assert fuzz.found_in(said) == "___ test_a ___\nE  assert 1 == 2\n"
    assert fuzz.found_in("Fatal Python error") == "Fatal Python error"


def test_elements_that_a_name_made_are_found(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        "<script>draw(1)</script><p>&lt;script&gt;alert(1)</p><img src='data:x'>"
    )
    assert strangers.hostile_elements(page) == []
    page.write_text("<script>alert(1)</script><p>a<img src=x onerror=alert(1)></p>")
    assert strangers.hostile_elements(page) == ["script", "img"]


def _ended(code, said):
    return subprocess.CompletedProcess([], code, "", said)


def test_an_end_on_a_full_disk_is_one_line_and_leaves_all_as_it_was(tmp_path):
    before = {tmp_path / "a": "1"}
    line = "error: a: there is no room to write it.\n"
    assert full_disk.end_of(_ended(1, line), before, before) == ("refused", [])
    assert full_disk.end_of(_ended(0, ""), before, {}) == ("well", [])
    for done, after in (
        (_ended(1, "Traceback"), before),
        (_ended(1, "error: no such file\n"), before),
        (_ended(1, line), {}),
        (_ended(1, line), {tmp_path / "a": "2"}),
        (_ended(1, line), before | {tmp_path / ".a.x": "3"}),
    ):
        assert len(full_disk.end_of(done, before, after)[1]) == 1


def test_growing_memory_wrong_answers_and_new_traces_are_not_sound():
    sound = {"wrong": 0, "missed": 0, "traces": (1, 1), "memory": (100, 104, 110)}
    assert serving.is_sound(sound)
    for name, value in (("wrong", 1), ("missed", 1), ("traces", (1, 2)),
                        ("memory", (100, 106, 106))):  # fmt: skip
        assert not serving.is_sound(sound | {name: value})
