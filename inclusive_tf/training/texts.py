"""What a training reads in words: the run's vocabulary and its splits' tokens."""

import dataclasses

from data_pipelines import tokens as tokens_module
from inclusive_tf import run as run_directory
from inclusive_tf.training import checkpoints

READ = ("train", "validation")
"""Splits that a training reads."""


@dataclasses.dataclass(frozen=True)
class Texts:
    """Texts as numbers.

    Args:
        tokeniser: `tokens.Tokeniser` of the run, or None where no text is read.
        tokens: {split: int32 [N, L]} of the splits in `READ` that there are.
    """

    tokeniser: object = None
    tokens: dict = dataclasses.field(default_factory=dict)


def prepare(run, table, inputs, words, length, start_run=""):
    """Learns, or goes on with, the vocabulary of a run, and reads the texts.

    Args:
        run: `run.Run`; gets text.json, where a checkpoint's vocabulary stays as it is.
        table: `labels.LabelTable`.
        inputs: a name in `models.INPUTS`.
        words: words to know at most; of the training split only.
        length: words to read of a text.
        start_run: run directory that the training starts from, whose vocabulary the
            weights belong to; empty: none.

    Returns:
        (`Texts`, sentences that count what was not read).

    Raises:
        errors.DataError: the data have no text, or none holds a word.
    """
    if inputs == "image":
        return Texts(), []
    parts = {
        split: tokens_module.of_table(table.select_split(split))
        for split in READ
        if split in table.split_names
    }
    source = run_directory.Run(start_run) if start_run else None
    if checkpoints.newest(run.checkpoints) is not None:
        source = run
    tokeniser = source.read_tokeniser() if source else None
    if tokeniser is None:
        tokeniser = tokens_module.fit(parts["train"], words, length)
    run.write_json(run_directory.TEXT_FILE, tokeniser.to_json())
    found, notes = {}, []
    for split, texts in parts.items():
        found[split], tally = tokeniser.tokens(texts)
        notes.append(tally.note(split, tokeniser.length))
    return Texts(tokeniser, found), notes
