"""What each command does, and how it ends."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio

from .._codec import to_jsonable
from .._plain import made
from .._settings import named
from ..client import IdeogramClient
from ..errors import ConfigurationError, IdeogramError, one_line
from ..inputs import PromptFile
from ..requests import Request
from ._arguments import given_fields, makes_images
from ._folder import MANIFEST, Folder
from ._progress import Tally
from ._quote import quote as lines_of_quote
from ._run import Run


DONE, FAILED, USAGE = 0, 1, 2
"""Exit codes: all done; some failed, each named; the call itself is wrong."""

DEMO_LATENCY = 1.0
"""Seconds that a request takes in the sandbox of a run, on average."""

DEMO = "sandbox: pictures are drawn on this machine; nothing is sent or paid"

SHEET_NEEDS_PILLOW = "a sheet needs Pillow: pip install 'ideogram-async[sheet]'"
NEEDS_PILLOW = "the sandbox needs Pillow: pip install 'ideogram-async[sandbox]'"


def generate(arguments: argparse.Namespace) -> int:
    """Send one request and save its images, or print what it answers."""
    request = made(arguments.kind, given_fields(arguments))
    named(arguments.provider).check_request(request)
    if makes_images(arguments.kind):
        return _run(arguments, [request], total=1)
    return _ask(arguments, request)


def run(arguments: argparse.Namespace) -> int:
    """Send a request for each row of a file and save the images."""
    prompts = _prompts(arguments)
    return _run(arguments, prompts.requests(), total=prompts.checked())


def quote(arguments: argparse.Namespace) -> int:
    """Print what a file of prompts would cost."""
    prompts = _prompts(arguments)
    prompts.checked()
    provider = named(arguments.provider)
    for line in lines_of_quote(provider, prompts.requests()):
        print(line)
    return DONE


def sheet(arguments: argparse.Namespace) -> int:
    """Write the contact sheets of a folder and print their names."""
    try:
        from ._sheet import Layout, write_sheets  # noqa: PLC0415  # Pillow is optional
    except ModuleNotFoundError as error:
        if error.name != "PIL":
            raise
        raise ConfigurationError(SHEET_NEEDS_PILLOW) from None
    layout = Layout(arguments.columns, arguments.width, arguments.per_page)
    folder: Path = arguments.folder
    try:
        for path in write_sheets(folder, folder / MANIFEST, layout):
            print(path)
    except OSError as error:
        where = error.filename or folder
        raise ConfigurationError(f"can't use {where}: {error.strerror}") from None
    return DONE


def sandbox(arguments: argparse.Namespace) -> int:
    """Serve the sandbox until Ctrl-C."""
    from ..sandbox import Sandbox  # noqa: PLC0415  # Pillow is optional

    provider = named(arguments.provider)

    async def serve() -> None:
        rules = {"limit": arguments.limit, "latency": arguments.latency}
        async with Sandbox(provider=provider, port=arguments.port, **rules) as served:
            print(f"sandbox at {served.url}: nothing is sent or paid; Ctrl-C ends it")
            exports = f"IDEOGRAM_BASE_URL={served.url} {provider.key_variable}=sandbox"
            print(f"  export {exports} IDEOGRAM_PROVIDER={provider.name}")
            sys.stdout.flush()
            await anyio.sleep_forever()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        print("sandbox ended")
    return DONE


def _prompts(arguments: argparse.Namespace) -> PromptFile:
    provider = named(arguments.provider)
    prompts = PromptFile(
        arguments.file,
        provider.default_request,
        given_fields(arguments),
        refusal=provider.refusal,
    )
    if ignored := ", ".join(prompts.ignored()):
        said = f"{prompts.path}: ignored, as the API has no such field: {ignored}"
        print(said, file=sys.stderr)
    return prompts


def _run(
    arguments: argparse.Namespace, requests: Iterable[Request[Any]], *, total: int
) -> int:
    with _client(arguments) as client:
        try:
            folder = Folder(arguments.out, total)
        except OSError as error:
            raise ConfigurationError(
                f"can't write to {arguments.out}: {error.strerror}; choose --out"
            ) from None
        job = Run(client, folder, Tally(total))
        try:
            asyncio.run(_send(job, requests))
        except asyncio.CancelledError:
            print("left at once: what was under way may be paid", file=sys.stderr)
        finally:
            page = folder.close()
    return _report(job, str(page))


async def _send(job: Run, requests: Iterable[Request[Any]]) -> None:
    async with job.client:
        await job.all(requests, sys.stderr)


def _ask(arguments: argparse.Namespace, request: Request[Any]) -> int:
    async def answer(client: IdeogramClient) -> object:
        async with client:
            return await client.send(request)

    with _client(arguments) as client:
        try:
            answered = asyncio.run(answer(client))
        except IdeogramError as error:
            print(f"failed: {error}", file=sys.stderr)
            return FAILED
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return FAILED
    print(json.dumps(to_jsonable(answered), indent=2, ensure_ascii=False))
    return DONE


@contextmanager
def _client(arguments: argparse.Namespace) -> Generator[IdeogramClient]:
    """Make the client; with `--sandbox`, one of a sandbox that runs meanwhile."""
    if not arguments.sandbox:
        yield IdeogramClient(provider=arguments.provider, base_url=arguments.base_url)
        return
    from ..sandbox import Sandbox  # noqa: PLC0415  # Pillow is optional

    provider = named(arguments.provider)
    with Sandbox(provider=provider, latency=DEMO_LATENCY).running() as served:
        print(DEMO, file=sys.stdout if "out" in arguments else sys.stderr)
        sys.stdout.flush()
        yield IdeogramClient("sandbox", provider=provider.name, base_url=served.url)


def _report(job: Run, page: str) -> int:
    tally = job.tally
    for entry in job.failures:
        prompt = getattr(entry.outcome.request, "prompt", "")
        what = one_line(f"#{entry.outcome.index} {prompt!r:.70}: {entry.error}")
        print(f"failed: {what}", file=sys.stderr)
    hidden = tally.failed - job.unsent - len(job.failures)
    if hidden:
        print(f"failed: {hidden} more, see {MANIFEST}", file=sys.stderr)
    missing = job.unsent + tally.total - tally.ended
    if missing:
        print(f"not sent or not finished: {missing} prompts", file=sys.stderr)
    if job.fault:
        print(f"the manifest is not whole: {job.fault.strerror}", file=sys.stderr)
    withheld = f", {tally.withheld} withheld" if tally.withheld else ""
    print(f"{tally.images} images from {tally.done} of {tally.total} prompts{withheld}")
    print(f"{page}")
    return DONE if tally.done == tally.total and not job.fault else FAILED
