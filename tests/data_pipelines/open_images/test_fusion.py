"""Each rule is what a plain statement of it in pandas gives."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_pipelines import errors, labels
from data_pipelines.open_images import annotations, fused, fusion, kinds

CODES = [f"/m/{number}" for number in range(6)]
VOCABULARY = labels.Vocabulary(CODES[:5])
# eighths add up exactly in binary
EIGHTH = st.integers(0, 8).map(lambda number: number / 8)
LABEL_ROWS = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from(CODES), EIGHTH),
    min_size=1,
    max_size=25,
)
BOX_ROWS = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from(CODES),
        *[st.tuples(EIGHTH, EIGHTH).map(sorted)] * 2,
    ),
    min_size=1,
    max_size=25,
)


def as_rows(rows, corners=None, path="rows.csv"):
    """`annotations.Rows` of (image, code, confidence), each row a run of its own."""
    images, codes, confidence = zip(*rows, strict=True)
    texts = tuple(dict.fromkeys(codes))
    return annotations.Rows(
        path,
        kinds.Runs(np.array(images, np.uint64), np.arange(len(rows) + 1)),
        kinds.Codes(np.array([texts.index(code) for code in codes], np.int32), texts),
        np.array(confidence, np.float32),
        None if corners is None else np.array(corners, np.float32).T,
    )


def as_boxes(rows):
    return as_rows(
        [(image, code, 1.0) for image, code, *_ in rows],
        [[*x, *y] for *_, x, y in rows],
        "boxes.csv",
    )


def fuse(rule, human, machine, boxes):
    rows = {}
    if human:
        rows["human"] = as_rows(human)
    if machine:
        rows["machine"] = as_rows(machine)
    if boxes:
        rows["box"] = as_boxes(boxes)
    gathered = annotations.gather(rows, VOCABULARY, fusion.rule(rule).unite)
    result, report = fusion.fuse(gathered, rule)
    return fused.Fused(gathered.images, result, report, [])


def as_series(found):
    """{(image, code): confidence} of fused labels."""
    images = found.images[found.labels.rows()]
    codes = [VOCABULARY.ids[place] for place in found.labels.index]
    return dict(
        zip(
            zip(images.tolist(), codes, strict=True),
            found.labels.confidence.tolist(),
            strict=True,
        )
    )


def highest(rows):
    frame = pd.DataFrame(rows, columns=["image", "code", "confidence"])
    frame = frame[frame.code.isin(VOCABULARY.ids)]
    return frame.groupby(["image", "code"]).confidence.max()


def areas(boxes, unite):
    frame = pd.DataFrame(boxes, columns=["image", "code", "x", "y"])
    frame = frame[frame.code.isin(VOCABULARY.ids)]

    def area(its):
        pixels = np.zeros((8, 8))
        for (left, right), (top, bottom) in {
            (tuple(x), tuple(y)) for x, y in zip(its.x, its.y, strict=True)
        }:
            pixels[int(8 * top) : int(8 * bottom), int(8 * left) : int(8 * right)] += 1
        return (pixels.clip(max=1) if unite else pixels).sum() / 64

    return pd.Series(
        {key: area(its) for key, its in frame.groupby(["image", "code"])}, dtype=float
    )


def in_pandas(rule, human, machine, boxes):
    """{(image, code): confidence} by the rule's plain words."""
    unite = rule == "box_union"
    every = pd.concat(
        [highest(human).rename("human"), highest(machine).rename("machine"),
         areas(boxes, unite).rename("area")], axis=1,
    )  # fmt: skip
    every["box"] = every.area.where(every.area.isna(), 1.0)
    denied = every.human == 0
    rest = every[~denied]
    total = rest[["human", "machine", "area"]].sum(axis=1)
    if rule == "first_source":
        kept = rest.human.fillna(rest.machine).fillna(rest.box)
    elif rule == "maximum":
        kept = rest[["human", "machine", "box"]].max(axis=1)
    elif rule == "human_only":
        kept = rest.human.dropna()
    elif rule == "median_minus_deviation_over_set":
        kept = total[total >= total.median() - total.std(ddof=0) - 1e-6]
    else:
        by_image = total.groupby(level=0)
        bound = by_image.transform("median") - by_image.transform("std", ddof=0)
        kept = total[total >= bound - 1e-6]
    kept = kept[kept > 0].clip(upper=1.0)
    return kept.to_dict() | dict.fromkeys(every.index[denied], 0.0)


