"""Prompt files: text with a prompt a line, CSV or JSONL with a column per field.

A file is read twice, row by row: once to find what is wrong before anything is sent,
once to send it; so a file of any length takes little memory.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, cast, get_origin

import attrs

from .._plain import bare, field_types
from ..providers import Provider
from ..requests import Request
from ._arguments import made


MOST_COMPLAINTS = 20


@attrs.frozen
class PromptFile:
    """A file of prompts, and the fields that all of them share.

    Attributes:
        path: Where it is.
        provider: Who takes the requests; a row becomes its default request.
        shared: Fields that a row has unless it says otherwise.
    """

    path: Path
    provider: type[Provider]
    shared: Mapping[str, Any]

    @property
    def kind(self) -> type[Request[Any]]:
        """The request class that each row becomes."""
        return self.provider.default_request

    def checked(self) -> int:
        """Return the number of rows, all of which are valid.

        Raises:
            ValueError: The file can't be read, or some rows are invalid; names them.
        """
        count, complaints = 0, list[str]()
        for line, row in self._rows():
            count += 1
            try:
                self._request(row)
            except ValueError as error:
                complaints.append(f"{self.path}:{line}: {error}")
        if complaints:
            more = len(complaints) - MOST_COMPLAINTS
            listed = complaints[:MOST_COMPLAINTS]
            listed += [f"... and {more} more"] if more > 0 else []
            raise ValueError("\n".join(listed) + "\nnothing was sent: mend these rows")
        if not count:
            raise ValueError(f"{self.path}: no prompts in it")
        return count

    def requests(self) -> Iterator[Request[Any]]:
        """Yield the requests, row by row."""
        for _, row in self._rows():
            yield self._request(row)

    def _request(self, row: Mapping[str, Any] | ValueError) -> Request[Any]:
        if isinstance(row, ValueError):
            raise row
        request = made(self.kind, {**self.shared, **row})
        if wrong := self.provider.refusal(request):
            raise ValueError(wrong)
        return request

    def _rows(self) -> Iterator[tuple[int, Mapping[str, Any] | ValueError]]:
        """Yield each row's line number and fields, or what is wrong with it."""
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                yield from self._parsed(file)
        except OSError as error:
            raise ValueError(f"can't read {self.path}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{self.path} is not UTF-8 text: {error.reason} at byte {error.start}"
            ) from None

    def _parsed(
        self, file: IO[str]
    ) -> Iterator[tuple[int, Mapping[str, Any] | ValueError]]:
        suffix = self.path.suffix.lower()
        if suffix == ".csv":
            return self._csv(file)
        if suffix in {".jsonl", ".ndjson"}:
            return _jsonl(file)
        return _text(file)

    def _csv(
        self, file: IO[str]
    ) -> Iterator[tuple[int, Mapping[str, Any] | ValueError]]:
        reader = csv.DictReader(file, strict=True)
        lists = {
            name
            for name, hint in field_types(cast("Any", self.kind)).items()
            if get_origin(bare(hint)) is tuple
        }
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                yield reader.line_num + 1, ValueError(f"unreadable row: {error}")
                continue
            if row is None:
                return
            yield reader.line_num, _cells(row, lists)


def _cells(row: dict[Any, Any], lists: set[str]) -> Mapping[str, Any] | ValueError:
    if None in row:
        return ValueError(f"{len(row[None])} more cells than the header has columns")
    if None in row.values():
        return ValueError("fewer cells than the header has columns")
    given = {name.strip(): cell.strip() for name, cell in row.items() if cell.strip()}
    return {n: c.split(";") if n in lists else c for n, c in given.items()}


def _jsonl(file: IO[str]) -> Iterator[tuple[int, Mapping[str, Any] | ValueError]]:
    for line, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except ValueError as error:
            yield line, ValueError(f"not JSON: {error}")
            continue
        wrong = ValueError('must be a JSON object, such as {"prompt": "a cat"}')
        yield line, row if isinstance(row, dict) else wrong


def _text(file: IO[str]) -> Iterator[tuple[int, Mapping[str, Any] | ValueError]]:
    for line, text in enumerate(file, 1):
        if text.strip():
            yield line, {"prompt": text.strip()}
