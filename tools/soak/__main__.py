"""Runs the long tests of reliability and keeps what they print.

    python -m tools.soak
    python -m tools.soak --parts=serving --parts=fuzz --page=

Each part is a script of its own, `python -m tools.soak.PART`, whose output goes between
the part's marks of --page. Exit code 1 where a part failed; the others still run.
"""

from absl import flags

from tools import command

FLAGS = flags.FLAGS
PARTS = ("resuming", "strangers", "full_disk", "serving", "fuzz")


def main(_):
    """Runs the parts in turn."""
    from tools import parts

    return parts.run("soak", dict.fromkeys(FLAGS.parts, ()), FLAGS.page)


if __name__ == "__main__":
    flags.DEFINE_multi_enum("parts", list(PARTS), PARTS, "What to run, in this order.")
    flags.DEFINE_string("page", "docs/reliability.md", "Markdown; empty: none.")
    command.run(main)
