"""Tables say what is not available and what is not apart from zero."""

from inclusive_tf.evaluation import figures, tables


def test_an_overview_has_a_line_for_each_set_of_figures(make_predictions):
    one = make_predictions()
    found = figures.figures(one, 0.0, resamples=50)
    lines = tables.overview([("constant answer", found), ("model", found)]).split("\n")
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1
    assert f"{found['measures']['mean_f2']['value']:.3f} (" in lines[1]


def test_empty_groups_are_not_available_and_the_worst_is_marked(make_predictions):
    found = figures.figures(make_predictions(), 0.0, resamples=50)
    lines = tables.groups(found).split("\n")
    assert "not available" in lines[4]
    worst = [line for line in lines if line.endswith("worst")]
    assert [line.split()[0] for line in worst] == [found["worst_group"]]


def test_too_few_images_are_said():
    interval = {"value": 2 / 3, "low": None, "high": None, "n": 3}
    text = "0.667 (n = 3, too few for an interval)"
    assert tables.interval_text(interval) == text
    interval |= {"n": 40, "clusters": 2}
    text = "0.667 (n = 40 in 2 clusters, too few for an interval)"
    assert tables.interval_text(interval) == text
    # no resamples were asked for
    assert tables.interval_text(interval | {"clusters": 20}) == "0.667"


def test_labels_left_out_of_a_table_are_counted(make_predictions):
    found = figures.figures(make_predictions(), 0.0, resamples=10)
    text = tables.classes(found, most=3)
    assert text.endswith("… and 4 labels more")
    assert [line.split()[0] for line in text.split("\n")[1:4]] == [
        "/m/0",
        "/m/1",
        "/m/2",
    ]


def test_names_of_strangers_cannot_act_on_a_terminal(make_predictions):
    found = figures.figures(make_predictions(), 0.0, resamples=10)
    found["classes"][0]["name"] = "\x1b[2J\u202e two\nlines " + "x" * 10_000
    text = tables.classes(found, most=3)
    assert not {"\x1b", "\u202e"} & set(text)
    assert max(map(len, text.split("\n"))) < 300


def test_a_difference_is_judged_by_its_interval(make_predictions):
    one = make_predictions()
    assert "better" in tables.comparison(figures.compare(one, 9.0, one, 0.0, 50))
    assert "worse" in tables.comparison(figures.compare(one, 0.0, one, 9.0, 50))
    same = tables.comparison(figures.compare(one, 0.0, one, 0.0, 50))
    assert same.count("not apart from 0") == 6
