"""Runs the web applications of `examples/` as people do: by their command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import anyio


FOLDER = Path(__file__).parents[1] / "examples/web"
APPS = ("fastapi_app", "litestar_app", "aiohttp_app")


@asynccontextmanager
async def application(
    name: str, *options: str, **environment: str
) -> AsyncIterator[str]:
    """Run an application, return its address, and see that SIGTERM ends it well."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}
    command = [
        sys.executable,
        str(FOLDER / f"{name}.py"),
        "--port",
        str(port),
        *options,
    ]
    process = await anyio.open_process(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=kept | environment,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession() as session:
            while not await _answers(session, url):
                assert process.returncode is None, "the application has ended"
                await anyio.sleep(0.05)
        yield url
        process.send_signal(signal.SIGTERM)
        code = await process.wait()
        assert code in {0, -signal.SIGTERM}, f"the application ended with {code}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.aclose()


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False
