"""What takes long to import is imported in a thread, so that the event loop runs on."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from .servers import PNG, Server, Visit, answer, reply


PROGRAM = """
import asyncio, sys, tempfile, threading
from ideogram_async import IdeogramClient, Upload

class Watch:
    def find_spec(self, name, *_):
        if name in ("anyio._backends._asyncio", "cattrs"):
            print(threading.current_thread() is threading.main_thread())

async def run(url):
    async with IdeogramClient("test-key", base_url=url) as client:
        {call}

sys.meta_path.insert(0, Watch())
with tempfile.TemporaryDirectory() as folder:
    asyncio.run(run(sys.argv[1]))
"""

CALLS = {
    "batch": "await client.generate_many(['a cat'] * 3)",
    "deadline": (
        "one = client.with_options(deadline=60);"
        " await asyncio.gather(*(one.generate('a cat') for _ in range(20)))"
    ),
    "download": (
        "await asyncio.gather(*(client.download(url, f'{folder}/{n}.png')"
        " for n in range(9)))"
    ),
    "upload": "await client.remix('a cat', image=Upload.from_path(sys.argv[2]))",
}


async def act(visit: Visit) -> None:
    """Send an image to whoever asks for one, else answer."""
    await (reply(PNG) if visit.seen.method == "GET" else answer())(visit)


@pytest.mark.parametrize("call", CALLS)
async def test_imports_in_a_thread(call: str, tmp_path: Path) -> None:
    """Whatever needs it first, another thread finds cattrs and anyio's backend."""
    image = tmp_path / "cat.png"
    image.write_bytes(PNG)
    async with Server(act) as server:
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", PROGRAM.replace("{call}", CALLS[call])),
            server.url,
            str(image),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complaints = await program.communicate()

    assert ({*printed.decode().split()}, complaints) == ({"False"}, b"")
