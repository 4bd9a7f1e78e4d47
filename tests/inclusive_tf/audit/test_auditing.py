"""A whole audit: its figures, its page, and what it refuses."""

import dataclasses
import json
import re

import numpy as np
import pytest

from data_pipelines import errors, image_attributes, labels
from inclusive_tf.audit import auditing, out_of_sample, page, shortcuts, summary

HOSTILE = "</td><script>alert(1)</script>"


@pytest.fixture
def audited(clustered):
    predictions, _ = clustered
    names = (HOSTILE, "dress & skirt", "\u202egnp.xe")
    predictions = dataclasses.replace(
        predictions,
        vocabulary=labels.Vocabulary(("a", "b", "c"), names),
        group=(np.arange(600) % 2).astype(np.int32),
        group_names=("north <b>", "south"),
    )
    config = auditing.AuditConfig(resamples=50)
    figures, rows = auditing.audit([predictions], None, 0.0, config)
    return predictions, figures, rows


def test_images_of_the_training_are_judged_by_a_refit(audited):
    _, figures, _ = audited
    assert figures["way"]["way"] == "refit"
    assert figures["judged"]["same"]
    assert figures["doubts"]["images"] >= 25
    given = {one["id"]: one["given"] for one in figures["doubts"]["classes"]}
    assert sum(given.values()) == 600


def test_the_figures_are_json(audited):
    _, figures, _ = audited
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_the_page_is_escaped_and_needs_nothing_from_outside(audited):
    predictions, figures, rows = audited
    text = page.render(figures, rows, predictions, HOSTILE)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "\u202e" not in text
    assert "default-src 'none'" in text
    targets = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert targets
    assert all(one.startswith("#") for one in targets)
    ids = set(re.findall(r' id="([^"]*)"', text))
    assert {one[1:] for one in targets} <= ids


def test_the_terminal_gets_no_marks_of_direction(audited):
    _, figures, rows = audited
    said = summary.text(figures, rows)
    assert "\u202e" not in said
    assert "suspicions about" in said


def test_held_out_predictions_count_as_they_are(clustered, make_predictions):
    predictions, _ = clustered
    judged = dataclasses.replace(predictions, source={"split": "tuning"})
    logits, way = auditing.label_logits([judged], auditing.AuditConfig())
    assert way.way == "held_out"
    np.testing.assert_array_equal(logits, judged.logits)


def test_several_networks_are_each_refitted_on_their_own_part(clustered):
    predictions, planted = clustered
    rows = np.random.default_rng(0).permutation(600).reshape(2, 300)
    parts = [
        dataclasses.replace(
            predictions.take(part),
            # another network has other features
            features=predictions.features[part] @ np.diag([sign, 1, 1, 1, 1, 1]),
            bias=np.full(3, sign, np.float32),
            source={"split": "held_out"},
        )
        for part, sign in zip(rows, (np.float32(1), np.float32(-1)), strict=True)
    ]
    found, way = auditing.label_logits(parts, auditing.AuditConfig())
    assert way.way == "refit"
    # which needs no split to be known
    unknown = [dataclasses.replace(part, source={}) for part in parts]
    np.testing.assert_array_equal(
        auditing.label_logits(unknown, auditing.AuditConfig())[0], found
    )
    best = dict(zip(rows.ravel().tolist(), found.argmax(axis=1), strict=True))
    assert np.mean([best[row] == true for row, (true, _) in planted.items()]) > 0.9


def test_one_class_only_is_refused(make_predictions):
    shown = np.zeros((40, 2), bool)
    shown[:20, 0] = True
    made = make_predictions(np.zeros((40, 2)), shown)
    with pytest.raises(errors.DataError, match="compares classes"):
        auditing.audit([made], None, 0.0, auditing.AuditConfig())


