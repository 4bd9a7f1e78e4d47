"""Measures how many planted label errors an audit finds, on the default data.

    python -m tools.benchmarks.label_suspects --work=runs/label_suspects
    python -m tools.benchmarks.label_suspects --work=runs/label_suspects --networks=2

The garment of --share of the training images is replaced by another, and the family
with it (`audit.planting`). The default model is trained on the wrong labels, without
resampling, and every way of `tools.audit` looks for them; `in-sample logits` is the
mistake that the ways avoid, `cleanlab's order` its ranking of the refit's
probabilities, `refit with pixels` what --pixels=16 does. With --networks=K as many
further networks are trained, each without one of K parts, and judge that part.

Prints a table in Markdown: of the first as many images as were planted, how many are
planted ones, and the share found by the band of the wrongly given and of the truly
shown label, each with Wilson's 95 % interval. Ends with exit code 3 where the refit
finds less than 0.75, or less than 0.10 of what is given to the tail. Trainings that are
there are not repeated.
"""

import json
import pathlib

from absl import flags

from flags import data_flags
from tools import calling, command, parts
from tools.benchmarks import tables

FLAGS = flags.FLAGS
LEAST, LEAST_IN_TAIL = 0.75, 0.10
PIXELS = 16


def plant(work, config, share, seed):
    """Writes the corrections that plant errors, unless they are there.

    Returns:
        (path of the corrections, {image id: (shown, given)}).

    Raises:
        errors.SettingError: others than these are there.
    """
    from data_pipelines import atomic, corrections, datasets, errors
    from data_pipelines.sources import fashion_regions
    from inclusive_tf.audit import planting

    log, truth = work / "planted.csv", work / "planted.json"
    asked = {"share": share, "seed": seed}
    if not truth.is_file():
        table, _ = datasets.read_labels(config)
        rows, planted = planting.wrong_labels(
            table.select_split("train"), fashion_regions.FAMILIES, share, seed
        )
        log.unlink(missing_ok=True)
        corrections.append(log, rows)
        atomic.write_json(truth, asked | {"planted": planted})
    found = json.loads(truth.read_text("utf-8"))
    made = {name: found.get(name) for name in asked}
    if made != asked:
        raise errors.SettingError(
            f"{work} holds another planting, and networks trained on it. Expected: "
            f"another --work, or {made}. Received: {asked}."
        )
    return log, {image: tuple(pair) for image, pair in found["planted"].items()}


def trained(run, log, split, *arguments):
    """Trains and predicts a split, unless that is there; returns its folder."""
    folder = run / "predictions" / split
    if not folder.is_dir():
        data = [f"--data_dir={FLAGS.data_dir}", f"--cache_dir={FLAGS.cache_dir}",
                f"--data_seed={FLAGS.data_seed}", f"--corrections={log}"]  # fmt: skip
        calling.call("train", f"--run={run}", "--resampling=none", *data, *arguments)
        calling.call("predict", f"--run={run}", f"--predict_splits={split}", *data[:2])
    return folder


def measure(loaded, planted, ways):
    """Yields (name, `measuring.found`) of each way."""
    from inclusive_tf.audit import (
        auditing,
        inputs,
        label_suspects,
        measuring,
    )

    predictions = inputs.stacked(loaded)
    counts = predictions.truth.counts()

    def judged(rows):
        return measuring.found(rows, planted, counts, predictions.vocabulary)

    for name, way in ways.items():
        config = auditing.AuditConfig(way)
        logits, _ = auditing.label_logits(loaded, config)
        yield name, judged(label_suspects.find(predictions, logits).suspects)
        if name == "refit":
            yield "cleanlab's order", judged(measuring.by_cleanlab(predictions, logits))


def main(_):
    """Plants, trains, measures and prints."""
    from data_pipelines import datasets
    from inclusive_tf.audit import from_run, inputs

    work = pathlib.Path(FLAGS.work)
    work.mkdir(parents=True, exist_ok=True)
    data = data_flags.data_config()
    log, planted = plant(work, data, FLAGS.share, FLAGS.plant_seed)
    folder = trained(work / "one", log, "train", f"--epochs={FLAGS.epochs}")
    ways = {
        "in-sample logits": "held_out",
        "refit": "refit",
        "neighbours": "neighbours",
        "agreement": "agreement",
    }
    loaded = inputs.load([folder])
    found = dict(measure(loaded, planted, ways))
    table, _ = datasets.read_labels(data)
    loaded = [from_run.with_pixels(part, table, PIXELS) for part in loaded]
    named = measure(loaded, planted, {"refit with pixels": "refit"})
    found |= dict(named)
    if FLAGS.networks:
        share = 1 / FLAGS.networks
        # as many steps as the one network takes
        epochs = round(FLAGS.epochs / (1 - share))
        folders = [
            trained(work / f"part{fold}", log, "held_out", f"--epochs={epochs}",
                    f"--held_out={share}", f"--held_out_fold={fold}")
            for fold in range(FLAGS.networks)
        ]  # fmt: skip
        name = f"{FLAGS.networks} networks"
        ways = {name: "held_out", f"{name}, each refitted": "refit"}
        found |= dict(measure(inputs.load(folders), planted, ways))
    print(text(found))
    refit = found["refit"]
    tail = next(band for band in refit["bands"] if band["name"] == "tail")
    met = tables.report(
        "`refit`",
        [
            tables.Figure("found of what was planted", refit["precision"]["value"],
                          "{:.3f}", least=LEAST),
            tables.Figure("found of what was given to the tail",
                          tail["given"]["value"] or 0, "{:.3f}", least=LEAST_IN_TAIL),
        ],
    )  # fmt: skip
    return parts.exit_code(met)


def text(found):
    """Returns a table: a row a way, and below it a row a band, by given and shown."""
    rows = []
    for name, one in found.items():
        planted = f"{_said(one['precision'])} of {one['planted']:,} planted"
        rows.append([f"**{name}**", planted, ""])
        rows += [
            [band["name"], _said(band["given"]), _said(band["shown"])]
            for band in one["bands"]
        ]
    return tables.table(["way, band", "found, label given", "label shown"], rows)


def _said(share):
    if share["value"] is None:
        return "n/a"
    return (
        f"{share['value']:.3f} ({share['low']:.3f} to {share['high']:.3f}, n = "
        f"{share['n']:,})"
    )


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    data_flags.define()
    flags.DEFINE_string("work", "runs/label_suspects", "Folder to work in.")
    flags.DEFINE_float("share", 0.05, "Share of the training images.", 0, 1)
    flags.DEFINE_integer("plant_seed", 0, "Seed of what is planted.", 0)
    flags.DEFINE_integer("epochs", 3, "Epochs of a training.", 1)
    flags.DEFINE_integer("networks", 0, "Cross-validated networks; 0 trains none.", 0)
    flags.register_validator(
        "networks", lambda count: count != 1, "one network cannot judge what it saw"
    )


if __name__ == "__main__":
    define()
    command.run(main)
