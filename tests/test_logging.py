"""The log: silent at first, and never with a key, a prompt or a link."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from ideogram_async import (
    DownloadError,
    IdeogramClient,
    IdeogramError,
    ImageObject,
    Limiter,
    OutcomeUnknownError,
    RetryPolicy,
    SafetyError,
)
from ideogram_async.sandbox import Fault, Sandbox

from .servers import (
    PNG,
    Server,
    answer,
    fail,
    refuse,
    reply,
    serving,
    silence,
    until,
)


NAME = "ideogram_async"


def lines(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    """Return our lines of one level."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == NAME and record.levelno == level
    ]


def test_it_is_silent_by_default() -> None:
    """A program that sets no logging up sees nothing, not even of a failing hook."""
    code = (
        "import asyncio\n"
        "from ideogram_async import IdeogramClient, IdeogramError\n"
        "from ideogram_async.hooks import Hooks\n"
        "class Bad(Hooks):\n"
        "    def on_request(self, started): raise ValueError\n"
        "async def main():\n"
        "    url = 'http://localhost:1'\n"
        "    async with IdeogramClient('k', base_url=url, hooks=Bad(), deadline=0.1)"
        " as client:\n"
        "        await client.generate_many(['a'])\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_what_goes_well_is_told_at_debug(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Waits, attempts, answers and downloads are lines of DEBUG."""
    caplog.set_level(logging.DEBUG, NAME)

    async with (
        Server(reply(PNG)) as images,
        serving(answer(), limiter=Limiter(1, learn=False)) as (_, client),
    ):
        await client.generate_many(["a", "b"])
        await client.download(f"{images.url}/a", tmp_path / "a.png")

    told = "\n".join(lines(caplog, logging.DEBUG))
    assert "GenerateV3: waited " in told
    assert "GenerateV3: attempt 1 at ideogram, status 200 after " in told
    assert "at ideogram: 1 images, cost 0.06 USD" in told
    assert f"download from 127.0.0.1: {len(PNG)} bytes in " in told
    assert {record.levelno for record in caplog.records if record.name == NAME} == {10}


async def test_retries_and_limits_are_told_at_info(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is sent again, and a limit that changes, are lines of INFO."""
    caplog.set_level(logging.INFO, NAME)

    async with serving(refuse(429), answer()) as (_, client):
        await client.generate("a cat")

    limit, retry = lines(caplog, logging.INFO)
    assert limit == "the limit of ideogram is 1 places now, and was 10"
    assert "RateLimitError at attempt 1 at ideogram; sent again after 0.000 s" in retry


async def test_failures_are_told_at_info(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """What failed for nothing is a line of INFO."""
    caplog.set_level(logging.INFO, NAME)

    async with serving(refuse(422)) as (_, client):
        with pytest.raises(SafetyError):
            await client.generate("a cat")
        with pytest.raises(DownloadError):
            await client.download(ImageObject(), tmp_path / "a.png")

    failed, download = lines(caplog, logging.INFO)
    assert failed.endswith(" s at ideogram: SafetyError")
    assert download.endswith(" s, DownloadError")


async def test_what_may_cost_for_nothing_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Warnings come without any setting: unknown, cancelled, and withheld."""
    async with serving(fail(500), answer(is_image_safe=False), silence) as (s, client):
        with pytest.raises(OutcomeUnknownError):
            await client.generate("a cat")
        await client.generate("a cat")
        task = asyncio.create_task(client.generate("a cat"))
        await until(lambda: s.ran == 3)
        task.cancel()
        await asyncio.wait([task])

    unknown, withheld, cancelled = lines(caplog, logging.WARNING)
    assert unknown.endswith("OutcomeUnknownError; it may have run and be billed")
    assert withheld.endswith("0 images, cost 0.06 USD, 1 billed but withheld")
    assert cancelled.endswith("CancelledError; it may have run and be billed")


async def test_a_storm_leaves_no_secret_in_the_log(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Nothing that any logger says of a stormy batch has a key, a prompt or a link."""
    caplog.set_level(logging.DEBUG)
    key, word = "sk-the-key-of-this-test", "zyzzyva"
    names: tuple[Fault, ...] = ("error_before", "reset", "truncate", "garble")
    faults = dict.fromkeys(names, 0.08)

    async with Sandbox(limit=3, latency=0.005, faults=faults) as sandbox:
        retry = RetryPolicy(wait_initial=0.01, wait_max=0.02)
        async with IdeogramClient(key, base_url=sandbox.url, retry=retry) as client:
            prompts = [f"{word} {number}" for number in range(60)]
            prompts += [f"{word} forbidden", f"{word} withheld"]
            batch = await client.generate_many(prompts)
            for place, image in enumerate(batch.images[:5]):
                await client.download(image, tmp_path / f"{place}.png")
            with pytest.raises(IdeogramError):
                await client.download(batch.images[0].url + "x", tmp_path / "x.png")

    links = [image.url for image in batch.images]
    levels = {record.levelno for record in caplog.records if record.name == NAME}
    assert levels == {logging.DEBUG, logging.INFO, logging.WARNING}
    assert len(lines(caplog, logging.DEBUG)) > 100
    assert key not in caplog.text
    assert word not in caplog.text
    assert not [link for link in links if link in caplog.text]
    assert "/ephemeral/" not in caplog.text
    assert "exp=" not in caplog.text
    assert str(tmp_path) not in caplog.text
