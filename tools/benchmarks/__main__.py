"""Runs the side-by-side measurements and keeps what they print.

    python -m tools.benchmarks
    python -m tools.benchmarks --parts=figures --parts=sampling --page=

Each part is a script of its own, `python -m tools.benchmarks.PART`, whose output goes
between the part's marks of --page. Exit code 1 where a part missed a goal or failed;
the others still run.
"""

from absl import flags

from tools import command

FLAGS = flags.FLAGS
PARTS = {
    "start_up": (),
    "carriers": (),
    "training_pipeline": (),
    "training_loop": (),
    "training_step": (),
    "prediction": (),
    "accelerator": (),
    "label_fusion": (),
    "preparing": (),
    "sampling": (),
    "figures": (),
    "decisions": (),
    "explanations": (),
    "report": (),
    "growth": (),
    "label_suspects": ("--networks=2",),
    "shortcuts": (),
}
"""{script: its arguments}."""
MARK = "bench {}"


def main(_):
    """Runs the parts in turn."""
    from tools import parts

    return parts.run(
        "benchmarks", {name: PARTS[name] for name in FLAGS.parts}, FLAGS.page, MARK
    )


if __name__ == "__main__":
    flags.DEFINE_multi_enum(
        "parts", list(PARTS), list(PARTS), "What to run, in this order."
    )
    flags.DEFINE_string("page", "docs/benchmarks.md", "Markdown; empty: none.")
    command.run(main)
