"""What strangers' files may hold: bytes of a sound file, changed."""

import pytest
from hypothesis import strategies

# what readers trip over: quoting, ends of lines, numbers that are none, marks, sizes
PIECES = (
    b"", b'"', b'""', b",", b"|", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\xff",
    b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xe2\x80\xa8", b" ", b"\t",
    b"'", b"[", b"]", b"[" * 5000, b"{", b"nan", b"-inf", b"1e999", b"-1", b"1e-400",
    b"9" * 400, b"0x10", b"None", b"NA", b"true", b"=1+1", b"<script>", b"../",
    b"/etc/passwd", b"PAR1", b"\x93NUMPY", b"PK\x03\x04", b"x" * 140_000,
    b"\xff\xd8\xff", b"IDAT", b"\x21\xf9\x04", b"\xff" * 4, b"\x7f\xff\xff\xff",
)  # fmt: skip


def _changed(sound):
    places = strategies.integers(0, len(sound))
    new = strategies.one_of(
        strategies.sampled_from(PIECES),
        strategies.binary(max_size=8),
        # a part of the file itself, once more and elsewhere
        strategies.tuples(places, strategies.integers(0, 200)).map(
            lambda part: sound[part[0] : part[0] + part[1]]
        ),
    )
    edit = strategies.tuples(
        strategies.one_of(places, strategies.integers(0, min(64, len(sound)))),
        strategies.one_of(strategies.just(0), strategies.integers(0, 20), places),
        new,
    )

    def apply(edits):
        data = sound
        for place, removed, put in edits:
            data = data[:place] + put + data[place + removed :]
        return data

    return strategies.lists(edit, min_size=1, max_size=6).map(apply)


@pytest.fixture(scope="session")
def changed():
    """Returns a function from bytes to a strategy of them, changed here and there."""
    return _changed
