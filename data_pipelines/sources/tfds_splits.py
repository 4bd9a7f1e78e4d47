"""Which splits of a TFDS set are read, and what they are called."""

import itertools

from data_pipelines import errors


def pairs(texts, builder):
    """Returns list of (our name, TFDS' name), of splits that share no example.

    Args:
        texts: `ours:theirs`, such as `test:test[:50%]`; none means all, as they are.
        builder: from `tfds_sets.open_set`.

    Raises:
        errors.SettingError: a text is of another form.
        errors.DataError: there is no such split, TFDS cannot read the slice, or an
            example is in two of the splits.
    """
    if not texts:
        return [(name, name) for name in builder.info.splits]
    found = []
    for text in texts:
        ours, colon, theirs = text.partition(":")
        if not (ours and colon and theirs):
            raise errors.SettingError(
                f"A split cannot be read. Expected: ours:theirs. Received: {text}."
            )
        if theirs.partition("[")[0] not in builder.info.splits:
            raise errors.DataError(
                "the TFDS set has no such split",
                expected=f"one of {', '.join(builder.info.splits)}",
                received=theirs,
                file=builder.info.full_name,
            )
        found.append((ours, theirs))
    _refuse_overlap(found, builder)
    return found


def _refuse_overlap(found, builder):
    spans = []
    for _, theirs in found:
        try:
            files = builder.info.splits[theirs].file_instructions
            if not files:
                raise ValueError("it holds no example")
        except ValueError as error:
            raise errors.DataError(
                "TFDS cannot read a split",
                expected="a split or a slice of one, such as test[:50%]",
                received=f"{theirs} ({error})",
                file=builder.info.full_name,
            ) from error
        spans += [(one.filename, one.skip, one.skip + one.take, theirs)
                  for one in files]  # fmt: skip
    for (file, _, end, one), (next_file, start, _, other) in itertools.pairwise(
        sorted(spans)
    ):
        if file == next_file and start < end:
            raise errors.DataError(
                "an example is in two of the splits",
                expected="splits without a common example",
                received=f"{one} and {other}",
                file=builder.info.full_name,
            )
