"""The folder of a job: names of images, the manifest, and what a killed run left."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from ..responses import ImageObject
from ._values import money


MANIFEST: Final = "manifest.jsonl"
"""Name of the file with a line for each item that was sent."""

PART: Final = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part")
"""The name of a download under way; the first group is the beginning of its goal."""

SEEDS: Final = 2**63
"""Seeds below are told in a name: one without end would be no name."""

SPARE_MANIFEST: Final = f".{MANIFEST}.part"


class Folder:
    """Names what a job writes into one folder; what others left there is kept.

    Args:
        path: The folder; it is made if it is missing.
        total: Items in all, which decides the width of their numbers; None if unknown.
    """

    def __init__(self, path: Path, total: int | None) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._digits = 6 if total is None else max(4, len(str(total - 1)))
        self._reserved: set[str] = set()

    def name_for(self, position: int, image: ImageObject) -> str:
        """Return a free name that tells the item's number and the seed; it is taken."""
        is_told = image.seed is not None and 0 <= image.seed < SEEDS
        seed = image.seed if is_told else "unknown"
        stem = f"{position:0{self._digits}d}-{seed}"
        name, copy = f"{stem}.png", 1
        while name in self._reserved or self._is_there(name):
            copy += 1
            name = f"{stem}-{copy}.png"
        self._reserved.add(name)
        return name

    def close(self) -> None:
        """Give back what is held besides the folder; nothing is, of one on disk."""

    def release(self, names: list[str | None]) -> None:
        """Forget names that are on disk by now, or never will be."""
        self._reserved.difference_update(name for name in names if name)

    def _is_there(self, name: str) -> bool:
        """Whether anything of that name is there; asked before an answer is kept."""
        return (self.path / name).exists()

    async def fill(self, name: str, fetch: Callable[[Path], Awaitable[object]]) -> None:
        """Let *fetch* put the image of that name where it belongs."""
        await fetch(self.path / name)

    def has(self, name: str) -> bool:
        """Whether the image of that name is on disk.

        A name is given only while no such file is there, and a file gets it only when
        it is whole; so one that is there is the image.
        """
        return (self.path / name).is_file()

    def sweep(self, names: list[str | None]) -> None:
        """Take *names*, and remove what a killed download of one of them left."""
        self._reserved.update(name for name in names if name)
        begun = {name[:40] for name in names if name}
        for found in os.scandir(self.path):
            part = PART.fullmatch(found.name)
            if (part and part[1] in begun) or found.name == SPARE_MANIFEST:
                Path(found.path).unlink(missing_ok=True)

    def set_manifest_aside(self, marks: tuple[str, ...]) -> None:
        """Give a manifest a number, unless one of *marks* shows that it is ours."""
        path, number = self.path / MANIFEST, 1
        if not path.exists() or _mark(path) in marks:
            return
        while (aside := self.path / f"manifest.{number}.jsonl").exists():
            number += 1
        path.rename(aside)

    def write_manifest(self, rows: Iterator[Any]) -> str:
        """Write one line for each of *rows*, beside the manifest; return its mark."""
        spare = self.path / SPARE_MANIFEST
        try:
            with spare.open("w", encoding="utf-8") as file:
                self._write(file, rows)
                file.flush()
                os.fsync(file.fileno())
            return _mark(spare)
        except OSError:
            spare.unlink(missing_ok=True)
            raise

    def publish_manifest(self) -> Path:
        """Put what was written in the place of the manifest, and return its path."""
        return (self.path / SPARE_MANIFEST).replace(self.path / MANIFEST)

    def _write(self, file: IO[str], rows: Iterator[Any]) -> None:
        for row in rows:
            position, request, answer, files, attempts, error, state, *costs = row
            names: list[str | None] = json.loads(files or "[]")
            if state == "answered":
                names = [name if name and self.has(name) else None for name in names]
            cost, unpriced = costs
            told = "null" if unpriced else f'"{money(cost):f}"'
            file.write(
                f'{{"index": {position}, "request": {request or "null"},'
                f' "response": {answer or "null"}, "files": {json.dumps(names)},'
                f' "attempts": {attempts}, "error": {error or "null"},'
                f' "state": "{state}", "cost": {told}}}\n'
            )


def _mark(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size}:{stat.st_mtime_ns}"
