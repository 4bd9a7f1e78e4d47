"""What the benchmark of planted label errors plants, measures and says."""

import pytest
from absl import flags

from data_pipelines import datasets, errors
from data_pipelines.sources import fashion_regions
from data_pipelines.sources import table as table_source
from inclusive_tf.audit import inputs, out_of_sample
from tools import calling
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
    parts = inputs.load([tmp_path / "train"])
    found = dict(label_suspects.measure(parts, planted, ways))
    assert list(found) == ["by heart", "refit", "cleanlab's order"]
    assert found["by heart"]["precision"]["value"] == 0
    assert found["refit"]["precision"]["value"] > 0.9
    assert found["refit"]["replacement"]["value"] > 0.9
    said = label_suspects.text(found)
    assert "| **refit** | " in said
    assert said.count("tail") == 3
    assert set(ways.values()) <= set(out_of_sample.WAYS)


@pytest.fixture
def config(tmp_path):
    """A table of images of garments, of which none is there."""
    garments = list(fashion_regions.FAMILIES)
    lines = ["path,labels,group,split"]
    for row in range(60):
        garment = garments[row % len(garments)]
        shown = f"{garment}|{fashion_regions.FAMILIES[garment]}"
        lines.append(f"i{row}.png,{shown},north,train")
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(lines) + "\n")
    return datasets.DataConfig("table", table_source.TableConfig(str(table)))


def test_what_was_planted_is_planted_once(config, tmp_path):
    log, planted = label_suspects.plant(tmp_path, config, 0.1, 0)
    assert len(planted) == 6
    written = log.read_bytes()
    assert written.count(b"relabel") == 6
    assert label_suspects.plant(tmp_path, config, 0.1, 0) == (log, planted)
    assert log.read_bytes() == written
    assert "work" not in flags.FLAGS


@pytest.mark.parametrize(("share", "seed"), [(0.2, 0), (0.1, 1)])
def test_another_planting_in_the_same_folder_is_refused(config, tmp_path, share, seed):
    label_suspects.plant(tmp_path, config, 0.1, 0)
    with pytest.raises(errors.SettingError, match="another planting"):
        label_suspects.plant(tmp_path, config, share, seed)


def test_one_network_is_refused():
    done = calling.run("benchmarks.label_suspects", "--networks=1")
    assert done.returncode
    assert "one network cannot judge" in done.stderr + done.stdout