def test_without_errors_suspects_are_still_found(make_predictions):
    shown = np.eye(2, dtype=bool)[np.arange(40) % 2]
    judged = make_predictions(np.where(shown, 5.0, -5.0), shown)
    doubted = np.where(shown, 5.0, -5.0)
    doubted[0] = (-5.0, 5.0)
    made = make_predictions(doubted, shown)
    config = auditing.AuditConfig("held_out", resamples=0)
    figures, rows = auditing.audit([made], judged, 0.0, config)
    assert {row.id for row in rows} == {"i0000"}
    assert "all answers of 40 images are right" in figures["no_errors"]
    assert figures["shortcuts"] == {"missing": figures["no_errors"]}
    assert figures["pairs"] == figures["merges"] == []
    assert "no errors to look at" in page.render(figures, rows, made, "t")
    assert "none looked for" in summary.text(figures, rows)


def test_a_cluster_of_classes_is_told_with_what_merging_it_would_do(triplets):
    names = ("hat", HOSTILE, "book store", "shop", "tree")
    judged = dataclasses.replace(
        triplets, vocabulary=labels.Vocabulary(triplets.vocabulary.ids, names)
    )
    config = auditing.AuditConfig("held_out", resamples=20)
    figures, rows = auditing.audit([judged], judged, 0.0, config)
    *twos, cluster = figures["merges"]
    assert [one["pairs"] for one in twos] == [1, 1, 1]
    assert (cluster["into"]["id"], cluster["not_apart"], cluster["pairs"]) == (
        "b",
        3,
        3,
    )
    assert [one["id"] for one in cluster["from"]] == ["c", "d"]
    said = summary.text(figures, rows)
    (line,) = [line for line in said.splitlines() if line.startswith("a cluster")]
    assert "of 3 classes, 3 of 3 pairs not told apart: book store, shop into" in line
    assert f"{cluster['macro_f2']['difference']:+.3f}" in line
    assert "a cluster of 3 classes" in summary.headline(figures)
    text = page.render(figures, rows, judged, "t")
    assert "3 of 3 pairs not told apart" in text
    assert "<script" not in text


def test_one_group_without_images_leaves_shortcuts_out(clustered):
    predictions, _ = clustered
    figures, rows = auditing.audit(
        [predictions], None, 0.0, auditing.AuditConfig(resamples=0)
    )
    assert "one group" in figures["shortcuts"]["missing"]
    assert "Not looked for" in page.render(figures, rows, predictions, "t")
    assert "none looked for" in summary.text(figures, rows)


def of_known_images(made, rows):
    """The attributes of some images, in no order that the images have."""
    count = len(made)
    order = np.random.default_rng(9).permutation(count) / count
    values = dict.fromkeys(image_attributes.ORDERED, order)
    attributes = image_attributes.Attributes(values, np.zeros(count, np.int8))
    return attributes.take(rows)


def test_images_without_a_known_label_are_left_out_with_their_attributes(
    make_predictions,
):
    generator = np.random.default_rng(0)
    shown = np.eye(2, dtype=bool)[np.arange(400) % 2]
    shown[:150] = False  # nothing is known of these
    # the darker half of what shows a label is missed
    right = np.random.default_rng(9).permutation(400) >= 200
    logits = np.where(shown & right[:, None], 3.0, -3.0)
    logits += 0.1 * generator.normal(size=logits.shape)
    judged = make_predictions(logits, shown, unlisted_is_absent=False)
    doubted = make_predictions(logits[150:], shown[150:])
    config = auditing.AuditConfig("held_out", resamples=0)

    def rows(attributes, predictions):
        figures, _ = auditing.audit(
            [doubted], predictions, 0.0, config, auditing.Context(attributes)
        )
        assert figures["judged"]["images"] == 250
        return figures["shortcuts"]["rows"]

    found = rows(of_known_images(judged, np.arange(400)), judged)
    kept = np.arange(150, 400)
    assert found == rows(of_known_images(judged, kept), judged.take(kept))
    missed = [row for row in found if row["error"] == shortcuts.MISSED]
    assert missed
    assert all(row["effect"]["value"] == 0.0 for row in missed)
    with pytest.raises(errors.DataError, match="of other images"):
        rows(of_known_images(judged, kept), judged)


