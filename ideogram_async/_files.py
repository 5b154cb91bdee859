"""Saves images: a whole file under its name, or nothing.

An image is streamed to a temporary name in the same folder, checked, flushed to disk,
and renamed. The API key is no part of a download, also where a link redirects.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import anyio
import attrs

from . import providers, responses
from ._call import Call
from ._http import HttpRequest, HttpResponse
from ._listeners import Listeners
from ._ready import backend_ready
from ._recorder import DownloadRecord
from ._retry import RetryPolicy, repeat
from ._tally import Downloads
from ._transport import Transport
from ._whole import keep, temporary
from .errors import DownloadError, IdeogramError, StatusError, TransportError
from .limiter import Limiter
from .uploads import HEAD, media_type_of


PLACES: Final = 8
"""How many downloads run at once."""
IDLE_TIMEOUT: Final = 60.0
LARGEST_IMAGE: Final = 256 * 1024 * 1024
"""Most bytes of an image, unless a download says otherwise."""
END_OF_PNG: Final = b"IEND\xaeB`\x82"


@attrs.frozen(eq=False, repr=False)
class Downloader:
    """Downloads images, a few at a time.

    Attributes:
        transport: What fetches.
        retry: How often a lost connection is tried again.
        limiter: A gate of its own: nothing that holds a place may wait for another.
        listeners: Who is told of every download.
        counted: The counters.
    """

    transport: Transport
    retry: RetryPolicy
    limiter: Limiter = attrs.field(factory=lambda: Limiter(PLACES, learn=False))
    listeners: Listeners = attrs.field(factory=Listeners)
    counted: Downloads = attrs.field(factory=Downloads)

    async def save(
        self,
        image: responses.ImageObject,
        path: Path,
        call: Call,
        max_bytes: int = LARGEST_IMAGE,
    ) -> Path:
        """Save *image* at *path*, and make the folder if it is missing.

        Args:
            image: What to fetch.
            path: Where to put it.
            call: How long it may take.
            max_bytes: Most bytes of it.

        Raises:
            DownloadError: There is no whole image to be had, or it can't be written;
                nothing stands at *path* that was not there before.
        """
        record = DownloadRecord(image.url or "")
        try:
            saved = await self._save(image, path, call, max_bytes, record)
        except BaseException as error:
            record.end(self.counted, self.listeners, error)
            raise
        record.end(self.counted, self.listeners, None)
        return saved

    async def _save(
        self,
        image: responses.ImageObject,
        path: Path,
        call: Call,
        max_bytes: int,
        record: DownloadRecord,
    ) -> Path:
        if image.url is None:
            raise DownloadError("the image has no link: the service withheld it")
        step = HttpRequest("GET", image.url)

        async def attempt() -> Path:
            return await self._attempt(step.url, path, call, max_bytes, record)

        try:
            try:
                return await attempt()
            except IdeogramError as error:
                first_error = error
            return await repeat(attempt, self.retry, step, first_error, call.sleep)
        except (StatusError, TransportError) as error:
            raise DownloadError(f"{_fate(image)}: {error}") from error
        except OSError as error:
            raise DownloadError(f"can't write {path}: {error.strerror}") from error

    async def _attempt(
        self, url: str, path: Path, call: Call, max_bytes: int, record: DownloadRecord
    ) -> Path:
        await backend_ready()
        lease = await call.wait(self.limiter.acquire, "to be downloaded")
        try:
            await anyio.to_thread.run_sync(_make_folder, path.parent)
            async with _temporary(path) as file:
                await call.wait(
                    lambda: self._fetch(url, file, max_bytes, record), "for the image"
                )
                await anyio.to_thread.run_sync(keep, file, path)
        finally:
            self.limiter.release(lease)
        return path

    async def _fetch(
        self, url: str, file: IO[bytes], max_bytes: int, record: DownloadRecord
    ) -> None:
        head, tail, size = b"", b"", 0
        async with self.transport.fetch(url, IDLE_TIMEOUT) as download:
            if download.status != 200:  # noqa: PLR2004
                received = time.time()
                reply = HttpResponse(
                    download.status, download.headers, received=received
                )
                raise providers.status_error(reply, secret="")
            async for chunk in download.chunks:
                head += chunk[: HEAD - len(head)]
                tail = (tail + chunk)[-len(END_OF_PNG) :]
                size += len(chunk)
                record.size += len(chunk)
                if len(head) == HEAD:
                    _check_signature(head)
                if size > max_bytes:
                    raise DownloadError(
                        f"the image is larger than {max_bytes} bytes: raise max_bytes"
                    )
                await anyio.to_thread.run_sync(file.write, chunk)
        _check_signature(head)
        is_png = media_type_of(head) == "image/png"
        if is_png and tail != END_OF_PNG and not _is_measured(download.headers):
            raise TransportError(f"the image was cut off after {size} bytes")


@asynccontextmanager
async def _temporary(path: Path) -> AsyncGenerator[IO[bytes]]:
    """Open `temporary`, and leave it in a thread: to delete a large file takes long."""
    with ExitStack() as opened:
        file = opened.enter_context(temporary(path))
        try:
            yield file
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(opened.close)


def _check_signature(head: bytes) -> None:
    if not media_type_of(head).startswith("image/"):
        raise DownloadError(f"not an image: it begins with {head!r}")


def _is_measured(headers: Mapping[str, str]) -> bool:
    """Whether HTTP tells that a body is whole; else it may have been cut anywhere."""
    has_end = "Content-Length" in headers or "Transfer-Encoding" in headers
    return has_end and "Content-Encoding" not in headers


def _fate(image: responses.ImageObject) -> str:
    expires_at = image.expires_at
    if expires_at is not None and expires_at < datetime.now(UTC):
        return f"the link expired at {expires_at:%Y-%m-%d %H:%M:%S} UTC"
    return "the image could not be downloaded"


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
