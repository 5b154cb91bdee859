"""The output folder: images, one manifest line per prompt, and the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any

import attrs

from .._codec import to_jsonable
from ..batch import Failure, Success
from ..responses import ImageObject
from ._gallery import write_gallery


MANIFEST = "manifest.jsonl"
PAGE = "index.html"


@attrs.define
class Entry:
    """One manifest line.

    Attributes:
        outcome: What became of the prompt.
        files: For each image of the answer its name; None where it was not saved.
        error: What went wrong, also after the answer; or None.
    """

    outcome: Success[Any] | Failure
    files: list[str | None]
    error: Exception | None

    def line(self) -> dict[str, Any]:
        """Return the entry as JSON values."""
        outcome = self.outcome
        request = outcome.request
        answer = outcome.response if isinstance(outcome, Success) else None
        error = self.error
        return {
            "index": outcome.index,
            "request": None
            if request is None
            else {"type": type(request).__name__, **to_jsonable(request)},
            "response": None if answer is None else to_jsonable(answer),
            "files": self.files,
            "attempts": outcome.attempts,
            "error": error and {"type": type(error).__name__, "message": str(error)},
        }


class Folder:
    """Writes into one folder; what an earlier run left there is kept.

    Args:
        path: The folder; it is made if it is missing.
        total: How many prompts there are.

    Raises:
        OSError: The folder can't be written.
    """

    def __init__(self, path: Path, total: int) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._digits = max(4, len(str(total - 1)))
        self._taken: set[str] = set()
        self._manifest = self._new_manifest()

    def name_for(self, index: int, image: ImageObject) -> str:
        """Return a free name that tells the prompt's number and the seed."""
        seed = "unknown" if image.seed is None else image.seed
        stem = f"{index:0{self._digits}d}-{seed}"
        name, copy = f"{stem}.png", 1
        while name in self._taken or (self.path / name).exists():
            copy += 1
            name = f"{stem}-{copy}.png"
        self._taken.add(name)
        return name

    def add(self, entry: Entry) -> None:
        """Write a manifest line, at once."""
        self._manifest.write(json.dumps(entry.line(), ensure_ascii=False) + "\n")
        self._manifest.flush()

    def close(self) -> Path:
        """Finish the manifest, write the page, and return its path."""
        self._manifest.close()
        page = self.path / PAGE
        write_gallery(self.path / MANIFEST, page)
        return page

    def _new_manifest(self) -> IO[str]:
        """Open a fresh manifest; an earlier one gets a number."""
        path = self.path / MANIFEST
        number = 1
        while (earlier := self.path / f"manifest.{number}.jsonl").exists():
            number += 1
        if path.exists():
            path.rename(earlier)
        return path.open("x", encoding="utf-8")
