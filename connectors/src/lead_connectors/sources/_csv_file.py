# SPDX-License-Identifier: LGPL-3.0-or-later
"""One CSV file -> rows, streamed: any encoding and delimiter, bad rows named.

Memory does not grow with the file: what must be remembered of every row (has the same
row come before?) goes to a temporary file.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

__all__ = ["Row", "columns_of", "count_lines", "read_rows"]

_SAMPLE = 1 << 16
_DELIMITERS = ";,\t|"
# spreadsheets protect long numbers as ="123" or '123
_PROTECTED = re.compile(r"^=\"(.*)\"$|^'(?=[\d+])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``error``: why it is unusable.

    ``key``: of its content, and which occurrence of it in the file; so the same row
    has the same key in a longer or re-sorted file.
    """

    number: int  # of the row, the header being 1
    key: str
    cells: dict[str, str]
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Dialect:
    encoding: str
    delimiter: str
    skip: int  # lines before the header ("sep=;")


def read_rows(path: Path, encoding: str = "", delimiter: str = "") -> Iterator[Row]:
    """Every row that is not blank; ends early when somebody writes to the file, which
    leaves the rest, perhaps half a row, for the next time. Raises OSError.
    """
    dialect = _dialect(path, encoding, delimiter)
    with (
        path.open(encoding=dialect.encoding, errors="replace", newline="") as text,
        closing(sqlite3.connect("", check_same_thread=False)) as seen,
    ):
        seen.execute("PRAGMA journal_mode = OFF")
        seen.execute("CREATE TABLE seen (row BLOB PRIMARY KEY, n INT) WITHOUT ROWID")
        before = _state(text)
        for row in _rows(text, dialect, seen):
            if _state(text) != before:
                return
            yield row


def columns_of(path: Path, encoding: str = "", delimiter: str = "") -> list[str]:
    """The header's names. Raises OSError."""
    dialect = _dialect(path, encoding, delimiter)
    with path.open(encoding=dialect.encoding, errors="replace", newline="") as text:
        return _header(_reader(text, dialect))


def count_lines(path: Path) -> int:
    """About how many rows: lines, of a big file those of its beginning scaled up.

    Raises OSError.
    """
    limit = 1 << 26
    lines = read = 0
    with path.open("rb") as file:
        while read < limit and (chunk := file.read(1 << 20)):
            read += len(chunk)
            lines += chunk.count(b"\n")
        size = os.fstat(file.fileno()).st_size
    return max(0, lines * size // read - 1) if read else 0


def _state(text: TextIO) -> tuple[int, int]:
    stat = os.fstat(text.fileno())
    return stat.st_size, stat.st_mtime_ns


def _rows(text: TextIO, dialect: _Dialect, seen: sqlite3.Connection) -> Iterator[Row]:
    reader = _reader(text, dialect)
    header = _header(reader)
    number = 1
    while True:
        number += 1
        error = ""
        cells: list[str] = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as broken:  # a cell without end, say
            error = f"not CSV: {broken}"
            cells = [f"row {number}"]
        cells = [_unprotected(cell) for cell in cells]
        if not any(cells):
            continue
        if not error and len(cells) > len(header) and any(cells[len(header) :]):
            error = f"{len(cells)} cells, but the header has {len(header)}"
        yield Row(
            number,
            _key(header, cells, seen),
            dict(zip(header, cells, strict=False)),
            error,
        )


def _reader(text: TextIO, dialect: _Dialect) -> Iterator[list[str]]:
    for _ in range(dialect.skip):
        text.readline()
    return csv.reader(text, delimiter=dialect.delimiter)


def _header(reader: Iterator[list[str]]) -> list[str]:
    """Names for all columns, each once."""
    try:
        cells = next(reader, [])
    except csv.Error:
        cells = []
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = cell.strip().lstrip("\ufeff") or f"column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return names


def _unprotected(cell: str) -> str:
    found = _PROTECTED.match(cell.strip())
    if not found:
        return cell.strip()
    return found[1] if found[1] is not None else cell.strip()[1:]


def _key(header: list[str], cells: list[str], seen: sqlite3.Connection) -> str:
    """A hash of the row's content and the number of its earlier occurrences.

    Empty cells don't count, so a new empty column changes nothing; nor does the order
    of columns.
    """
    pairs = sorted(
        (header[n].casefold() if n < len(header) else str(n), cell)
        for n, cell in enumerate(cells)
        if cell
    )
    text = "\x1f".join(f"{name}\x1e{cell}" for name, cell in pairs)
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()[:16]
    [n] = seen.execute(
        "INSERT INTO seen VALUES (?, 0) ON CONFLICT (row) DO UPDATE SET n = n + 1"
        " RETURNING n",
        (digest,),
    ).fetchone()
    return f"{digest.hex()}-{n}"


def _dialect(path: Path, encoding: str, delimiter: str) -> _Dialect:
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    encoding = encoding or _encoding(path, sample)
    lines = sample.decode(encoding, "replace").lstrip("\ufeff").splitlines()
    skip = 0
    first = lines[0] if lines else ""
    if said := re.fullmatch(r"sep=(.)", first.strip()):
        delimiter = delimiter or said[1]
        skip, first = 1, lines[1] if len(lines) > 1 else ""
    if not delimiter:
        # in the header alone: its names hold delimiters only inside quotes
        bare = re.sub(r'"[^"]*"', "", first)
        delimiter = max(_DELIMITERS, key=bare.count) if bare else ","
        delimiter = delimiter if delimiter in bare else ","
    return _Dialect(encoding, delimiter, skip)


def _encoding(path: Path, sample: bytes) -> str:
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # without a mark: every other byte of mostly Latin text is zero
    if len(sample) > 3 and sample[1::2].count(0) > len(sample) // 4:
        return "utf-16-le"
    if len(sample) > 3 and sample[::2].count(0) > len(sample) // 4:
        return "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(1 << 20):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"
