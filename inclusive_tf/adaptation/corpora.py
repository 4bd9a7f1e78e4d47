"""Text corpora read as a stream: which labels each document or stretch of it names.

A corpus is a list of files. A MediaWiki dump (pages-articles, as Wikipedia publishes)
is read by gensim, articles only; anything else is UTF-8 text with a document a line.
Files ending in .bz2 or .gz are unpacked on the way. Memory holds some hundred documents
and one chunk of label rows, whatever the corpus' size; gensim besides keeps about 90
bytes a page of a dump, 2 GB at the end of the English Wikipedia's.
"""

import bz2
import contextlib
import dataclasses
import gzip
import multiprocessing
import os
import xml.etree.ElementTree
import zlib

import tqdm

from data_pipelines import errors, labels

_OPENERS = {".bz2": bz2.open, ".gz": gzip.open}
_DUMP = b"<mediawiki"
_HEAD_BYTES = 4096
_ARTICLES = ("0",)
_DOCUMENTS_A_TASK = 64
_TASKS_A_ROUND = 8
_ROWS_A_CHUNK = 1 << 16


@dataclasses.dataclass(frozen=True)
class CorpusConfig:
    """How a corpus is read.

    Args:
        paths: files.
        window: words a stretch in which labels come together; 0 is the whole document.
        min_words: documents of fewer words are left out and counted, such as redirects.
        processes: how many take markup off and look for names; 1 is this one alone.

    Raises:
        errors.SettingError: no file, or a number out of its range.
    """

    paths: tuple
    window: int = 0
    min_words: int = 0
    processes: int = 1

    def __post_init__(self):
        if not self.paths:
            raise errors.SettingError("a corpus needs at least one file; received none")
        least = {"window": 0, "min_words": 0, "processes": 1}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise errors.SettingError(
                    f"{name} is out of its range; expected {value} or more, received "
                    f"{getattr(self, name)}"
                )


@dataclasses.dataclass
class Tally:
    """What went by, filled while a corpus is read.

    Args:
        documents: documents that were looked at.
        short: documents left out for having fewer than `min_words` words.
        other_pages: pages of a dump that are no article or redirect elsewhere.
        rows: stretches, or documents where there is no window.
    """

    documents: int = 0
    short: int = 0
    other_pages: int = 0
    rows: int = 0

    def notes(self):
        """Returns sentences that count what was left out."""
        said = {
            "documents have too few words and were left out": self.short,
            "pages are no articles, or redirect, and were left out": self.other_pages,
        }
        return [f"{count} {what}" for what, count in said.items() if count]


def mentions(config, names, tally, progress=False):
    """Reads a corpus and finds labels in it.

    Args:
        config: `CorpusConfig`.
        names: `label_mentions.Names`.
        tally: `Tally`, filled on the way.
        progress: whether to show a bar on the standard error stream.

    Yields:
        `labels.SparseLabels`, a row a stretch or document, in the corpus' order.

    Raises:
        errors.DataError: a file cannot be read, is damaged, or not UTF-8.
        errors.MissingExtraError: a dump, and gensim is not installed.
    """
    rows = []
    texts = _with_bar(_texts(config.paths, tally), progress)
    for found, short in _searched(texts, config, names):
        tally.documents += len(found)
        tally.short += short
        for document in found:
            rows += document
        if len(rows) >= _ROWS_A_CHUNK:
            tally.rows += len(rows)
            yield labels.SparseLabels.from_lists(rows, names.num_classes)
            rows = []
    tally.rows += len(rows)
    yield labels.SparseLabels.from_lists(rows, names.num_classes)


def _searched(texts, config, names):
    """Yields (list of the rows of each document, how many were too short)."""
    tasks = _grouped(texts, _DOCUMENTS_A_TASK)
    search = _Search(names, config.window, config.min_words)
    if config.processes == 1:
        yield from map(search, tasks)
        return
    # a fresh interpreter has neither this one's threads nor its libraries
    context = multiprocessing.get_context("spawn")
    with context.Pool(config.processes, _start, (search,)) as pool:
        # a pool reads ahead without end, so it is given rounds
        for tasks_ in _grouped(tasks, _TASKS_A_ROUND * config.processes):
            yield from pool.imap(_search, tasks_)


class _Search:
    """From (is markup, text) pairs to the rows of those that are long enough."""

    def __init__(self, names, window, min_words):
        self._names, self._window, self._min_words = names, window, min_words

    def __call__(self, documents):
        found, short = [], 0
        for is_markup, text in documents:
            if is_markup:
                text = _wikicorpus().filter_wiki(text)
            words, rows = self._names.rows(text, self._window)
            if words < self._min_words:
                short += 1
            else:
                found.append(rows)
        return found, short


_at_work = None


def _start(search):
    global _at_work
    _at_work = search


def _search(documents):
    return _at_work(documents)


def _texts(paths, tally):
    """Yields (is markup, text) of every document of every file."""
    for path in paths:
        with _reading(path):
            with _open(path) as file:
                is_dump = _DUMP in file.read(_HEAD_BYTES)
            with _open(path) as file:
                documents = _articles(file, tally) if is_dump else _lines(file, path)
                for text in documents:
                    yield is_dump, text


def _lines(file, path):
    for number, line in enumerate(file, 1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise errors.DataError(
                "the text is not UTF-8", received=str(error), file=path, row=number
            ) from error
        if text.strip():
            yield text


def _articles(file, tally):
    pages = _wikicorpus().extract_pages(file, _ARTICLES)
    for _, text, _ in pages:
        if not text or text.lstrip()[:9].casefold() == "#redirect":
            tally.other_pages += 1
        else:
            yield text


def _open(path):
    return _OPENERS.get(os.path.splitext(path)[1].lower(), open)(path, "rb")


@contextlib.contextmanager
def _reading(path):
    """Says what goes wrong on opening, unpacking and parsing, as `DataError`."""
    try:
        yield
    except (EOFError, zlib.error) as error:
        said = "the packed file is cut short or damaged"
        raise errors.DataError(said, received=str(error), file=path) from error
    except xml.etree.ElementTree.ParseError as error:
        said = "the dump is no well-formed XML"
        raise errors.DataError(said, received=str(error), file=path) from error
    except OSError as error:
        said = "the file cannot be read or unpacked"
        raise errors.DataError(said, received=str(error), file=path) from error


def _wikicorpus():
    try:
        from gensim.corpora import wikicorpus
    except ImportError as error:
        raise errors.MissingExtraError("a Wikipedia dump", "corpus") from error
    return wikicorpus


def _grouped(items, size):
    group = []
    for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _with_bar(texts, progress):
    return tqdm.tqdm(
        texts, desc="reading the corpus", unit="document", disable=not progress
    )
