"""The challenge's files become one label table, and its known figures come out."""

import dataclasses

import numpy as np
import pytest

from data_pipelines import errors, labels
from data_pipelines.open_images import challenge_truth, lists
from data_pipelines.sources import inclusive_images
from inclusive_tf.evaluation import f2

HEADER = "ImageID,Source,LabelName,Confidence"
CORNERS = "XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
A, B, C = (f"{number:016x}" for number in (10, 11, 12))
TUNED, SCORED, OPEN = (f"{number:024x}" for number in (1, 2, 3))
FILES = {
    "train_human_labels.csv": f"{HEADER}\n{A},verification,/m/1,1\n"
    f"{B},verification,/m/2,1\n{C},verification,/m/9,1\n",
    "train_machine_labels.csv": f"{HEADER}\n{A},machine,/m/2,0.7\n",
    "train_bounding_boxes.csv": f"{HEADER},{CORNERS}\n"
    f"{B},xclick,/m/1,1,0,0.5,0,0.5,0,0,0,0,0\n",
    "class-descriptions.csv": "label_code,description\n/m/1,Trunk\n/m/2,Trunk\n",
    "classes-trainable.csv": "label_code\n/m/1\n/m/2\n/m/3\n",
    "tuning_labels.csv": f"{TUNED},/m/3 /m/1\n",
    "stage_1_solutions.csv": f"{TUNED},/m/3 /m/1\n{SCORED},/m/2\n",
    "stage_1_sample_submission.csv": "image_id,labels\n"
    f"{TUNED},/m/1\n{SCORED},/m/1\n{OPEN},/m/1\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def read(folder, vocabulary=None, **settings):
    config = inclusive_images.InclusiveImagesConfig(data_dir=str(folder), **settings)
    return inclusive_images.read_with_notes(config, vocabulary)


def confidences(table, image):
    row = table.ids.tolist().index(image)
    its = table.labels.take([row])
    return dict(
        zip(
            [table.vocabulary.ids[place] for place in its.index],
            its.confidence.tolist(),
            strict=True,
        )
    )


def test_the_layout_becomes_splits_groups_and_soft_targets(folder):
    table, notes = read(folder)
    assert table.vocabulary.ids == ("/m/1", "/m/2", "/m/3")
    assert table.vocabulary.names == ("Trunk", "Trunk", "/m/3")
    assert table.split_counts() == {"train": 3, "tuning": 1, "stage_1": 1}
    assert table.group_counts() == {"open_images": 3, "crowdsourced": 2}
    assert table.ids.tolist() == [A, B, C, TUNED, SCORED]
    assert table.locations[0] == str(folder.resolve() / "train" / f"{A}.jpg")
    assert table.locations[3] == str(
        folder.resolve() / "stage_1_test_images" / f"{TUNED}.jpg"
    )
    assert table.unlisted_is_absent
    assert confidences(table, A) == {"/m/1": 1.0, "/m/2": pytest.approx(0.7)}
    assert confidences(table, B) == {"/m/1": 1.0, "/m/2": 1.0}
    assert confidences(table, TUNED) == {"/m/1": 1.0, "/m/3": 1.0}
    assert "1 images of stage 1 are in the tuning set" in notes[0]
    assert "1 of 3 rows are of labels that are not in the vocabulary" in " ".join(notes)


def test_nothing_is_scored_that_was_tuned_on(folder):
    table, _ = read(folder)
    assert table.select_split("stage_1").ids.tolist() == [SCORED]


def test_images_without_truth_come_when_asked_for(folder):
    table, _ = read(folder, without_truth=True)
    bare = table.select_split("stage_1_without_truth")
    assert bare.ids.tolist() == [OPEN]
    assert not len(bare.labels.index)
    (folder / "stage_1_solutions.csv").unlink()
    table, _ = read(folder, without_truth=True)
    assert table.select_split("stage_1_without_truth").ids.tolist() == [SCORED, OPEN]
    assert "stage_1" not in table.split_names


def test_the_released_name_of_the_solutions_is_read_too(folder):
    (folder / "stage_1_solutions.csv").rename(
        folder / "inclusive_images_stage_1_solutions.csv"
    )
    assert read(folder)[0].split_counts()["stage_1"] == 1


def test_all_human_labels_may_be_asked_for(folder):
    table, notes = read(folder, trainable_only=False)
    assert table.vocabulary.ids == ("/m/1", "/m/2", "/m/9", "/m/3")
    assert confidences(table, C) == {"/m/9": 1.0}
    assert any("1 labels of the truth are in no human row" in note for note in notes)


def test_unlabelled_images_are_dropped_and_counted(folder):
    table, notes = read(folder, unlabelled="drop")
    assert table.split_counts()["train"] == 2
    assert "1 images of train without a label were left out" in notes


def test_missing_images_are_dropped_and_counted(folder):
    (folder / "train").mkdir()
    (folder / "train" / f"{A}.jpg").write_bytes(b"")
    table, notes = read(folder, missing_images="drop")
    assert table.ids.tolist() == [A]
    assert "4" in notes[-1]


def test_a_file_that_the_rule_does_not_need_may_be_absent(folder):
    (folder / "train_machine_labels.csv").unlink()
    (folder / "train_bounding_boxes.csv").unlink()
    table, _ = read(folder, fusion="human_only")
    assert confidences(table, A) == {"/m/1": 1.0}
    with pytest.raises(
        errors.DataError, match=r"train_machine_labels\.csv: .*does without: human_only"
    ):
        read(folder, fusion="maximum")


def test_held_out_images_are_the_same_for_a_seed(folder):
    rows = [f"{number:016x},verification,/m/1,1" for number in range(2000)]
    (folder / "train_human_labels.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    settings = {"fusion": "human_only", "validation_fraction": 0.2}
    first, again, other = (read(folder, **settings, seed=s)[0] for s in (1, 1, 2))
    assert abs(first.split_counts()["validation"] - 400) < 80
    assert sum(first.split_counts().values()) == 2002
    out = [set(table.select_split("validation").ids) for table in (first, again, other)]
    assert out[0] == out[1] != out[2]
    assert not out[0] & set(first.select_split("train").ids)


def test_a_model_drops_unknown_training_labels_and_refuses_unknown_truth(folder):
    vocabulary = labels.Vocabulary(["/m/3", "/m/2", "/m/1"])
    table, _ = read(folder, vocabulary)
    assert table.vocabulary is vocabulary
    assert confidences(table, A) == {"/m/1": 1.0, "/m/2": pytest.approx(0.7)}
    with pytest.raises(
        errors.DataError, match=r"tuning_labels\.csv, row 1: a label is not in the voc"
    ):
        read(folder, labels.Vocabulary(["/m/1"]))


def test_a_code_that_is_not_trainable_is_refused_in_the_truth(folder):
    with (folder / "stage_1_solutions.csv").open("a") as file:
        file.write(f"{OPEN},/m/1 /m/9\n")
    with pytest.raises(
        errors.DataError, match=r"row 3: a label is not in the vocabulary.*/m/9"
    ):
        read(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("train_human_labels.csv", f"{HEADER}\n", "", "row 1: there is no header"),
        ("train_human_labels.csv", C, C.upper(), "row 4: ImageID cannot be used"),
        ("train_human_labels.csv", C, "../" + C[3:], "row 4: ImageID cannot be used"),
        ("train_machine_labels.csv", "0.7", "nan", "row 2: Confidence cannot be used"),
        ("train_machine_labels.csv", "0.7", "1.7", "row 2: Confidence cannot be used"),
        ("train_bounding_boxes.csv", "0,0.5,0,", "1,0.5,0,", "row 2: XMin is larger"),
        (
            "train_bounding_boxes.csv",
            "XMax",
            "Xmax",
            "row 1: there is no column 'XMax'",
        ),
        ("tuning_labels.csv", TUNED, f"id,labels\n{TUNED}", "row 1: there is a header"),
        (
            "classes-trainable.csv",
            "label_code",
            "code",
            "row 1: the first row is neither",
        ),
    ],
)
def test_what_is_wrong_is_said_with_file_and_row(folder, name, old, new, said):
    text = FILES[name].replace(old, new, 1)
    assert text != FILES[name]
    (folder / name).write_text(text)
    with pytest.raises(errors.DataError) as caught:
        read(folder)
    assert said in str(caught.value)
    assert name in str(caught.value)


def test_unknown_choices_and_folders_are_refused(folder):
    for setting in ("fusion", "unlabelled", "missing_images"):
        with pytest.raises(errors.SettingError, match="no_such"):
            read(folder, **{setting: "no_such"})
    with pytest.raises(errors.DataError, match="there is no such folder"):
        read(folder / "absent")
    with pytest.raises(errors.DataError, match="--data_dir=FOLDER"):
        read("")


def test_facts_are_of_all_training_files(folder):
    config = inclusive_images.InclusiveImagesConfig(
        data_dir=str(folder), fusion="human_only"
    )
    found = inclusive_images.facts(config)
    assert set(found) == {"split", "fusion", "confidence", "boxes"}
    assert found["split"] == "train"
    assert found["fusion"]["sources"]["machine"]["lost"] == 1
    for name in inclusive_images.FILES.values():
        (folder / name).unlink()
    assert inclusive_images.facts(config) == {}


@pytest.fixture(scope="module")
def challenge(real_data):
    folder = real_data / "inclusive_images"
    if not folder.is_dir():
        pytest.skip("no label files of the challenge among the real data")
    return folder


@pytest.fixture(scope="module")
def challenge_table(challenge):
    return read(challenge)


def test_the_challenges_counts_come_out(challenge_table):
    table, notes = challenge_table
    assert len(table.vocabulary) == 7_178
    assert table.split_counts() == {"tuning": 1_000, "stage_1": 32_088 - 990}
    assert notes[0].startswith("990 images of stage 1 are in the tuning set")
    assert "there are no training files" in notes[1]
    tuning = table.select_split("tuning").labels
    assert np.count_nonzero(tuning.counts()) == 484
    assert len(tuning.index) == 2_386
    assert len(set(table.vocabulary.names)) < len(table.vocabulary)


def test_stage_1_holds_2778_labels_908_of_them_once(challenge):
    truth = lists.read_truth(challenge / "stage_1_solutions.csv")
    codes = [code for _, its in truth.values() for code in its]
    _, counts = np.unique(codes, return_counts=True)
    assert (len(truth), len(counts)) == (32_088, 2_778)
    assert np.count_nonzero(counts == 1) == 908
    assert len(codes) / len(truth) == pytest.approx(2.561, abs=5e-4)
    shared = set(truth) & set(lists.read_truth(challenge / "tuning_labels.csv"))
    assert len(shared) == 990


def test_483_images_of_stage_1_have_no_truth(challenge):
    table, _ = read(challenge, without_truth=True)
    assert table.split_counts()["stage_1_without_truth"] == 483


@pytest.fixture(scope="module")
def all_of_stage_1(challenge, challenge_table):
    """`labels.SparseLabels` of all 32,088 rows, those of the tuning set among them."""
    path = challenge / "stage_1_solutions.csv"
    truth = {"stage_1": (path, lists.read_truth(path))}
    vocabulary = challenge_table[0].vocabulary
    return challenge_truth.as_parts(truth, vocabulary, challenge)[0].labels


def mean_f2(given, truth):
    """Mean F2 of bool [N, C] answers, or of one answer, bool [C], to all images."""
    logits = np.where(given, np.float32(1), np.float32(-1))
    return f2.mean_f2(
        np.broadcast_to(logits, (len(truth), truth.num_classes)), 0, truth
    )


def test_the_constant_answer_scores_what_is_known(challenge_table, all_of_stage_1):
    table, _ = challenge_table
    answer = np.isin(table.vocabulary.ids, ["/m/01g317", "/m/05s2s", "/m/07j7r"])
    for truth, known in (
        (table.select_split("tuning").labels, 0.2379),
        (all_of_stage_1, 0.2409),
        (table.select_split("stage_1").labels, 0.2409),
    ):
        assert mean_f2(answer, truth) == pytest.approx(known, abs=5e-5)


def test_knowing_the_tuning_labels_alone_has_a_ceiling(challenge_table, all_of_stage_1):
    table, _ = challenge_table
    known = table.select_split("tuning").labels.counts() > 0
    # the known figure counts the 990 images whose labels the tuning set shows
    for truth, ceiling in (
        (all_of_stage_1, 0.8901),
        (table.select_split("stage_1").labels, 0.8873),
    ):
        # labels that no image shows change nothing
        used, index = np.unique(truth.index, return_inverse=True)
        truth = dataclasses.replace(
            truth, index=index.astype(np.int32), num_classes=len(used)
        )
        total = 0.0
        for first in range(0, len(truth), 4000):
            rows = np.arange(first, min(first + 4000, len(truth)))
            part = truth.take(rows)
            total += len(part) * mean_f2(part.multi_hot() & known[used], part)
        assert total / len(truth) == pytest.approx(ceiling, abs=5e-5)


def test_107_of_the_shared_images_have_another_truth_in_stage_1(challenge):
    tuning = lists.read_truth(challenge / "tuning_labels.csv")
    stage_1 = lists.read_truth(challenge / "stage_1_solutions.csv")
    shared = tuning.keys() & stage_1.keys()
    assert sum(set(tuning[i][1]) != set(stage_1[i][1]) for i in shared) == 107


def test_only_training_has_boxes(folder):
    config = inclusive_images.InclusiveImagesConfig(data_dir=str(folder))
    boxes = (str(folder / "train_bounding_boxes.csv"),)
    assert inclusive_images.box_files(config, "validation") == boxes
    assert inclusive_images.box_files(config, "stage_1") == ()
