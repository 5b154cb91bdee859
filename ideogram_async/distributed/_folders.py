"""Where images go: a folder that all workers share, or an address that fsspec knows."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from anyio import to_thread

from ..errors import ConfigurationError, DownloadError
from ..jobs._folder import MANIFEST, Folder


NEEDS_FSSPEC: Final = "needs fsspec: pip install 'ideogram-async[fsspec]'"


def folder_at(out: str, total: int | None) -> Folder:
    """Return what writes to *out*, such as `"out"` or `"s3://bucket/out"`.

    Raises:
        ConfigurationError: It is an address, and fsspec or the package that knows such
            addresses is missing.
        OSError: It can't be read.
    """
    if "://" not in out:
        return Folder(Path(out), total)
    try:
        core: Any = importlib.import_module("fsspec.core")
    except ModuleNotFoundError:
        raise ConfigurationError(f"{out} {NEEDS_FSSPEC}") from None
    try:
        files, root = core.url_to_fs(out)
    except (ImportError, ValueError) as error:
        raise ConfigurationError(f"can't use {out}: {error}") from None
    return RemoteFolder(files, root, total)


class RemoteFolder(Folder):
    """A folder at an address; files are made in a temporary folder and sent there.

    Args:
        files: fsspec's file system.
        root: The folder in it.
        total: Items in all, which decides the width of their numbers; None if unknown.
    """

    def __init__(self, files: Any, root: str, total: int | None) -> None:
        self._spool = tempfile.TemporaryDirectory(prefix="ideogram-")
        super().__init__(Path(self._spool.name), total)
        self._files = files
        self._root = root.rstrip("/")
        files.makedirs(self._root, exist_ok=True)
        files.invalidate_cache()
        found: list[str] = files.ls(self._root, detail=False)
        self._known = {name.rpartition("/")[2] for name in found}

    def close(self) -> None:
        """Remove the temporary folder."""
        self._spool.cleanup()

    def _is_there(self, name: str) -> bool:
        return name in self._known

    def has(self, name: str) -> bool:
        """Whether the image of that name is there."""
        self._files.invalidate_cache()
        there: bool = self._files.exists(f"{self._root}/{name}")
        return there

    async def fill(self, name: str, fetch: Callable[[Path], Awaitable[object]]) -> None:
        """Let *fetch* make the image of that name, and send it; not if it is there.

        Raises:
            DownloadError: It can't be sent.
        """
        path = self.path / name
        try:
            if not await to_thread.run_sync(self.has, name):
                await fetch(path)
                await to_thread.run_sync(self.send, path)
        except DownloadError:
            raise
        except Exception as error:  # every file system has errors of its own
            raise DownloadError(f"can't write {self._root}/{name}: {error}") from error
        finally:
            path.unlink(missing_ok=True)

    def send(self, path: Path) -> None:
        """Send the file at *path*, to stand there under the same name."""
        self._files.put_file(str(path), f"{self._root}/{path.name}")
        self._known.add(path.name)

    def set_manifest_aside(self, marks: tuple[str, ...]) -> None:
        """Give a manifest a number, unless this job wrote one before."""
        if marks or MANIFEST not in self._known:
            return
        number = 1
        while (aside := f"manifest.{number}.jsonl") in self._known:
            number += 1
        self._files.mv(f"{self._root}/{MANIFEST}", f"{self._root}/{aside}")

    def publish_manifest(self) -> Path:
        """Send what was written as the manifest, and return the path of its copy."""
        path = super().publish_manifest()
        self.send(path)
        return path
