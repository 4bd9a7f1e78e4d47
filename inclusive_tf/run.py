"""A run is a directory, and any step can be taken again from it.

flags.json         resolved flags of the training
data.json          counts of splits, groups and labels, notes, fingerprint
vocabulary.csv     label,name,training_count in the order of the logits
quarantine.csv     images left out, with the reason (of the demo: beside the runs)
exposure.json      what the resampling policy did
text.json          words that a model of texts knows (`tokens.Tokeniser`)
model.json         `models.ModelConfig`, image config, final feature map
training.json      steps, figures of every epoch, best checkpoint
checkpoints/       a folder a step
logs/              TensorBoard
predictions/SPLIT/ `predictions.Predictions`
adaptation/NAME/   `adaptation.adapted.Adaptation`
explanations/SPLIT errors with their maps
export/            the SavedModel
"""

import contextlib
import fcntl
import pathlib
import re

import numpy as np

from data_pipelines import atomic, errors, labels, stored_files, strict_csv

TEXT_FILE, MODEL_FILE = "text.json", "model.json"

FORMAT = 1
"""Of model.json and the directory around it; one that says none is of format 1."""

MAY_CHANGE = frozenset(
    {
        "data_dir", "cache_dir", "keep", "check_every", "checkpoint_minutes",
        "distribution", "profile_first", "profile_steps",
    }
)  # fmt: skip
"""Flags whose change does not make another run of it.

Other devices take the same steps, but for the last digits.
"""

_VOCABULARY_HEADER = ("label", "name", "training_count")
_COUNT = re.compile("[0-9]{1,15}")


class Run:
    """A run directory.

    Args:
        path: the directory; made by `start`.
        is_chief: of several workers that train into it together, only one is the chief;
            the others lock nothing and write nothing.
    """

    def __init__(self, path, is_chief=True):
        self.path, self._is_chief = pathlib.Path(path), is_chief

    @property
    def checkpoints(self):
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def logs(self):
        """Folder of TensorBoard's event files."""
        return self.path / "logs"

    def predictions(self, split):
        """Folder of the predictions of a split."""
        return self.path / "predictions" / split

    def adaptation(self, name):
        """Folder of an adaptation."""
        return self.path / "adaptation" / name

    @contextlib.contextmanager
    def start(self, flags, defaults=None):
        """Opens the directory for one training; others are refused meanwhile.

        Args:
            flags: {name: JSON value}, the resolved flags; compared with flags.json, if
                there is one, and not yet written.
            defaults: {name: JSON value} of flags that an older flags.json lacks.

        Raises:
            errors.DataError: another process trains here, or the directory holds a run
                with other flags, each of which is named.
        """
        if not self._is_chief:
            self._refuse_other_flags(flags, defaults or {})
            yield self
            return
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / ".lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise errors.DataError(
                    "another process is training in this directory", file=self.path
                ) from error
            self._refuse_other_flags(flags, defaults or {})
            yield self

    def _refuse_other_flags(self, flags, defaults):
        if not (self.path / "flags.json").is_file():
            return
        before = {**defaults, **self.read_json("flags.json")}
        changed = [
            f"--{name} {before.get(name)!r} → {flags.get(name)!r}"
            for name in sorted({*before, *flags} - MAY_CHANGE)
            if before.get(name) != flags.get(name)
        ]
        if changed:
            raise errors.DataError(
                "the directory holds a run with other flags",
                expected="the same flags, to resume it, or another --run",
                received="; ".join(changed),
                file=self.path,
            )

    def write_json(self, name, value):
        """Writes a JSON file of the run."""
        if self._is_chief:
            atomic.write_json(self.path / name, value)

    def read_json(self, name):
        """Reads a JSON file of the run.

        Raises:
            errors.DataError: the file is missing or no JSON.
        """
        path = self.path / name
        if not path.exists():
            raise errors.DataError(
                "this is no finished run",
                expected="a directory that `tools.train` made",
                received=f"no {name}",
                file=self.path,
            )
        with stored_files.reading(path, "not a JSON file", "what a training wrote"):
            return stored_files.read_json(path)

    def read_model(self):
        """Returns what model.json holds: "model", "image" and facts.

        Raises:
            errors.DataError: the file is missing, something else or of another format.
        """
        stored, path = self.read_json(MODEL_FILE), self.path / MODEL_FILE
        if not isinstance(stored, dict) or not isinstance(stored.get("model"), dict):
            raise errors.DataError("the file describes no model", file=path)
        if stored.get("format", FORMAT) != FORMAT:
            raise errors.DataError(
                "the run is of another format, made by another version of this program",
                expected=f"format {FORMAT}",
                received=stored["format"],
                file=path,
            )
        return stored

    def read_tokeniser(self):
        """Returns the `tokens.Tokeniser` of a model that reads text, else None.

        Raises:
            errors.DataError: its file is missing or something else.
        """
        if self.read_model()["model"].get("inputs", "image") == "image":
            return None
        # imports TensorFlow
        from data_pipelines import tokens

        stored = self.read_json(TEXT_FILE)
        return tokens.Tokeniser.from_json(stored, self.path / TEXT_FILE)

    def write_vocabulary(self, vocabulary, training_counts):
        """Writes vocabulary.csv."""
        if not self._is_chief:
            return
        atomic.write_csv(
            self.path / "vocabulary.csv",
            _VOCABULARY_HEADER,
            zip(
                vocabulary.ids, vocabulary.names, map(int, training_counts), strict=True
            ),
        )

    def read_vocabulary(self):
        """Returns (`labels.Vocabulary`, int64 [C] training counts).

        Raises:
            errors.DataError: the file is missing or something else, with the row.
        """
        path = self.path / "vocabulary.csv"
        rows = strict_csv.read(path, _VOCABULARY_HEADER)
        for number, (_, _, count) in enumerate(rows, start=2):
            if not _COUNT.fullmatch(count):
                raise errors.DataError(
                    "the training count cannot be used",
                    expected="a number of images",
                    received=count,
                    file=path,
                    row=number,
                )
        ids, names, counts = zip(*rows, strict=True) if rows else ((), (), ())
        return labels.Vocabulary(ids, names), np.array(counts, np.int64)
