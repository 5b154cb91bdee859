"""Prompts inside the pictures of a job."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from ideogram_async import DownloadError, GenerateV3, IdeogramClient
from ideogram_async._png import read_texts
from ideogram_async.jobs import Job
from ideogram_async.jobs._saver import _embed
from ideogram_async.sandbox import Sandbox


def test_pictures_tell_their_prompts(tmp_path: Path) -> None:
    """Every picture of the job has its prompt and seed; a second run changes none."""
    job = Job([GenerateV3("eine Katze 猫", seed=7)], tmp_path, embed_prompt=True)

    async def run() -> None:
        async with Sandbox(latency=0.01) as sandbox:
            client = IdeogramClient("a key", base_url=sandbox.url)
            async with client:
                await job.run(client)

    anyio.run(run)
    path = tmp_path / "0000-7.png"
    told, content = read_texts(path), path.read_bytes()
    anyio.run(run)

    assert (told["Description"], told["Seed"]) == ("eine Katze 猫", "7")
    assert path.read_bytes() == content


def test_other_pictures_stay_as_they_came(tmp_path: Path) -> None:
    """What is no PNG is left alone; what can't be written is an error of the disk."""
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 a photograph")

    _embed(path, {"Seed": "1"})

    assert path.read_bytes() == b"\xff\xd8\xff\xe0 a photograph"
    with pytest.raises(DownloadError, match=r"can't write .*gone\.png: No such file"):
        _embed(tmp_path / "gone.png", {"Seed": "1"})
