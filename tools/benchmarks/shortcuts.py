"""Measures whether an audit finds a planted shortcut first, and no other without it.

    python -m tools.benchmarks.shortcuts --work=runs/shortcuts

In a copy of the default data the training images of --label are darkened to --gain of
their light, in no other split. The default model is trained on the copy and on the data
as they are, without resampling, and both are audited on --judged. Prints the shortcuts
of both. Ends with exit code 3 where the first of the copy is not of the label, or of
another that stands on the same images, or where the data as they are raise one.
Trainings that are there are not repeated.
"""

import json
import pathlib

from absl import flags

from flags import data_flags
from tools import calling, command, parts
from tools.benchmarks import tables

FLAGS = flags.FLAGS


def shortcuts(work, folder, split, epochs):
    """Trains, predicts and audits; returns the shortcuts' rows of audit.json.

    Args:
        work: folder of the run and the audit.
        folder: of a table data set.
        split: whose errors are looked at.
        epochs: of the training.
    """
    run = work / "run"
    if not (run / "predictions" / split).is_dir():
        data = ["--dataset=table", f"--table={folder / 'labels.csv'}"]
        calling.call(
            "train", f"--run={run}", "--resampling=none", f"--epochs={epochs}", *data
        )
        calling.call("predict", f"--run={run}", f"--predict_splits={split}")
    calling.call(
        "audit", f"--run={run}", f"--predictions={run / 'predictions' / split}",
        f"--output={work / 'audit'}", "--way=held_out", "--bootstrap=0",
    )  # fmt: skip
    found = json.loads((work / "audit" / "audit.json").read_text("utf-8"))
    rows = found["shortcuts"]["rows"]
    return [row for row in rows if row["verdict"] == "shortcut"]


def main(_):
    """Plants, trains, audits and prints."""
    from data_pipelines.sources import fashion_regions
    from inclusive_tf.audit import planting, summary

    work = pathlib.Path(FLAGS.work)
    plain = fashion_regions.prepare(data_flags.config_from_flags())
    dark = work / "dark"
    if not dark.is_dir():
        planting.darkened(plain, dark, FLAGS.label, FLAGS.gain)
    family = fashion_regions.FAMILIES[FLAGS.label]
    found = {
        name: shortcuts(work / name, folder, FLAGS.judged, FLAGS.epochs)
        for name, folder in (("planted", dark), ("control", plain))
    }
    for name, rows in found.items():
        print(f"- {name}: {len(rows)} shortcuts")
        for row in rows:
            print(f"  - {summary.shortcut(row)} (in training {row['training']:.2f})")
    planted = found["planted"]
    is_first = bool(planted) and planted[0]["label"] in (FLAGS.label, family)
    print()
    met = tables.report(
        "Shortcuts",
        [
            tables.Figure("the planted one comes first (1: yes)", int(is_first),
                          "{:d}", least=1),
            tables.Figure("raised by the control", len(found["control"]), "{:d}",
                          most=0),
        ],
    )  # fmt: skip
    return parts.exit_code(met)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    data_flags.define()
    flags.DEFINE_string("work", "runs/shortcuts", "Folder to work in.")
    flags.DEFINE_string("label", "Dress", "Garment that is darkened in training.")
    flags.DEFINE_float("gain", 0.4, "What its pixels are multiplied by.", 0, 1)
    flags.DEFINE_string("judged", "validation", "Split whose errors are looked at.")
    flags.DEFINE_integer("epochs", 3, "Epochs of a training.", 1)


if __name__ == "__main__":
    define()
    command.run(main)
