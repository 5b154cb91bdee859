"""Saves the images of answers, and writes down that they are on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
from anyio import to_thread

from .._call import Halt
from .._codec import decode
from .._png import embed_texts, picture_texts
from ..client import IdeogramClient
from ..errors import DownloadError, IdeogramError, JournalError
from ..requests import REQUESTS
from ..responses import ImageObject
from ._folder import Folder
from ._items import Item, Reread
from ._journal import Journal
from ._sender import Answered, told
from ._values import State


@attrs.define(eq=False)
class Saver:
    """Saves answers.

    Attributes:
        client: What downloads.
        journal: Where everything is written.
        folder: Where images go.
        halt: Ends the job.
        on_problem: Told of what went wrong with an item.
        embeds: Whether prompt, seed and model are put into PNG files.
        images: Images saved so far.
        withheld: Images that were not released.
    """

    client: IdeogramClient
    journal: Journal
    folder: Folder
    halt: Halt
    on_problem: Callable[[Item, Exception], None]
    embeds: bool = False
    images: int = 0
    withheld: int = 0

    async def recall(self, number: int) -> Answered:
        """Return an item that an earlier run left answered."""
        return revived(await self.journal.reread(number))

    async def save(self, answered: Answered) -> None:
        """Save every image, and write that down.

        What can't be had any more fails its item; what can still be had later leaves it
        answered, for the next run. So does a journal that had to take the last room: an
        image must not have that.
        """
        if self.journal.is_short:
            return
        item, files, failure = answered.item, list(answered.files), None
        for place, image in enumerate(answered.images):
            name = files[place]
            if name is None:
                self.withheld += 1
                continue
            try:
                await self._download(item, image, name)
            except DownloadError as error:
                files[place], failure = None, error
        if failure is None:
            is_withheld = bool(files) and not any(files)
            state: State = "withheld" if is_withheld else "saved"
            self.journal.move_late(item, state, error=None)
            self.folder.release(answered.files)
        else:
            await self._give_up(answered, files, failure)

    async def _download(self, item: Item, image: ImageObject, name: str) -> None:
        async def fetch(path: Path) -> None:
            if not is_there(path):
                await self.client.download(image, path)
            if self.embeds:
                texts = picture_texts(json.loads(item.asked), image)
                await to_thread.run_sync(_embed, path, texts)

        await self.folder.fill(name, fetch)
        self.images += 1

    async def _give_up(
        self, answered: Answered, files: list[str | None], error: DownloadError
    ) -> None:
        item = answered.item
        cause = error.__cause__
        if isinstance(cause, OSError) and not isinstance(cause, IdeogramError):
            self.halt.end(error)
        if _have_expired(answered.images):
            left = json.dumps(files)
            await self._write(item, "failed", error=told(error), files=left)
            self.folder.release(answered.files)
        else:
            await self._write(item, "answered", error=told(error))
        self.on_problem(item, error)

    async def _write(self, item: Item, state: State, **columns: Any) -> None:
        try:
            await self.journal.move(item, state, **columns)
        except JournalError as error:
            self.halt.end(error)


def is_there(path: Path) -> bool:
    """Whether there is an image at *path*: it got its name when it was whole."""
    return path.is_file()


def revived(known: Reread) -> Answered:
    """Return what an earlier run wrote down as answered, ready to be saved."""
    item, answer, files, _ = known
    returns = REQUESTS[json.loads(item.asked)["type"]].returns
    response = decode(answer, returns, b"")
    return Answered(item, getattr(response, "data", ()), files)


def _embed(path: Path, texts: dict[str, str]) -> None:
    """Put *texts* into a PNG file; any other picture stays as it came."""
    try:
        embed_texts(path, texts)
    except ValueError:
        return
    except OSError as error:
        raise DownloadError(f"can't write {path}: {error.strerror}") from error


def _have_expired(images: tuple[ImageObject, ...]) -> bool:
    ends = [image.expires_at for image in images]
    return any(end is not None and end < datetime.now(UTC) for end in ends)
