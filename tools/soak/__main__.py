"""Runs the long tests of reliability and keeps what they print.

    python -m tools.soak
    python -m tools.soak --parts=serving --parts=fuzz --page=

Each part is a script of its own, `python -m tools.soak.PART`, whose output goes between
the part's marks of --page. Exit code 1 where a part failed; the others still run.
"""

import datetime
import platform
import subprocess
import sys

from absl import flags

from tools import command

FLAGS = flags.FLAGS
PARTS = ("resuming", "strangers", "full_disk", "serving", "fuzz")


def part(name):
    """Runs a part; returns (exit code, Markdown of what it printed, with its day)."""
    done = subprocess.run(
        [sys.executable, "-m", f"tools.soak.{name}"],
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    end = "passed" if not done.returncode else f"FAILED (exit code {done.returncode})"
    facts = f"{day}, Python {platform.python_version()}, {platform.machine()}: {end}"
    return done.returncode, f"{facts}\n\n{done.stdout.strip()}"


def main(_):
    """Runs the parts in turn."""
    from inclusive_tf.recipes import page

    failed = []
    for name in FLAGS.parts:
        code, said = part(name)
        print(f"{name}: {said}\n", flush=True)
        if FLAGS.page:
            page.write(FLAGS.page, name, said)
        if code:
            failed.append(name)
    return 1 if failed else 0


if __name__ == "__main__":
    flags.DEFINE_multi_enum("parts", list(PARTS), PARTS, "What to run, in this order.")
    flags.DEFINE_string("page", "docs/reliability.md", "Markdown; empty: none.")
    command.run(main)
