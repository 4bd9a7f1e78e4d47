"""Corpora of each kind are streamed, and what is wrong with a file is said."""

import builtins
import bz2
import gzip
import html

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf.adaptation import associations, corpora, counting, label_mentions

VOCABULARY = labels.Vocabulary(
    ("/m/c", "/m/d", "/m/i", "/m/t"), ("Cat", "Dog", "Ice cream", "Tree")
)
TEXT = "The cat and two dogs.\n\nNothing here\nIce cream for a cat, a cat, a tree\n"

_PAGE = """  <page>
    <title>{title}</title>
    <ns>{ns}</ns>
    <id>{number}</id>
    <revision>
      <id>{number}</id>
      <text bytes="{size}" xml:space="preserve">{text}</text>
    </revision>
  </page>
"""
PAGES = (
    ("Pets", 0, "'''Pets''' are the [[Cat (animal)|cat]] and the [[dog]]s.\n"
     "{{Infobox | kind = tree }}\n== Food ==\nNo [[ice cream]]!<ref>Dog 2001</ref>"),
    ("Pet", 0, "#REDIRECT [[Pets]]"),
    ("Talk:Pets", 1, "a tree and a cat"),
    ("Empty", 0, ""),
    ("Parks", 0, "A [[tree]] &amp; a &lt;b&gt;dog&lt;/b&gt;."),
)  # fmt: skip


def _dump(pages=PAGES):
    """A dump as MediaWiki's export format 0.11 has it."""
    body = "".join(
        _PAGE.format(
            title=title, ns=ns, number=number, size=len(text), text=html.escape(text)
        )
        for number, (title, ns, text) in enumerate(pages, 1)
    )
    return (
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" '
        'version="0.11" xml:lang="en">\n  <siteinfo><sitename>Wikipedia</sitename>'
        f"</siteinfo>\n{body}</mediawiki>\n"
    ).encode()


def _read(path, tally=None, **settings):
    config = corpora.CorpusConfig((path,), **settings)
    names = label_mentions.names_of(VOCABULARY)
    rows = []
    for chunk in corpora.mentions(config, names, tally or corpora.Tally()):
        rows += [
            chunk.index[first:last].tolist()
            for first, last in zip(chunk.offsets[:-1], chunk.offsets[1:], strict=True)
        ]
    return rows


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.txt", bytes), ("a.txt.gz", gzip.compress), ("a.txt.bz2", bz2.compress)],
)
def test_a_text_has_a_document_a_line(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(TEXT.encode()))
    assert _read(tmp_path / name) == [[0, 1], [], [0, 2, 3]]


def test_short_documents_are_left_out_and_counted(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT)
    tally = corpora.Tally()
    assert _read(tmp_path / "a.txt", tally, min_words=4, window=5) == [
        [0, 1], [0, 2], [0, 3],
    ]  # fmt: skip
    assert (tally.documents, tally.short, tally.rows) == (2, 1, 3)
    assert tally.notes() == ["1 documents have too few words and were left out"]


@pytest.mark.parametrize("name", ["wiki.xml", "wiki.xml.bz2"])
def test_a_wikipedia_dump_is_read_without_its_markup(tmp_path, name):
    pytest.importorskip("gensim")
    data = _dump()
    (tmp_path / name).write_bytes(bz2.compress(data) if "bz2" in name else data)
    tally = corpora.Tally()
    # templates and references are no text; links have their shown words
    assert _read(tmp_path / name, tally) == [[0, 1, 2], [1, 3]]
    assert (tally.documents, tally.other_pages) == (2, 3)


def test_several_processes_find_what_one_finds(tmp_path, monkeypatch):
    pytest.importorskip("gensim")
    pages = [(f"Page {n}", 0, f"A cat {'and a dog' * (n % 3)}.") for n in range(300)]
    path = tmp_path / "wiki.xml.bz2"
    path.write_bytes(bz2.compress(_dump(pages)))
    one = _read(path)
    monkeypatch.setattr(corpora, "_DOCUMENTS_A_TASK", 7)
    assert _read(path, processes=2) == one
    assert len(one) == 300


def test_rows_come_in_chunks(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a cat\na dog\n" * 100)
    monkeypatch.setattr(corpora, "_ROWS_A_CHUNK", 30)
    monkeypatch.setattr(corpora, "_DOCUMENTS_A_TASK", 10)
    config = corpora.CorpusConfig((tmp_path / "a.txt",))
    names = label_mentions.names_of(VOCABULARY)
    sizes = [len(c) for c in corpora.mentions(config, names, corpora.Tally())]
    assert sum(sizes) == 200
    assert max(sizes) == 30
    assert len(_read(tmp_path / "a.txt")) == 200


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        (
            "a.txt",
            "Käse\n".encode() + b"\xff\n",
            r"a.txt, row 2: the text is not UTF-8",
        ),
        ("a.bz2", bz2.compress(TEXT.encode())[:-9], "cut short or damaged"),
        ("a.gz", gzip.compress(TEXT.encode())[:-9], "cut short or damaged"),
        ("a.gz", b"plain", "cannot be read or unpacked"),
        ("a.xml", _dump()[:-30], "no well-formed XML"),
    ],
    # not of the data: gzip's hold the time, and workers must agree on names
    ids=["not_utf_8", "bz2_cut", "gz_cut", "no_gz", "xml_cut"],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, name, data, said):
    if name == "a.xml":
        pytest.importorskip("gensim")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(errors.DataError, match=said):
        _read(tmp_path / name)


def test_a_missing_file_and_settings_out_of_range_are_refused(tmp_path):
    with pytest.raises(errors.DataError, match=r"nowhere.*No such file"):
        _read(tmp_path / "nowhere")
    with pytest.raises(errors.SettingError, match=r"window.*0 or more, received -1"):
        corpora.CorpusConfig(("a",), window=-1)
    with pytest.raises(errors.SettingError, match="at least one file"):
        corpora.CorpusConfig(())


def test_without_gensim_a_dump_asks_for_the_extra_and_a_text_does_not(
    tmp_path, monkeypatch
):
    original = builtins.__import__

    def without(name, *arguments):
        if name.startswith("gensim"):
            raise ImportError(name)
        return original(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    (tmp_path / "a.txt").write_text(TEXT)
    assert len(_read(tmp_path / "a.txt")) == 3
    (tmp_path / "a.xml").write_bytes(_dump())
    with pytest.raises(errors.MissingExtraError, match=r"inclusive_tf\[corpus\]"):
        _read(tmp_path / "a.xml")


def test_a_corpus_is_counted_as_its_rows_are(tmp_path):
    lines = ["cat dog"] * 6 + ["tree"] * 5 + ["ice cream tree", "nothing"]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    found = counting.in_corpus(
        corpora.CorpusConfig((tmp_path / "a.txt",)), VOCABULARY, shrinkage=0.0
    )
    rows = [[0, 1]] * 6 + [[3]] * 5 + [[2, 3], []]
    weights, _ = associations.measure(
        associations.count(labels.SparseLabels.from_lists(rows, 4)), "ppmi", 0.0
    )
    np.testing.assert_array_equal(found.weights.toarray(), weights.toarray())
    assert (found.images, len(found.counted_ids)) == (13, 0)
    assert found.source["documents"] == 13
    (tmp_path / "a.txt").write_text("nothing\n")
    with pytest.raises(errors.DataError, match="no label was found"):
        counting.in_corpus(corpora.CorpusConfig((tmp_path / "a.txt",)), VOCABULARY)
