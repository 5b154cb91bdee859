"""Files that are whole or not there: a temporary name, flushed, then renamed."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def whole(path: Path) -> Generator[IO[bytes]]:
    """Open a file that gets the name *path* when the context ends without an error.

    Raises:
        OSError: It can't be written; what stood at *path* still does.
    """
    with temporary(path) as file:
        yield file
        keep(file, path)


@contextmanager
def temporary(path: Path) -> Generator[IO[bytes]]:
    """Open a file beside *path* that is gone afterwards, unless it was renamed."""
    name = path.with_name(f".{path.name[:40]}.{os.urandom(4).hex()}.part")
    with name.open("xb") as file:
        try:
            yield file
        finally:
            name.unlink(missing_ok=True)


def keep(file: IO[bytes], path: Path) -> None:
    """Flush *file* to disk and give it its name."""
    file.flush()
    os.fsync(file.fileno())
    Path(file.name).replace(path)
    with suppress(OSError):  # some systems can't open a folder
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
