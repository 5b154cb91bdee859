"""The rows of a prompt file, read one at a time: text, CSV, JSONL, Parquet."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, cast

import attrs

from .errors import ConfigurationError


Cells = Mapping[str, Any] | ValueError
"""What stands in a row, by column; or what is wrong with the row."""

FOREIGN: Final = {
    ".json": "save it as JSONL, an object a line",
    **dict.fromkeys((".xls", ".xlsx", ".ods"), "save it as CSV UTF-8"),
}
"""Files that are no text, though some would read as one."""

UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
NEEDS_PYARROW: Final = "it needs pyarrow: pip install 'ideogram-async[parquet]'"
ROWS_AT_ONCE: Final = 1000


@attrs.frozen
class Rows:
    """A file that is open.

    Attributes:
        header: Titles of the columns; None if every row names its own.
        rows: Each row's number and cells, the rows that are empty left out. The number
            is that of its first line, from 1; in Parquet that of the row, from 1.
    """

    header: list[str] | None
    rows: Iterator[tuple[int, Cells]]


@contextmanager
def opened(path: Path) -> Generator[Rows]:
    """Open the prompt file *path* while the context lasts.

    Raises:
        ValueError: It can't be read at all; says why.
        ConfigurationError: It is a Parquet file, and pyarrow is not installed.
    """
    suffix = path.suffix.lower()
    if suffix in FOREIGN:
        raise ValueError(f"{path} is no prompt file: {FOREIGN[suffix]}")
    try:
        if suffix == ".parquet":
            with path.open("rb") as file:
                yield _parquet(path, file)
            return
        _check_encoding(path)
        # what is not UTF-8 spoils its row, not the file
        with path.open(
            encoding="utf-8-sig", errors="surrogateescape", newline=""
        ) as text:
            if suffix in {".csv", ".tsv"}:
                yield _csv(path, text)
            else:
                jsonl = suffix in {".jsonl", ".ndjson"}
                yield Rows(None, _jsonl(text) if jsonl else _text(text))
    except OSError as error:
        why = error.strerror or error
        raise ValueError(f"can't read {path}: {why}") from None


def is_text(value: Any) -> bool:
    """Whether *value* can be sent: False for a text that was not UTF-8."""
    if not isinstance(value, str) or value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_encoding(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(2) in UTF_16:
            raise ValueError(f"{path} is UTF-16: save it as UTF-8")


def _text(file: IO[str]) -> Iterator[tuple[int, Cells]]:
    for line, text in enumerate(file, 1):
        if prompt := text.strip():
            yield line, {"prompt": prompt}


def _jsonl(file: IO[str]) -> Iterator[tuple[int, Cells]]:
    for line, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield line, ValueError(f"not JSON: {error}")
            continue
        wrong = ValueError('must be a JSON object, such as {"prompt": "a cat"}')
        yield line, cast("Cells", row) if isinstance(row, dict) else wrong


def _csv(path: Path, file: IO[str]) -> Rows:
    """Read a table; its header tells what stands between the cells."""
    first = file.readline()
    file.seek(0)
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    try:
        header = [title.strip() for title in next(reader, list[str]())]
    except csv.Error as error:
        raise ValueError(f"{path}:1: unreadable header: {error}") from None
    named = [title for title in header if title]
    if first and not named:
        raise ValueError(f"{path}:1: the first line must name the columns")
    if len(named) > len(set(named)):
        twice = next(title for title in named if named.count(title) > 1)
        raise ValueError(f"{path}:1: two columns are called {twice}")
    return Rows(named, _csv_rows(reader, header))


def _csv_rows(reader: Any, header: list[str]) -> Iterator[tuple[int, Cells]]:
    while True:
        line = reader.line_num + 1
        try:
            row: list[str] = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, ValueError(f"unreadable row: {error}")
            continue
        if any(map(str.strip, row)):
            yield line, _cells(header, row)


def _cells(header: list[str], row: list[str]) -> Cells:
    if len(row) < len(header):
        return ValueError("fewer cells than the header has columns")
    beyond = [cell for cell in row[len(header) :] if cell.strip()]
    if beyond:
        return ValueError(
            f"{len(beyond)} more cells than the header has columns;"
            " a cell with a comma in it needs quotes"
        )
    cells = dict(zip(header, row, strict=False))
    if "" in cells:
        nameless = (c for t, c in zip(header, row, strict=False) if not t)
        if any(map(str.strip, nameless)):
            return ValueError("a cell stands in a column without a name")
        del cells[""]
    return cells


def _parquet(path: Path, file: IO[bytes]) -> Rows:
    try:
        pyarrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        raise ConfigurationError(f"can't read {path}: {NEEDS_PYARROW}") from None
    try:
        table = parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path} is no Parquet file: {error}") from None
    return Rows(list(table.schema_arrow.names), _parquet_rows(path, table, pyarrow))


def _parquet_rows(path: Path, table: Any, pyarrow: Any) -> Iterator[tuple[int, Cells]]:
    number = 0
    try:
        for batch in table.iter_batches(batch_size=ROWS_AT_ONCE):
            for row in batch.to_pylist():
                number += 1
                if any(cell is not None for cell in row.values()):
                    yield number, row
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path}: unreadable after row {number}: {error}") from None
