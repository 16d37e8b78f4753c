# SPDX-License-Identifier: LGPL-3.0-or-later
"""CSV files, one or a folder of them: what has no API, and what was exported by hand.

Nothing is remembered here: every row has the same external id each time it is read,
and the inbox knows what it has. So an interrupted import just goes on.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import requests
from pydantic import Field, field_validator

from lead_connectors.errors import Park, Refuse, StopSource
from lead_connectors.normalise import clean_line
from lead_connectors.sources._build import build, moment
from lead_connectors.sources._csv_file import Row, columns_of, count_lines, read_rows
from lead_connectors.sources._fields import FieldsConfig, FormField, read_fields
from lead_connectors.sources._labels import fold_label
from lead_connectors.sources.base import Finding, Item, Receipt, Source
from lead_connectors.submission import Submission

__all__ = ["CsvConfig", "CsvSource"]

# a file this much younger than the last look is read again, whatever the clock did
_LOOK_BACK = timedelta(minutes=10)
_TIME_COLUMNS = tuple(
    fold_label(name)
    for name in (
        "submitted at|created time|created at|submission date|submitted|date created"
        "|timestamp|date submitted|zeitstempel|horodateur|marca temporal|date"
    ).split("|")
)
# Meta's exports mark what kind of id a cell holds: l:123, ag:123, p:+49...
_META_MARK = re.compile(r"^(?:l|ag|as|c|f|z):(?=\S)")


class CsvConfig(FieldsConfig):
    """Settings of a ``csv`` source."""

    path: Path = Field(description="A CSV file, or a folder of them.")
    pattern: str = Field(default="*.csv", description="Files to read in a folder.")
    encoding: str = Field(
        default="", description="Default: UTF-8, UTF-16 or cp1252, by the bytes."
    )
    delimiter: str = Field(
        default="", max_length=1, description="Default: by the header: ; , tab or |"
    )
    timezone: str = Field(
        default="UTC", description="Of times without an offset, as Europe/Berlin."
    )
    time_format: str = Field(
        default="", description="Of times that are not ISO 8601, as %d.%m.%Y %H:%M"
    )
    settle_seconds: int = Field(
        default=30, ge=0, description="A file younger than this may still be written."
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                f'"{value}" is no time zone: write one such as Europe/Berlin'
            ) from None
        return value


class CsvSource(Source[CsvConfig]):
    """A file or a folder that somebody, or some tool, fills."""

    type = "csv"
    config_model = CsvConfig
    can_poll = True
    default_poll_seconds = 60

    def __init__(self, name: str, config: CsvConfig, http: requests.Session) -> None:
        super().__init__(name, config, http)
        self._zone: tzinfo = ZoneInfo(config.timezone)

    def verify(self, request: Receipt) -> None:
        raise Refuse("a csv source reads files; it has no hook", status=404)

    def parse(self, receipt: Receipt) -> list[Item]:
        raise Park("a csv source reads files; it has no hook")

    def fetch(self, since: datetime) -> Iterator[Item]:
        """Rows of every file that came or changed since then.

        A row that can't be used is yielded with its place and reason. A file that
        can't be opened stops the source, after the others were read.
        """
        cutoff = (since - _LOOK_BACK).timestamp() - self.config.settle_seconds
        broken = ""
        for path in self._files():
            try:
                stat = path.stat()
                # a copy keeps the old mtime; ctime tells when it came here
                if max(stat.st_mtime, stat.st_ctime) < cutoff:
                    continue
                if 0 <= time.time() - stat.st_mtime < self.config.settle_seconds:
                    continue  # still being written: next round
                written = datetime.fromtimestamp(stat.st_mtime, UTC)
                rows = read_rows(path, self.config.encoding, self.config.delimiter)
                for row in rows:
                    yield self._item(row, path.name, written)
            except (OSError, LookupError) as error:
                reason = getattr(error, "strerror", None) or type(error).__name__
                broken = f"{path} can't be read: {reason}"
        if broken:
            raise StopSource(broken)

    def complete(self, item: Item) -> Submission:
        if item.submission is None:
            place = f"{item.reference.get('file')}, row {item.reference.get('row')}"
            raise Park(f"{place}: {item.reference.get('error')}")
        return item.submission

    def size_hint(self) -> int | None:
        try:
            return sum(count_lines(path) for path in self._files())
        except (OSError, StopSource):
            return None

    def _files(self) -> list[Path]:
        path = self.config.path
        if path.is_dir():
            files = sorted(path.glob(self.config.pattern))
            return [f for f in files if f.is_file() and not f.name.startswith(".")]
        if not path.exists():
            raise StopSource(f"{path} does not exist")
        return [path]

    def _item(self, row: Row, name: str, written: datetime) -> Item:
        place = {"file": name, "row": row.number}
        if row.error:
            return Item(f"bad-{row.key}", None, {**place, "error": row.error})
        fields = [
            FormField(key, _META_MARK.sub("", value))
            for key, value in row.cells.items()
        ]
        times = [f for f in fields if self._is_time(f)]
        read = read_fields([f for f in fields if f not in times], self.config)
        mapped = clean_line(read.values.get("external_id", ""), 200)
        external_id = mapped or row.key
        at = read.values.get("submitted_at") or (times[0].value if times else "")
        submission = build(
            channel=self.channel,
            config=self.config,
            external_id=external_id,
            submitted_at=self._moment(at, written) or written,
            read=read,
            payload={"file": name, "row": row.number, "cells": row.cells},
        )
        if not (read.values or read.answers):
            error = "no cell is filled in"
            return Item(f"bad-{row.key}", None, {**place, "error": error})
        return Item(external_id, submission)

    def _is_time(self, field: FormField) -> bool:
        """A column that tells when, and does so; another "date" is an answer."""
        if "submitted_at" in self.config.mapping:
            return False
        return fold_label(field.key) in _TIME_COLUMNS and bool(
            self._moment(field.value, datetime.now(UTC))
        )

    def _moment(self, text: str, latest: datetime) -> datetime | None:
        text = text.strip()
        try:
            if self.config.time_format:
                at = datetime.strptime(text, self.config.time_format)
            else:
                at = datetime.fromisoformat(text)
            if at.tzinfo is None:
                at = at.replace(tzinfo=self._zone)
            return moment(at.isoformat(), latest)
        except (ValueError, OverflowError):
            return moment(text, latest)

    # operation

    def check(self) -> Iterator[Finding]:
        try:
            files = self._files()
        except StopSource as error:
            yield Finding(False, str(error), "create it, or correct `path`")
            return
        if not files:
            what = f"no {self.config.pattern} in {self.config.path} yet"
            yield Finding(True, what, "put a file there", warning=True)
        for path in files[:20]:
            yield self._check_file(path)

    def _check_file(self, path: Path) -> Finding:
        try:
            names = columns_of(path, self.config.encoding, self.config.delimiter)
        except (OSError, LookupError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            return Finding(
                False,
                f"{path} can't be read: {reason}",
                "make it readable for the service's user, and check `encoding`",
            )
        found = self._understood(names)
        what = f"{path.name}: " + (
            ", ".join(f"{target} = {name}" for target, name in found.items())
            or "no column is understood"
        )
        if {"email", "phone"} & found.keys():
            return Finding(True, what)
        cure = f"tell which column is what under mapping; columns: {', '.join(names)}"
        return Finding(False, what, cure[:1000])

    def _understood(self, names: list[str]) -> Mapping[str, str]:
        """Target -> column, as far as the header alone tells."""
        sample = {"email": "a@b.example", "phone": "+4930901820"}
        fields = []
        for name in names:
            # values that fit whatever the column is for
            value = " ".join((name, *sample.values()))
            fields.append(FormField(name, value))
        values: dict[str, Any] = read_fields(fields, self.config).values
        return {
            target: next((n for n in names if text.startswith(n + " ")), "")
            for target, text in values.items()
        }
