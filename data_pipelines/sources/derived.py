"""Columns made of other columns: looked up, cut into bands, parted, or composed.

Published tables seldom hold just the columns that one needs: the region of a country,
the band of an income, the path of a file that lies at region/country/name. Each rule is
`NAME=…`, and the rules are applied in this order:

    lookup     region=country:regions.csv            value,region rows of a CSV
    band       wealth=income:195|685|1963            x <= 195, 195 < x <= 685, ...
    part       half=scene:2                          0 or 1, by a hash of the scene
    compose    path={region}/{country:_}/{file}.jpg  ":_" writes "_" for spaces
"""

import hashlib
import itertools
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_pipelines import errors
from data_pipelines.sources import sheets

UNKNOWN = "unknown"
"""The band of rows whose field is empty."""

_PLACE = re.compile(r"\{([^{}:]+)(:_)?\}")


def apply(sheet, config):
    """Returns the sheet with the columns that the rules name.

    Args:
        sheet: `sheets.Sheet`.
        config: has `lookup_columns`, `band_columns`, `part_columns` and
            `compose_columns`, tuples of rules.

    Raises:
        errors.SettingError: a rule is of another form.
        errors.DataError: a column is not there or there already, a value stands not in
            the file of a lookup, or a field is no number.
    """
    for rule in config.lookup_columns:
        name, column, path = _parts(rule, "NAME=COLUMN:FILE.csv")
        sheet.require([column])
        sheet = sheet.with_column(name, _looked_up(sheet, column, path))
    for rule in config.band_columns:
        name, column, edges = _parts(rule, "NAME=COLUMN:EDGE|EDGE")
        sheet.require([column])
        sheet = sheet.with_column(name, _banded(sheet, column, _edges(edges, rule)))
    for rule in config.part_columns:
        name, column, parts = _parts(rule, "NAME=COLUMN:PARTS")
        if not (parts.isdecimal() and int(parts) >= 2):
            raise _misspelt(rule, "NAME=COLUMN:PARTS with a whole number from 2 on")
        sheet.require([column])
        sheet = sheet.with_column(name, _parted(sheet, column, int(parts)))
    for rule in config.compose_columns:
        name, equals, template = rule.partition("=")
        if not (name and equals and _PLACE.search(template)):
            raise _misspelt(rule, "NAME={COLUMN}/{COLUMN}")
        sheet = sheet.with_column(name, _composed(sheet, template))
    return sheet


def _misspelt(rule, form):
    return errors.SettingError(
        f"A rule for a derived column cannot be read. Expected: {form}. "
        f"Received: {rule}."
    )


def _parts(rule, form):
    name, equals, rest = rule.partition("=")
    column, colon, value = rest.partition(":")
    if not (name and equals and column and colon and value):
        raise _misspelt(rule, form)
    return name, column, value


def _looked_up(sheet, column, path):
    known = sheets.read(path)
    if len(known.columns) < 2:
        raise errors.DataError(
            "a file of a lookup has two columns",
            expected="value,result",
            received=",".join(known.columns),
            file=path,
            row=1,
        )
    values, results = known.text(known.columns[0]), known.text(known.columns[1])
    codes = sheets.coded(values)[1]
    if len(np.unique(codes)) < len(codes):
        first = np.unique(codes, return_index=True)[1]
        row = int(np.setdiff1d(np.arange(len(codes)), first)[0])
        raise errors.DataError(
            "a value stands twice", received=str(values[row]), **known.place(row)
        )
    asked = sheet.text(column)
    place = pc.index_in(asked, value_set=values)
    missing = place.is_null().to_numpy(zero_copy_only=False)
    if missing.any():
        row = int(np.argmax(missing))
        raise errors.DataError(
            f"the lookup does not know a value of column '{column}'",
            expected=f"one of the {len(values)} values of {path}",
            received=str(asked[row]),
            **sheet.place(row),
        )
    return results.take(place)


def _edges(text, rule):
    try:
        edges = [float(edge) for edge in text.split("|")]
    except ValueError as error:
        raise _misspelt(rule, "numbers joined by |") from error
    if not all(np.isfinite(edges)) or (np.diff(edges) <= 0).any():
        raise _misspelt(rule, "finite, rising numbers joined by |")
    return edges


def _banded(sheet, column, edges):
    """Names of bands, numbered so that they sort: "1: up to 195", "2: above 195".

    Numbers are padded to one width ("01: …") where there are ten bands or more.
    """
    text = pc.utf8_trim_whitespace(sheet.text(column))
    stated = np.flatnonzero(pc.not_equal(text, "").to_numpy(zero_copy_only=False))
    numbers = np.full(len(text), np.nan)
    try:
        numbers[stated] = text.take(pa.array(stated)).cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        for row in stated:
            try:
                numbers[row] = text[int(row)].cast(pa.float64()).as_py()
            except pa.ArrowInvalid:
                break
    wrong = stated[np.isnan(numbers[stated])]
    if len(wrong):
        raise errors.DataError(
            f"column '{column}' holds what is no number",
            expected="a number, or nothing",
            received=str(text[int(wrong[0])]),
            **sheet.place(wrong[0]),
        )
    names = [*_band_names(edges), UNKNOWN]
    band = np.searchsorted(edges, numbers, side="left")
    band[np.isnan(numbers)] = len(names) - 1
    return pa.array(names).take(pa.array(band))


def _band_names(edges):
    # the shortest text that reads back as the same number
    spelt = [repr(edge).removesuffix(".0") for edge in edges]
    limits = [f"up to {spelt[0]}"]
    limits += [f"above {low} up to {high}" for low, high in itertools.pairwise(spelt)]
    limits.append(f"above {spelt[-1]}")
    width = len(str(len(limits)))
    return [f"{number:0{width}}: {text}" for number, text in enumerate(limits, start=1)]


def _parted(sheet, column, parts):
    """The part of each value, as text: its SHA-256 modulo the number of parts.

    A value's part does not depend on which others there are.
    """
    values, codes = np.unique(
        sheet.text(column).to_numpy(zero_copy_only=False), return_inverse=True
    )
    part = [
        str(int.from_bytes(hashlib.sha256(str(value).encode()).digest()) % parts)
        for value in values
    ]
    return pa.array(part).take(pa.array(codes))


def _composed(sheet, template):
    pieces, end = [], 0
    for place in _PLACE.finditer(template):
        column = place.group(1)
        sheet.require([column], f", which '{template}' asks for")
        text = sheet.text(column)
        if place.group(2):
            text = pc.replace_substring(text, " ", "_")
        pieces += [template[end : place.start()], text]
        end = place.end()
    pieces.append(template[end:])
    return pc.binary_join_element_wise(*pieces, "")