@pytest.mark.parametrize("rule", fusion.RULES)
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(human=LABEL_ROWS, machine=LABEL_ROWS, boxes=BOX_ROWS)
def test_a_rule_gives_what_its_words_say(rule, human, machine, boxes):
    human = [*human, (1, CODES[0], 1.0)]
    found = as_series(fuse(rule, human, machine, boxes))
    expected = in_pandas(rule, human, machine, boxes)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-6)


def test_an_image_with_two_labels_keeps_both():
    # 0.7 is no binary fraction: rounding must not decide
    for low in np.linspace(0.01, 0.99, 99):
        found = fuse(
            "median_minus_deviation_per_image",
            [(1, CODES[0], 1.0)],
            [(1, CODES[1], low)],
            [],
        )
        assert found.labels.index.tolist() == [0, 1]


def test_the_24th_place_drops_a_label_far_below_the_others():
    machine = [(1, code, 0.9) for code in CODES[:4]] + [(1, CODES[4], 0.5)]
    found = fuse("median_minus_deviation_per_image", [], machine, [])
    assert found.labels.index.tolist() == [0, 1, 2, 3]
    assert found.report.sources["machine"].lost == 1


def test_areas_add_up_beyond_1_and_are_clipped_only_as_targets():
    whole = [(1, CODES[0], [0, 1], [0, 1]), (1, CODES[0], [0, 1], [0, 0.5])]
    other = [(1, CODES[1], 1.0), (1, CODES[2], 1.0)]
    found = as_series(fuse("median_minus_deviation_per_image", other, [], whole))
    assert found[1, CODES[0]] == 1.0
    gathered = annotations.gather({"box": as_boxes(whole)}, VOCABULARY)
    assert fusion.summed(gathered).tolist() == [1.5]


def test_what_a_human_denies_stays_denied_whoever_else_affirms_it():
    box = [(1, CODES[0], [0, 1], [0, 1])]
    for rule in fusion.RULES:
        found = fuse(
            rule, [(1, CODES[0], 0.0), (1, CODES[1], 1.0)], [(1, CODES[0], 0.9)], box
        )
        assert as_series(found) == {(1, CODES[0]): 0.0, (1, CODES[1]): 1.0}
        assert found.report.absent == 1


def test_a_box_without_area_and_a_machine_that_says_0_are_no_verified_absence():
    flat = [(1, CODES[0], [0.5, 0.5], [0, 1])]
    human = [(1, CODES[2], 1.0)]
    found = fuse("median_minus_deviation_per_image", human, [(1, CODES[1], 0.0)], flat)
    assert as_series(found) == {(1, CODES[2]): 1.0}


def test_repeats_count_once_with_the_highest_confidence(write_labels, write_boxes):
    machine = write_labels(
        [(1, "/m/1", 0.5), (1, "/m/2", 0.7), (1, "/m/1", 0.75), (2, "/m/1", 0.5)]
    )
    half = (0, 0.5, 0, 1)
    boxes = write_boxes(
        [(1, "/m/3", half, "0,0,0,0,0"), (1, "/m/3", half, "1,0,0,0,0")]
    )
    found = fused.fuse(
        fused.read_rows({"machine": machine, "box": boxes}), VOCABULARY, "box_union"
    )
    assert as_series(found)[1, "/m/1"] == 0.75
    assert found.notes[0].startswith("labels.csv: 1 rows repeat an earlier one, the ")
    assert "in row 4" in found.notes[0]
    assert found.notes[1].startswith("boxes.csv: 1 rows repeat an earlier one, the ")
    assert "in row 3" in found.notes[1]
    summed = fused.fuse(
        fused.read_rows({"box": boxes}), VOCABULARY, "median_minus_deviation_per_image"
    )
    assert as_series(summed)[1, "/m/3"] == 0.5


