"""Images at addresses that fsspec knows."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import anyio
import fsspec
import pytest

from ideogram_async import ConfigurationError, DownloadError, ImageObject
from ideogram_async.cli._fleet import _add_page as add_page
from ideogram_async.distributed import enqueue
from ideogram_async.distributed._folders import RemoteFolder, folder_at
from ideogram_async.jobs import Job

from ..jobs.shop import PROMPTS, price, selling, shop
from ..servers import PNG, Server, refuse
from .crew import states, work


@pytest.fixture(params=["memory", "file"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return an empty place: in memory, or on disk by its address."""
    if request.param == "memory":
        return f"memory://{uuid.uuid4()}/out"
    return f"file://{tmp_path}/out"


def content(address: str) -> dict[str, bytes]:
    """Return what is at *address*, by name."""
    files: Any
    files, root = fsspec.core.url_to_fs(address)
    names = files.ls(root, detail=False)
    return {name.rpartition("/")[2]: files.cat_file(name) for name in names}


async def test_a_fleet_writes_to_an_address(
    tmp_path: Path, dsn: str, address: str
) -> None:
    """The same names and the same manifest stand there as in a folder."""
    one = tmp_path / "one"
    prompts = [*PROMPTS, "forbidden"]
    async with selling(shop({"forbidden": refuse(422)})) as (server, client):
        await Job(prompts, one, price=price).run(client)
        await enqueue(prompts, dsn, out=address, price=price)
        await work(dsn, server, workers=2, on_published=add_page)
    found = content(address)

    names = {path.name for path in one.iterdir()} - {"journal.sqlite"}
    assert set(found) == names | {"index.html"}
    assert found["0003-12345.png"] == PNG
    lines = [json.loads(line) for line in found["manifest.jsonl"].splitlines()]
    assert sorted(line["index"] for line in lines) == list(range(13))
    assert b"prompt 3" in found["index.html"]


async def test_what_is_there_is_kept(dsn: str, address: str) -> None:
    """A name that is taken is not given again; a foreign manifest is set aside."""
    files: Any
    files, root = fsspec.core.url_to_fs(address)
    files.makedirs(root)
    for name in ("0000-12345.png", "manifest.jsonl", "manifest.1.jsonl"):
        files.pipe_file(f"{root}/{name}", b"foreign")
    async with Server(shop()) as server:
        await enqueue(["one"], dsn, out=address, price=price)
        await work(dsn, server)
        await enqueue(["one", "two"], dsn, out=address, price=price)
        await work(dsn, server)
    found = content(address)

    assert found["0000-12345.png"] == b"foreign"
    assert found["0000-12345-2.png"] == PNG
    assert found["manifest.1.jsonl"] == found["manifest.2.jsonl"] == b"foreign"
    assert len(found["manifest.jsonl"].splitlines()) == 2
    assert "manifest.3.jsonl" not in found


async def test_an_address_that_fails(
    dsn: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be written is written later, without sending it again."""
    send = RemoteFolder.send
    faults: list[Exception] = [ValueError("slow down"), ValueError("slow down")]

    def failing(folder: RemoteFolder, path: Path) -> None:
        if faults:
            raise faults.pop()
        send(folder, path)

    monkeypatch.setattr(RemoteFolder, "send", failing)
    async with Server(shop()) as server:
        await enqueue(["one", "two"], dsn, out=address, price=price)
        await work(dsn, server)

    assert server.ran == 2
    assert states(dsn) == {"saved": 2}


async def test_an_image_that_is_there(address: str) -> None:
    """One that was sent before is not fetched again; one that fails leaves nothing."""
    folder = folder_at(address, 10)
    image = ImageObject(url="http://127.0.0.1/a.png", seed=7)
    name = folder.name_for(3, image)

    async def fetch(path: Path) -> None:
        await anyio.Path(path).write_bytes(PNG)

    async def fail(_: Path) -> None:
        raise DownloadError("no such image")

    with pytest.raises(DownloadError, match="no such image"):
        await folder.fill(name, fail)
    assert not folder.has(name)
    await folder.fill(name, fetch)
    await folder.fill(name, fail)

    assert folder.has(name)
    assert content(address) == {name: PNG}
    assert list(folder.path.iterdir()) == []
    folder.close()


def test_addresses_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what is missing."""
    with pytest.raises(ConfigurationError, match="can't use nowhere://out: "):
        folder_at("nowhere://out", 1)
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'ideogram-async\[fss"):
        folder_at("memory://out", 1)
