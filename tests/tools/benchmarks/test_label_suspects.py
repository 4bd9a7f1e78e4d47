"""What the benchmark of planted label errors plants, measures and says."""

import json

from absl import flags

from inclusive_tf.audit import out_of_sample
from tools.benchmarks import label_suspects


def test_ways_are_measured_and_said(tmp_path):
    import numpy as np

    from data_pipelines import labels
    from inclusive_tf import predictions

    generator = np.random.default_rng(0)
    true = np.arange(240) % 3
    given = true.copy()
    given[:12] = (true[:12] + 1) % 3
    features = generator.normal(size=(240, 4)) + 5 * (np.arange(4) == true[:, None])
    predictions.Predictions(
        ids=np.array([f"i{row}" for row in range(240)]),
        logits=np.where(np.arange(3) == given[:, None], 5, -5).astype(np.float32),
        features=features.astype(np.float32),
        truth=labels.SparseLabels.from_lists([[label] for label in given.tolist()], 3),
        unlisted_is_absent=True,
        group=np.zeros(240, np.int32),
        group_names=("",),
        training_counts=np.array([80, 80, 80]),
        vocabulary=labels.Vocabulary(("a", "b", "c")),
        source={"split": "train"},
    ).save(tmp_path / "train")
    planted = {f"i{row}": ("abc"[true[row]], "abc"[given[row]]) for row in range(12)}
    ways = {"by heart": "held_out", "refit": "refit"}
    found = dict(label_suspects.measure([tmp_path / "train"], planted, ways))
    assert list(found) == ["by heart", "refit", "cleanlab's order"]
    assert found["by heart"]["precision"]["value"] == 0
    assert found["refit"]["precision"]["value"] > 0.9
    assert found["refit"]["replacement"]["value"] > 0.9
    said = label_suspects.text(found)
    assert "refit: " in said
    assert said.count("tail") == 3
    assert set(ways.values()) <= set(out_of_sample.WAYS)


def test_what_was_planted_is_planted_once(tmp_path):
    (tmp_path / "planted.json").write_text(json.dumps({"i1": ["a", "b"]}))
    log, planted = label_suspects.plant(tmp_path, None, 0.05, 0)
    assert log == tmp_path / "planted.csv"
    assert planted == {"i1": ("a", "b")}
    assert "work" not in flags.FLAGS