@settings(deadline=None, max_examples=15)
@given(machine=LABEL_ROWS, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(machine, seed):
    shuffled = [
        machine[place]
        for place in np.random.default_rng(seed).permutation(len(machine))
    ]
    human = [(1, CODES[0], 1.0)]
    rule = "median_minus_deviation_per_image"
    first, second = (fuse(rule, human, rows, []) for rows in (machine, shuffled))
    np.testing.assert_array_equal(first.images, second.images)
    assert as_series(first) == as_series(second)


def test_wide_keys_are_sorted_too(monkeypatch):
    generator = np.random.default_rng(0)
    key = generator.integers(0, 50, 1000) * 2**55
    for limit in (50 * 2**55, 2**62):
        ordered, order = annotations._sorted(key, limit)
        np.testing.assert_array_equal(order, np.argsort(key, kind="stable"))
        np.testing.assert_array_equal(ordered, key[order])


def test_the_report_counts_what_was_given_agreed_on_and_lost():
    human = [(1, CODES[0], 1.0), (2, CODES[1], 0.0), (3, CODES[5], 1.0)]
    machine = [(1, CODES[0], 0.9), (1, CODES[1], 0.4), (2, CODES[1], 0.5)]
    boxes = [(1, CODES[0], [0, 0.5], [0, 0.5]), (1, CODES[2], [0, 0.5], [0, 1])]
    report = fuse("human_only", human, machine, boxes).report
    assert (report.images, report.given, report.kept, report.absent) == (3, 4, 1, 1)
    assert (report.present, report.images_without_label) == (1, 2)
    its = report.sources["machine"]
    assert (its.given, its.alone, its.lost, its.contradicted) == (3, 2, 2, 1)
    assert its.agreed == {"human": 1, "box": 1}
    assert (report.sources["human"].outside, report.sources["human"].denied) == (1, 1)
    assert report.sources["box"].images == 1
    weak = fuse("maximum", [], [(1, CODES[1], 0.4), (2, CODES[1], 0.5)], []).report
    assert (weak.kept, weak.present) == (2, 1)
    assert (weak.images_without_label, weak.images_without_present) == (0, 1)


@settings(deadline=None, max_examples=15)
@given(human=LABEL_ROWS, machine=LABEL_ROWS, boxes=BOX_ROWS)
def test_the_report_agrees_with_sets(human, machine, boxes):
    human = [*human, (1, CODES[0], 1.0)]
    found = fuse("median_minus_deviation_over_set", human, machine, boxes)
    given = {
        "human": set(highest(human)[lambda values: values > 0].index),
        "machine": set(highest(machine)[lambda values: values > 0].index),
        "box": set(areas(boxes, False).index),
    }
    kept = {key for key, value in as_series(found).items() if value > 0}
    assert found.report.given == len(set().union(*given.values()))
    assert found.report.kept == len(kept)
    for source, its in found.report.sources.items():
        others = [given[other] for other in given if other != source]
        assert its.given == len(given[source])
        assert its.images == len({image for image, _ in given[source]})
        assert its.alone == len(given[source].difference(*others))
        assert its.lost == len(given[source] - kept)
        assert its.agreed == {
            other: len(given[source] & given[other])
            for other in given
            if other != source
        }


def test_the_report_is_json_and_sentences():
    report = fuse("maximum", [(1, CODES[0], 1.0)], [(1, CODES[1], 0.5)], []).report
    assert json.loads(json.dumps(report.as_json()))["sources"]["human"]["alone"] == 1
    assert report.sentences() == [
        "fusion by maximum kept 2 of 2 labels of images, 2 of them at 0.5 or more; 0 "
        "are verified absent",
        "0 of 1 images have no label, 0 none of 0.5 or more",
        "human gave 1 labels on 1 images (0 with machine, 1 alone); 0 of them were "
        "lost, 0 since they are verified absent",
        "machine gave 1 labels on 1 images (0 with human, 1 alone); 0 of them were "
        "lost, 0 since they are verified absent",
    ]


def test_unknown_rules_and_nothing_to_look_at_are_refused():
    with pytest.raises(errors.SettingError, match=r"one of median_minus.*mean"):
        fusion.rule("mean")
    with pytest.raises(errors.DataError, match="nothing that rule human_only looks at"):
        fuse("human_only", [], [(1, CODES[0], 0.5)], [])
    with pytest.raises(errors.DataError, match="no row has a label that is asked for"):
        fuse("maximum", [], [(1, CODES[5], 0.5)], [])
