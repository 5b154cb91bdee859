"""What each command does, and how it ends."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from .._codec import to_jsonable
from .._gate import Gate
from .._plain import made
from .._settings import named
from ..client import IdeogramClient
from ..errors import ConfigurationError, IdeogramError
from ..inputs import BadRow, PromptFile
from ..jobs import MANIFEST, Job
from ..requests import GenerateV4, Request
from ._arguments import given_fields, makes_images
from ._quote import quote as lines_of_quote
from ._run import send, tell, tell_plan


DONE, FAILED, USAGE = 0, 1, 2
"""Exit codes: all done; some failed, each named; the call itself is wrong."""

DEMO_LATENCY = 1.0
"""Seconds that a request takes in the sandbox of a run, on average."""

DEMO = "sandbox: pictures are drawn on this machine; nothing is sent or paid"

DEMO_JOURNAL = "sandbox.sqlite"
"""What is drawn in the sandbox is not done on the real service."""

SHEET_NEEDS_PILLOW = "a sheet needs Pillow: pip install 'ideogram-async[sheet]'"

NEEDS_PILLOW = "the sandbox needs Pillow: pip install 'ideogram-async[sandbox]'"


def generate(arguments: argparse.Namespace) -> int:
    """Send one request and save its images, or print what it answers."""
    request = made(arguments.kind, given_fields(arguments))
    named(arguments.provider).check_request(request)
    if makes_images(arguments.kind):
        return _run(arguments, Job([request], arguments.out, resumable=False))
    return _ask(arguments, request)


def run(arguments: argparse.Namespace) -> int:
    """Send a request for each row of a file and save the images."""
    prompts = _prompts(arguments)
    total = prompts.checked() if arguments.strict else prompts.count()
    if not total:
        raise ValueError(f"{prompts.path}: no prompts in it")
    job = Job(
        prompts.requests if arguments.strict else partial(_rows, prompts),
        arguments.out,
        journal=arguments.out / DEMO_JOURNAL if arguments.sandbox else None,
        total=total,
        budget=arguments.budget,
        allow_unknown_price=arguments.allow_unknown_price,
        resend_unknown=arguments.resend_unknown,
        resume=arguments.resume,
        retry_failed=arguments.retry_failed,
        dedupe=arguments.dedupe,
        limit=arguments.limit,
        concurrency=arguments.concurrency,
        embed_prompt=arguments.embed_prompt,
        asynchronous=arguments.asynchronous,
        webhook_url=arguments.webhook_url,
    )
    if arguments.dry_run:
        return _plan(arguments, job)
    return _run(arguments, job)


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


def enqueue(arguments: argparse.Namespace) -> int:
    """Put a file of prompts into a database, for workers."""
    from . import _fleet  # noqa: PLC0415  # PostgreSQL is optional

    prompts = _prompts(arguments)
    total = prompts.checked() if arguments.strict else prompts.count()
    if not total:
        raise ValueError(f"{prompts.path}: no prompts in it")
    rows = prompts.requests() if arguments.strict else _rows(prompts)
    return DONE if _fleet.enqueued(arguments, rows, total) else FAILED


def worker(arguments: argparse.Namespace) -> int:
    """Work on what is enqueued."""
    from . import _fleet  # noqa: PLC0415  # PostgreSQL is optional

    with _client(arguments, _fleet.limiter(arguments)) as client:
        return DONE if _fleet.worked(arguments, client) else FAILED


def status(arguments: argparse.Namespace) -> int:
    """Print how far the workers are."""
    from . import _fleet  # noqa: PLC0415  # PostgreSQL is optional

    _fleet.tell_status(arguments)
    return DONE


def sandbox(arguments: argparse.Namespace) -> int:
    """Serve the sandbox until Ctrl-C."""
    from ..sandbox import Sandbox, WebhookPlan  # noqa: PLC0415  # Pillow is optional

    provider = named(arguments.provider)
    names = ("port", "limit", "latency", "allow_local_webhooks")
    rules = {name: getattr(arguments, name) for name in names}
    if arguments.webhooks is not None:
        rules["webhooks"] = WebhookPlan(rates=dict(map(_rate, arguments.webhooks)))

    async def serve() -> None:
        async with Sandbox(provider=provider, **rules) as served:
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


def _rate(text: str) -> tuple[Any, float]:
    kind, _, share = text.partition("=")
    try:
        return kind, float(share)
    except ValueError:
        raise ValueError(f"--webhooks takes KIND=RATE, got {text!r}") from None


def _prompts(arguments: argparse.Namespace) -> PromptFile:
    provider, shared = named(arguments.provider), given_fields(arguments)
    kind, name = provider.default_request, "prompt"
    if arguments.asynchronous:
        kind, name = GenerateV4, "text_prompt"
    provider.check_request(made(kind, {name: "a prompt", **shared}))
    prompts = PromptFile(arguments.file, kind, shared, refusal=provider.refusal)
    if ignored := ", ".join(prompts.ignored()):
        said = f"{prompts.path}: ignored, as the API has no such field: {ignored}"
        print(said, file=sys.stderr)
    return prompts


def _rows(prompts: PromptFile) -> Iterator[Request[Any] | ValueError]:
    """Yield the requests, and an error in the place of each bad row."""
    for row in prompts.rows():
        yield ValueError(str(row)) if isinstance(row, BadRow) else row


def _run(arguments: argparse.Namespace, job: Job) -> int:
    with _client(arguments) as client:
        report = asyncio.run(send(job, client, sys.stderr))
    return DONE if tell(report, job, is_demo=arguments.sandbox) else FAILED


def _plan(arguments: argparse.Namespace, job: Job) -> int:
    client = IdeogramClient("none", provider=named(arguments.provider).name)
    return DONE if tell_plan(asyncio.run(job.plan(client))) else FAILED


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
    print(_shown(to_jsonable(answered)))
    return DONE


def _shown(value: Any) -> str:
    """Return JSON in which what a terminal would obey, or can't show, is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "".join(
        each if each.isprintable() or each == "\n" else _escaped(each) for each in text
    )


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    return re.sub("(....)", r"\\u\1", units)


@contextmanager
def _client(
    arguments: argparse.Namespace, limiter: Gate | None = None
) -> Generator[IdeogramClient]:
    """Make the client; with `--sandbox`, one of a sandbox that runs meanwhile."""
    if not arguments.sandbox:
        names = ("provider", "base_url", "allow_private_links")
        options: dict[str, Any] = {name: getattr(arguments, name) for name in names}
        yield IdeogramClient(**options, limiter=limiter)
        return
    from ..sandbox import Sandbox  # noqa: PLC0415  # Pillow is optional

    provider = named(arguments.provider)
    with Sandbox(provider=provider, latency=DEMO_LATENCY).running() as served:
        print(DEMO, file=sys.stdout if "out" in arguments else sys.stderr)
        sys.stdout.flush()
        yield IdeogramClient("sandbox", provider=provider.name, base_url=served.url)
