"""Prompt files: a request per row of a text, CSV, JSONL or Parquet file.

```python
prompts = PromptFile("prompts.csv", shared={"rendering_speed": "TURBO"})
for row in prompts.rows():
    if isinstance(row, BadRow):
        print(row)  # prompts.csv:7: seed must be in [0, 2147483647], got -1
```

A file is read row by row and never held whole, so a million rows start at once and
take little memory. Columns have the names of fields, or those of the batch sheet of
Ideogram's web page: `seed_number`, `rendering`, `style`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

import attrs

from ._columns import Column, column
from ._plain import made
from ._rows import Cells, is_text, opened
from .requests import GenerateV3, Request


__all__ = ["BadRow", "PromptFile"]

MOST_COMPLAINTS: Final = 20


@attrs.frozen
class BadRow:
    """A row that is no request; `str()` names it: `"p.csv:7: prompt is required"`.

    Attributes:
        path: The file.
        line: Number of the row's first line, from 1; in Parquet, of the row.
        error: What is wrong with it.
    """

    path: Path
    line: int
    error: ValueError

    def __str__(self) -> str:
        """Return file, line and error, on one line."""
        return f"{self.path}:{self.line}: {self.error}"


@attrs.frozen
class PromptFile:
    """A file of prompts, and the fields that all of them share.

    The ending tells the format: `.csv` and `.tsv` (comma, semicolon or tab, as the
    header has them), `.jsonl` and `.ndjson`, `.parquet`; anything else is text with a
    prompt a line. A cell of a field that takes a file holds its path or link; of one
    that takes several, with semicolons between.

    Attributes:
        path: Where it is.
        kind: Request class that each row becomes.
        shared: Fields that a row has unless it says otherwise, by name.
        refusal: Says why a request is not taken, as `Provider.refusal` does; or None.
    """

    path: Path = attrs.field(converter=Path)
    kind: type[Request[Any]] = GenerateV3
    shared: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    refusal: Callable[[Request[Any]], str | None] = lambda _: None

    def rows(self) -> Iterator[Request[Any] | BadRow]:
        """Yield each row's request, or what is wrong with the row, in their order.

        Raises:
            ValueError: The file can't be read, or a column of it is no field.
            ConfigurationError: What reads this kind of file is not installed.
        """
        with opened(self.path) as table:
            self._check(table.header)
            once = table.header is not None
            for line, cells in table.rows:
                try:
                    request = self._request(cells, named_once=once)
                except ValueError as error:
                    yield BadRow(self.path, line, error)
                else:
                    yield request

    def count(self) -> int:
        """Return the number of rows, good or bad, without making requests of them.

        Raises:
            ValueError: The file can't be read, or a column of it is no field.
            ConfigurationError: What reads this kind of file is not installed.
        """
        with opened(self.path) as table:
            self._check(table.header)
            return sum(1 for _ in table.rows)

    def checked(self) -> int:
        """Return the number of rows, all of which are good.

        Raises:
            ValueError: The file can't be read, is empty, or has bad rows; names them.
            ConfigurationError: What reads this kind of file is not installed.
        """
        count, bad = 0, 0
        complaints: list[str] = []
        for row in self.rows():
            count += 1
            if isinstance(row, BadRow):
                bad += 1
                complaints += [str(row)] if bad <= MOST_COMPLAINTS else []
        if bad > MOST_COMPLAINTS:
            complaints.append(f"... and {bad - MOST_COMPLAINTS} more")
        if bad:
            complaints.append("nothing was sent: mend these rows")
            raise ValueError("\n".join(complaints))
        if not count:
            raise ValueError(f"{self.path}: no prompts in it")
        return count

    def requests(self) -> Iterator[Request[Any]]:
        """Yield the requests; the first bad row ends them with its error.

        Raises:
            ValueError: The file can't be read, or a row of it is bad; names it.
            ConfigurationError: What reads this kind of file is not installed.
        """
        for row in self.rows():
            if isinstance(row, BadRow):
                raise ValueError(str(row)) from row.error  # noqa: TRY004  # a bad row
            yield row

    def ignored(self) -> tuple[str, ...]:
        """Return the titles of the columns that the API has nothing for.

        They are those of the web page's sheet, such as `visibility`: an API key decides
        whether its images are public. Tell people of them.

        Raises:
            ValueError: The file can't be read, or a column of it is no field.
            ConfigurationError: What reads this kind of file is not installed.
        """
        with opened(self.path) as table:
            self._check(table.header)
            titles = table.header or []
            return tuple(
                title
                for title in titles
                if self._column(title).field is None and title.lower() != "model"
            )

    def _check(self, header: list[str] | None) -> None:
        """Refuse a table that has columns which are no fields, or lacks a field."""
        if not header:
            return
        fields = attrs.fields_dict(cast("Any", self.kind))
        titles: dict[str, str] = {}
        for title in header:
            name = self._column(title).field
            if name is None:
                continue
            if name not in fields:
                known = ", ".join(fields)
                wrong = f"{title} is no field of {self.kind.__name__}: {known}"
                raise ValueError(f"{self.path}:1: {wrong}")
            if name in titles:
                both = f"{titles[name]} and {title}"
                raise ValueError(f"{self.path}:1: two columns mean {name}: {both}")
            titles[name] = title
        for name, attribute in fields.items():
            needed = attribute.default is attrs.NOTHING
            if needed and name not in titles and name not in self.shared:
                raise ValueError(f"{self.path}:1: no column is called {name}")

    def _column(self, title: str) -> Column:
        return column(cast("Any", self.kind), title)

    def _request(self, cells: Cells, *, named_once: bool) -> Request[Any]:
        """Make the request of a row; a header has told which columns are ignored."""
        if isinstance(cells, ValueError):
            raise cells
        fields: dict[str, Any] = {}
        for title, cell in cells.items():
            meant = self._column(title)
            if not is_text(cell):
                raise ValueError(f"{title} is not UTF-8 text: save the file as UTF-8")
            value = meant.read(cell)
            if value is None:
                continue
            if meant.field in fields:
                raise ValueError(f"{title} is given twice, by two names")
            if meant.field is not None:
                fields[meant.field] = value
            elif not named_once:
                raise ValueError(f"{title} is nothing the API has: leave it out")
        request = made(self.kind, {**self.shared, **fields})
        if wrong := self.refusal(request):
            raise ValueError(wrong)
        return request
