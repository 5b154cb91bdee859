"""A large upload is streamed: its size never shows in the memory of the process.

This file is also the program of the two other processes: `serve` discards what comes,
`upload` sends a file and says how much memory that took at most.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ideogram_async import IdeogramClient, Upload


MIB = 1024 * 1024
FILE_SIZE = 200 * MIB
LIMIT = 16 * MIB
CONTROL = 32 * MIB
LARGEST_READ = 256 * 1024


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no getrusage")
def test_large_upload_takes_little_memory(tmp_path: Path) -> None:
    """A dataset of 200 MB adds less than 16 MB, and its length is told exactly."""
    archive = tmp_path / "dataset.bin"
    with archive.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(FILE_SIZE)
    program = [sys.executable, "-P", __file__]  # tests/typing is no typing

    with subprocess.Popen([*program, "serve"], stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout
            port = server.stdout.readline().decode().strip()
            report = json.loads(
                subprocess.run(
                    [*program, "upload", f"http://127.0.0.1:{port}", str(archive)],
                    check=True,
                    stdout=subprocess.PIPE,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                ).stdout
            )
        finally:
            server.terminate()

    assert report["media_type"] == "application/zip"
    assert report["received"] == report["content_length"]
    assert 0 < report["content_length"] - FILE_SIZE < 1024
    assert report["whole"]
    assert report["control"] >= CONTROL // 2, "the measure does not see memory"
    assert report["grown"] < LIMIT


def peak() -> int:
    """Return the most bytes of memory that this process ever had.

    What `getrusage` says on Linux is inherited from the parent; the status is not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())[0]) * 1024
    import resource  # noqa: PLC0415  # not on every system

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


async def discard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read one request, and answer how long it was to be, and was."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(re.findall(r"(?im)^content-length: (\d+)\r$", head)[0])
    received, tail = 0, b""
    while received < length and (chunk := await reader.read(LARGEST_READ)):
        received += len(chunk)
        tail = (tail + chunk)[-4:]
    answer = {
        "total_count": length,
        "success_count": received,
        "failure_count": 0 if tail == b"--\r\n" else 1,
    }
    body = json.dumps(answer).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
    writer.write(b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()
    writer.close()


async def serve() -> None:
    """Serve until the end, and say on which port."""
    server = await asyncio.start_server(discard, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  # the report
    await server.serve_forever()


async def upload(url: str, path: str) -> None:
    """Send a small file, then the file at *path*; say how much the peak grew."""
    async with IdeogramClient("test-key", base_url=url) as client:
        small = Upload.from_bytes(b"PK\x03\x04", "small.zip")
        await client.upload_dataset_assets("ds", files=(small,))
        before = peak()
        archive = Upload.from_path(path)
        answer = await client.upload_dataset_assets("ds", files=(archive,))
        after = peak()
    ballast = b"x" * CONTROL
    report = {
        "media_type": archive.media_type,
        "content_length": answer.total_count,
        "received": answer.success_count,
        "whole": answer.failure_count == 0,
        "grown": after - before,
        "control": peak() - before if ballast else 0,
    }
    print(json.dumps(report))  # noqa: T201  # the report


if __name__ == "__main__":
    asyncio.run(serve() if sys.argv[1] == "serve" else upload(*sys.argv[2:]))
