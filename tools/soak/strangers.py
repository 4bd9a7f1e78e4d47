"""Awkward images and labels with hostile names, from training to serving.

    python -m tools.soak.strangers

Every file of `awkward_images.tar` (where the real data are) is a row of a table whose
labels and groups are called HTML, formulas, several lines, marks of direction and
10,000 characters. Each script has to end well, pages must hold no element that a name
made, files that are read back have to give the names as they are, and the served model
has to refuse exactly the images that training left out. Most resident memory of each
script is printed. Exit code 1 where any of that fails.
"""

import html.parser
import pathlib
import resource
import sys
import tempfile

from tools import command
from tools.soak import scripts


class _Elements(html.parser.HTMLParser):
    """Counts what only a name could have brought into a page."""

    def __init__(self):
        super().__init__()
        self.hostile = []

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if names.get("src") == "x" or any(name.startswith("on") for name in names):
            self.hostile.append(tag)

    def handle_data(self, data):
        if self.lasttag == "script" and data.startswith("alert(1)"):
            self.hostile.append("script")


def hostile_elements(page):
    """Returns the names of elements of a page that hostile names have made."""
    parser = _Elements()
    parser.feed(pathlib.Path(page).read_text("utf-8"))
    return parser.hostile


def served_like(run, strange):
    """Serves each awkward image; returns (answered, refused, disagreements)."""
    import tensorflow as tf

    from data_pipelines import images, quality
    from inclusive_tf import run as run_directory

    stored = run_directory.Run(run).read_json("model.json")["image"]
    config = images.ImageConfig.from_dict(stored)
    bad = {fault.path for fault in quality.scan(strange, config)}
    loaded = tf.saved_model.load(str(run / "export"))
    answered, refused, wrong = 0, 0, []
    for path in strange:
        try:
            loaded.serving_default(tf.constant([path.read_bytes()]))
        except tf.errors.InvalidArgumentError:
            refused += 1
            is_bad = True
        else:
            answered += 1
            is_bad = False
        if is_bad != (str(path) in bad):
            wrong.append(path.name)
    return answered, refused, wrong


def main(_):
    """Runs all scripts, looks at what they wrote and prints it."""
    from data_pipelines import suspects
    from inclusive_tf import run as run_directory

    faults = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        run, table, strange = scripts.trained(folder)
        for script, arguments in scripts.steps(run, table, folder):
            done = scripts.call(script, *arguments)
            if done.returncode or "\x1b" in done.stdout or "\u202e" in done.stdout:
                faults.append(f"{script}: {done.returncode} {done.stderr[-800:]}")
                print(faults[-1], file=sys.stderr, flush=True)
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        pages = sorted(folder.rglob("*.html"))
        for page in pages:
            faults += [f"{page.name}: {one}" for one in hostile_elements(page)]
        vocabulary, _ = run_directory.Run(run).read_vocabulary()
        # spaces around a label are no part of it
        if sorted(vocabulary.ids) != sorted(one.strip() for one in scripts.NAMES):
            faults.append("vocabulary.csv holds other names")
        doubted = suspects.read(folder / "audit" / "suspects.csv")
        if any(one.label and one.label not in vocabulary.ids for one in doubted):
            faults.append("suspects.csv holds other names")
        answered, refused, wrong = served_like(run, strange)
        faults += [f"served otherwise than scanned: {one}" for one in wrong]
    further = len(scripts.steps(run, table, folder))
    print(f"- {len(strange)} awkward images, {len(scripts.NAMES)} hostile names")
    print(f"- train and {further} further scripts")
    print(f"- {len(pages)} pages without an element that a name made")
    print(f"- served: {answered} answered, {refused} refused, as training did")
    print(f"- most resident memory of any script: {most:,} MiB")
    for fault in faults:
        print(f"- FAULT: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    command.run(main)
