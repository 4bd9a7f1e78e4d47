"""Whatever a file holds, a reader gives what it says or an error of ours."""

import hashlib
import json
import pathlib
import shutil
import sqlite3

import hypothesis
import numpy as np
import pytest
import scipy.sparse
from hypothesis import strategies
from hypothesis.extra import numpy as array_strategies

from data_pipelines import (
    correction_log,
    corrections,
    decision_log,
    errors,
    exclusion,
    label_files,
    labels,
    suspects,
)
from data_pipelines.open_images import annotations, lists
from data_pipelines.sources import styles_csv, table
from inclusive_tf import predictions
from inclusive_tf import run as run_directory
from inclusive_tf.adaptation import adapted, smoothing
from inclusive_tf.evaluation import f2, figures, submissions

SETTINGS = hypothesis.settings(
    # a slow machine is no fault of an example, and there are many readers
    deadline=None,
    max_examples=hypothesis.settings().max_examples // 5,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
OURS = (errors.DataError, errors.SettingError)
IMAGE = "0123456789abcdef"
TEST_IMAGE = "0123456789abcdef01234567"
TIME = "2026-03-01T10:20:00+00:00"
VOCABULARY = labels.Vocabulary(("cat", "dog", "/m/0k4j"), ("Cat", "", "Car"))


def _table(**settings):
    def read(path):
        return table.read_with_notes(table.TableConfig(table=str(path), **settings))

    return read


TEXTS = {
    "table": (
        'path,labels,group,split\na.jpg,cat|dog,"n, w",train\nb.jpg,dog,s,train\n'
        "c/d.jpg,,s,test\n",
        _table(),
    ),
    "table with confidences": (
        "path,labels,confidence,absent,group,split\na.jpg,cat|dog,1|0.5,,n,train\n"
        "b.jpg,dog,0,cat,s,train\nc.jpg,cat,1.0,dog,s,tuning\n",
        _table(
            confidence_columns=("confidence",),
            absent_columns=("absent",),
            unlisted="unknown",
        ),
    ),
    "table with lists": (
        "path,labels,group,split\na.jpg,\"['cat', 'dog']\",n,train\n"
        'b.jpg,[],s,train\nc.jpg,"[""dog""]",s,tuning\n',
        _table(label_form="list"),
    ),
    "Open Images labels": (
        f"ImageID,Source,LabelName,Confidence\n{IMAGE},verification,/m/0k4j,1\n"
        f"{IMAGE},verification,/m/01g317,0\n",
        annotations.read_labels,
    ),
    "Open Images boxes": (
        "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n"
        f"{IMAGE},xclick,/m/0k4j,1,0.1,0.9,0,1\n",
        annotations.read_boxes,
    ),
    "codes": ("label_code\n/m/0k4j\n/m/01g317\n", lists.read_codes),
    "descriptions": (
        'LabelName,DisplayName \n/m/0k4j,Car\n/m/01g317,"Person, adult"\n',
        lists.read_descriptions,
    ),
    "truth": (f"{TEST_IMAGE},/m/0k4j /m/01g317\n", lists.read_truth),
    "sample answer": (
        f"image_id,labels\n{TEST_IMAGE},/m/0k4j\n",
        lists.read_answered_ids,
    ),
    "submission": ("image_id,labels\na,/m/1 /m/2\nb,\n", submissions.read_checked),
    "trainable codes": ("label_code\n/m/1\n/m/2\n", submissions.read_codes),
    "corrections": (
        f"{','.join(correction_log.HEADER)}\n{TIME},ada,remove,a.jpg,cat,\n"
        f"{TIME},ada,merge,,puppy,dog\n",
        corrections.read,
    ),
    "suspects": (
        f"{','.join(suspects.HEADER)}\na.jpg,wrong_label,cat,dog,0.97,given\n"
        "b.jpg,image,,,0.5,blurry\n",
        suspects.read,
    ),
    "exclusion": (
        f"{','.join(exclusion.HEADER)}\na.jpg,blurry,0.5,\nb.jpg,dark,0.1,so\n",
        lambda path: len(exclusion.read(path)),
    ),
    "styles": (
        f"{','.join(styles_csv.COLUMNS)}\n"
        "1,Men,Apparel,Top,Shirt,Blue,Fall,2011,Casual,A shirt, blue\n",
        lambda path: styles_csv.read(path, "read"),
    ),
    "vocabulary of a run": (
        "label,name,training_count\ncat,Cat,3\ndog,,1\n",
        lambda path: run_directory.Run(path.parent).read_vocabulary(),
    ),
    "JSON of a run": (
        '{"model": {"inputs": "image"}, "image": {"height": 8}}',
        lambda path: run_directory.Run(path.parent).read_json(path.name),
    ),
}
NAMES = {"vocabulary of a run": "vocabulary.csv"}


def _reads_or_refuses(read, path):
    said = None
    try:
        read(path)
    except OURS as error:
        said = str(error)
    assert said is None or 10 < len(said) < 2000, said


@pytest.mark.parametrize("name", TEXTS)
@SETTINGS
@hypothesis.given(data=strategies.data())
def test_a_changed_text_is_read_or_refused(name, changed, tmp_path_factory, data):
    text, read = TEXTS[name]
    path = tmp_path_factory.getbasetemp() / NAMES.get(name, "changed.csv")
    path.write_bytes(data.draw(changed(text.encode())))
    _reads_or_refuses(read, path)


@pytest.mark.parametrize("name", TEXTS)
def test_the_text_that_is_changed_is_sound(name, tmp_path):
    text, read = TEXTS[name]
    path = tmp_path / NAMES.get(name, "sound.csv")
    path.write_text(text, "utf-8")
    assert read(path)


def _parquet(path):
    import pyarrow as pa
    from pyarrow import parquet

    columns = {
        "path": ["a.jpg", "b.jpg"], "labels": [["cat"], ["cat", "dog"]],
        "group": ["n", "s"], "split": ["train", "train"],
    }  # fmt: skip
    parquet.write_table(pa.table(columns), path)


def _decisions(path):
    log = decision_log.Log(path, VOCABULARY)
    with log.writing():
        for more in ({}, {"label": "cat", "new_label": "dog"}):
            action = "relabel" if more else "keep"
            log.append(decision_log.Decision(TIME, "ada", action, "a.jpg", **more))
    log.close()


BINARIES = {
    "Parquet": (_parquet, _table()),
    "log of a review": (_decisions, corrections.read),
}


@pytest.mark.parametrize("name", BINARIES)
@SETTINGS
@hypothesis.given(data=strategies.data())
def test_a_changed_database_is_read_or_refused(name, changed, tmp_path_factory, data):
    make, read = BINARIES[name]
    folder = tmp_path_factory.getbasetemp() / "binaries"
    folder.mkdir(exist_ok=True)
    sound = folder / f"sound {name}"
    if not sound.exists():
        make(sound)
    path = folder / "changed"
    path.write_bytes(data.draw(changed(sound.read_bytes())))
    _reads_or_refuses(read, path)


@SETTINGS
@hypothesis.given(
    column=strategies.sampled_from(["before", "time", "action", "withdraws", "id"]),
    value=strategies.one_of(
        strategies.none(), strategies.integers(-(2**63), 2**63 - 1), strategies.text(),
        strategies.binary(), strategies.sampled_from(["[", "{}", "5"]),
    ),
)  # fmt: skip
def test_a_log_of_a_review_with_other_values_is_read_or_refused(
    tmp_path_factory, column, value
):
    path = tmp_path_factory.getbasetemp() / "other.sqlite"
    path.unlink(missing_ok=True)
    _decisions(path)
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER decisions_update")
    connection.execute("PRAGMA ignore_check_constraints = 1")
    try:
        connection.execute(
            f"UPDATE decisions SET {column} = ? WHERE number = 2", (value,)
        )
        connection.commit()
    except (sqlite3.Error, UnicodeEncodeError):
        hypothesis.reject()
    finally:
        connection.close()
    _reads_or_refuses(corrections.read, path)


def _sound_predictions():
    random = np.random.default_rng(0)
    return predictions.Predictions(
        ids=np.array(["a", "b", "c"]),
        logits=random.normal(size=(3, 3)).astype(np.float32),
        features=random.normal(size=(3, 4)).astype(np.float32),
        truth=labels.SparseLabels.from_lists([[0], [1, 2], []], 3),
        unlisted_is_absent=True,
        group=np.array([0, 1, 0], np.int32),
        group_names=("n", "s"),
        training_counts=np.array([3, 2, 1]),
        vocabulary=VOCABULARY,
        kernel=np.zeros((4, 3), np.float32),
        bias=np.zeros(3, np.float32),
        cluster=np.array([0, 0, 1], np.int32),
    )


def _sound_adaptation(**parts):
    fields = {"decision": np.zeros(3), "kernel": None, "bias": None} | parts
    return adapted.Adaptation(
        name="one",
        vocabulary_hash=VOCABULARY.hash,
        fitted_ids=np.array(["z"]),
        fitted_on={},
        figures={},
        **fields,
    )


def _layer(folder):
    kernel, bias = np.zeros((4, 3), np.float32), np.zeros(3, np.float32)
    _sound_adaptation(kernel=kernel, bias=bias).save(folder)


def _line(folder):
    intercept = np.ones(3, np.float32)
    _sound_adaptation(slope=0.5, intercept=intercept).save(folder)


def _smoothed(folder):
    weights = scipy.sparse.csr_array(np.eye(3, k=1, dtype=np.float32))
    centre = np.full(3, 0.5, np.float32)
    smoothed = smoothing.Smoothing(weights, centre, 0.7)
    _sound_adaptation(decision=0.5, smoothing=smoothed).save(folder)


def _evaluate(adaptation, one):
    """Numbers of strangers may overflow; a figure must still be one or refused."""
    with np.errstate(all="ignore"):
        changed, threshold = adapted.apply(adaptation, one)
        found = figures.figures(changed, threshold, resamples=2)
    scores = f2.per_image(
        changed.logits, threshold, changed.truth, changed.unlisted_is_absent
    )
    assert 0 <= scores.min() <= scores.max() <= 1
    assert 0 <= found["measures"]["mean_f2"]["value"] <= 1
    return True


def _evaluate_predictions(folder):
    one = predictions.load(folder)
    for adaptation in (
        _sound_adaptation(),
        _sound_adaptation(kernel=np.ones((4, 3), np.float32), bias=np.zeros(3)),
    ):
        _evaluate(adaptation, one)
    return True


def _evaluate_adaptation(folder):
    return _evaluate(adapted.load(folder), _sound_predictions())


def _label_table(folder):
    label_files.save(
        folder,
        labels.LabelTable(
            ids=np.array(["a", "b"]),
            locations=np.array(["a.jpg", "b.jpg"]),
            labels=labels.SparseLabels.from_lists([[0], [1, 2]], 3),
            vocabulary=VOCABULARY,
            group=np.zeros(2, np.int32),
            group_names=("all",),
            split=np.zeros(2, np.int32),
            split_names=("train",),
        ),
    )


FOLDERS = {
    "predictions": (
        lambda folder: _sound_predictions().save(folder),
        _evaluate_predictions,
        "manifest.json",
    ),
    "layer and thresholds": (_layer, _evaluate_adaptation, "adaptation.json"),
    "line and thresholds": (_line, _evaluate_adaptation, "adaptation.json"),
    "smoothed by associations": (_smoothed, _evaluate_adaptation, "adaptation.json"),
    "label table": (_label_table, label_files.load, "sums.json"),
}
JSON = strategies.recursive(
    strategies.one_of(
        strategies.none(), strategies.booleans(), strategies.floats(),
        strategies.integers(-(2**70), 2**70), strategies.text(max_size=20),
        strategies.sampled_from([0.0, -1.0, "false", "1"]),
    ),
    lambda inner: strategies.one_of(
        strategies.lists(inner, max_size=3),
        strategies.dictionaries(strategies.text(max_size=8), inner, max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip
ARRAYS = array_strategies.arrays(
    strategies.one_of(
        strategies.sampled_from([np.dtype(np.int32), np.dtype(np.int64),
                                 np.dtype(np.float32), np.dtype(np.float64)]),
        array_strategies.unicode_string_dtypes(max_len=4),
    ),
    array_strategies.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)  # fmt: skip


def _changed_array(sound):
    """Another array, one of another length, or one value everywhere."""
    flat = sound.ravel()
    return strategies.one_of(
        ARRAYS,
        strategies.integers(0, 9).map(lambda size: np.resize(flat, size)),
        strategies.sampled_from(flat.tolist() or [0]).map(
            lambda value: np.full_like(sound, value)
        ),
    )


def _changed_json(value, data):
    """Puts another value in one place of a JSON value."""
    if isinstance(value, dict | list) and value and data.draw(strategies.booleans()):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = data.draw(strategies.sampled_from(keys))
        copy = value.copy()
        copy[key] = _changed_json(value[key], data)
        return copy
    return data.draw(JSON)


def _sums_made_right(folder, manifest):
    """What a stranger would do who knows how folders are checked."""
    try:
        stored = json.loads((folder / manifest).read_text("utf-8"))
        sums = stored.get("sha256", stored)
        for name in sums:
            data = (folder / pathlib.PurePath(name).name).read_bytes()
            sums[name] = hashlib.sha256(data).hexdigest()
        (folder / manifest).write_text(json.dumps(stored), "utf-8")
    except (ValueError, OSError, AttributeError, TypeError, RecursionError):
        hypothesis.reject()


@pytest.mark.parametrize("name", FOLDERS)
def test_the_folder_that_is_changed_is_sound(name, tmp_path):
    make, read, _ = FOLDERS[name]
    make(tmp_path / "sound")
    assert read(tmp_path / "sound")


@pytest.mark.parametrize("name", FOLDERS)
@SETTINGS
@hypothesis.given(data=strategies.data())
def test_a_changed_folder_is_evaluated_or_refused(
    name, changed, tmp_path_factory, data
):
    make, read, manifest = FOLDERS[name]
    base = tmp_path_factory.getbasetemp() / "folders"
    sound, folder = base / f"sound {name}", base / "changed"
    if not sound.exists():
        make(sound)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)
    names = sorted(path.name for path in sound.iterdir())
    path = folder / data.draw(strategies.sampled_from(names))
    kind = data.draw(strategies.sampled_from(["bytes", "value", "gone"]))
    if kind == "gone":
        path.unlink()
    elif kind == "bytes":
        path.write_bytes(data.draw(changed(path.read_bytes())))
    elif path.suffix == ".json":
        value = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(_changed_json(value, data)), "utf-8")
    else:
        known = np.load(path) if path.suffix == ".npy" else np.zeros(3)
        array = data.draw(_changed_array(known))
        with open(path, "wb") as file:
            np.save(file, array)
    if path.name != manifest and kind != "gone":
        _sums_made_right(folder, manifest)
    _reads_or_refuses(read, folder)
