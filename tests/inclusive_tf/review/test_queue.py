"""Suspicions come in their order, each question once."""

from data_pipelines import suspects
from inclusive_tf.review import desk as review_desk
from inclusive_tf.review import queue, replay


def test_suspicions_that_ask_the_same_are_one(table):
    found = [
        suspects.Suspect("a.png", "image", "", "", 0.7, "dark"),
        suspects.Suspect("b.png", "image", "", "", 0.75),
        suspects.Suspect("a.png", "image", "", "", 0.8, "blurry; small"),
        suspects.Suspect("a.png", "image", "", "", 0.6, "dark"),
        suspects.Suspect("a.png", "image", "", "", 0.6, "blurry; small"),
        suspects.Suspect("a.png", "wrong_label", "cat", "dog", 0.5),
    ]
    waiting = queue.Queue(found, replay.Replay(table), "s.csv")
    assert [(one.id, one.kind, one.score) for one in waiting.suspects] == [
        ("a.png", "image", 0.8), ("b.png", "image", 0.75),
        ("a.png", "wrong_label", 0.5),
    ]  # fmt: skip
    assert waiting.suspects[0].detail == "blurry; small; dark"
    assert waiting.counts == [3, 0, 0, 0]
    assert waiting.notes == [
        "3 suspects ask what a more suspicious one asks of the same image, and stand "
        "with it"
    ]


def test_one_answer_to_them_ends_the_question(make_desk):
    twice = [
        suspects.Suspect("a.png", "image", "", "", 0.7, "dark"),
        suspects.Suspect("a.png", "image", "", "", 0.6, "blurry"),
    ]
    desk = make_desk(twice)
    desk.decide(review_desk.Request(0, desk.item(0)["seen"], "keep"))
    assert desk.queue.counts == [0, 1, 0, 0]
    assert desk.queue.next_open(0) is None