def test_folds_and_neighbours_are_used_whatever_way_is_resolved(clustered):
    predictions, _ = clustered
    config = auditing.AuditConfig(folds=3, neighbours=7, seed=4)
    found, way = auditing.label_logits([predictions], config)
    assert way == out_of_sample.WayConfig("refit", 3, 7, 4)
    np.testing.assert_array_equal(found, out_of_sample.logits(predictions, way))


def without_features(predictions, source):
    return dataclasses.replace(
        predictions, features=np.zeros((len(predictions), 0), np.float32),
        kernel=None, bias=None, source=source,
    )  # fmt: skip


@pytest.mark.parametrize(
    "source", [{"ensemble": "mean"}, {"several": [{"split": "test"}, {}]}], ids=str
)
def test_without_a_known_split_no_way_is_chosen(clustered, source):
    predictions = without_features(clustered[0], source)
    with pytest.raises(errors.DataError, match="--way=held_out"):
        auditing.label_logits([predictions], auditing.AuditConfig())
    _, way = auditing.label_logits([predictions], auditing.AuditConfig("held_out"))
    assert way.way == "held_out"


def test_an_ensemble_on_its_training_images_is_not_taken_as_it_is(clustered):
    predictions = without_features(clustered[0], {"splits": ["train"]})
    with pytest.raises(errors.DataError, match="no features"):
        auditing.label_logits([predictions], auditing.AuditConfig())


def test_held_out_ensembles_in_parts_count_as_they_are(clustered):
    predictions, _ = clustered
    parts = [
        without_features(predictions.take(rows), {"splits": ["held_out"]})
        for rows in np.split(np.arange(600), 2)
    ]
    found, way = auditing.label_logits(parts, auditing.AuditConfig())
    assert way.way == "held_out"
    np.testing.assert_array_equal(found, predictions.logits)


def test_clusters_that_intervals_do_not_allow_for_are_said(clustered):
    predictions, _ = clustered
    config = auditing.AuditConfig(resamples=0)
    for cluster, said in ((np.arange(600) // 3, True), (np.arange(600), False)):
        made = dataclasses.replace(predictions, cluster=cluster.astype(np.int32))
        figures, rows = auditing.audit([made], None, 0.0, config)
        assert figures["judged"]["clusters"] == (200 if said else None)
        text = page.render(figures, rows, made, "t")
        assert ("200 clusters of images that belong together" in text) == said
        assert ("of 200 clusters" in summary.text(figures, rows)) == said


def test_training_images_that_cannot_be_read_are_counted_and_named(clustered):
    predictions, _ = clustered
    predictions = dataclasses.replace(
        predictions, group=(np.arange(600) % 2).astype(np.int32),
        group_names=("north", "south"),
    )  # fmt: skip
    context = auditing.Context(unread=("<b>.png", "c.png"))
    config = auditing.AuditConfig(resamples=0)
    figures, rows = auditing.audit([predictions], None, 0.0, config, context)
    assert figures["unread"] == {"images": 2, "first": "<b>.png"}
    assert "&lt;b&gt;.png" in page.render(figures, rows, predictions, "t")
    assert "2\u00a0training images could not be read" in summary.text(figures, rows)


def test_a_group_without_a_name_is_said(clustered):
    predictions, _ = clustered
    logits = np.where(predictions.truth.multi_hot(), 3.0, -3.0)
    logits[::3] *= -1
    judged = dataclasses.replace(
        predictions, logits=logits.astype(np.float32),
        group=(np.arange(600) % 3 > 0).astype(np.int32), group_names=("", "north"),
    )  # fmt: skip
    figures, rows = auditing.audit(
        [predictions], judged, 0.0, auditing.AuditConfig(resamples=0)
    )
    followed = summary.followed(figures)
    assert {row["attribute"] for row in followed} == {"group "}
    assert "where images are of group" in summary.shortcut(followed[0])
    assert "of group" in page.render(figures, rows, predictions, "t")
