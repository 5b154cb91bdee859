"""What each command does, and how it ends."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import anyio

from .._codec import to_jsonable
from ..client import IdeogramClient
from ..errors import IdeogramError
from ..jobs import Job
from ..requests import Request
from ._arguments import given_fields, made, makes_images
from ._inputs import PromptFile
from ._run import send, tell, tell_plan


DONE, FAILED, USAGE = 0, 1, 2
"""Exit codes: all done; some failed, each named; the call itself is wrong."""

DEMO_LATENCY = 1.0
"""Seconds that a request takes in the sandbox of a run, on average."""

DEMO = "sandbox: pictures are drawn on this machine; nothing is sent or paid"

DEMO_JOURNAL = "sandbox.sqlite"
"""What is drawn in the sandbox is not done on the real service."""

NEEDS_PILLOW = "the sandbox needs Pillow: pip install 'ideogram-async[sandbox]'"


def generate(arguments: argparse.Namespace) -> int:
    """Send one request and save its images, or print what it answers."""
    request = made(arguments.kind, given_fields(arguments))
    if makes_images(arguments.kind):
        return _run(arguments, Job([request], arguments.out, resumable=False))
    return _ask(arguments, request)


def run(arguments: argparse.Namespace) -> int:
    """Send a request for each row of a file and save the images."""
    prompts = PromptFile(arguments.file, arguments.kind, given_fields(arguments))
    job = Job(
        prompts.requests,
        arguments.out,
        journal=arguments.out / DEMO_JOURNAL if arguments.sandbox else None,
        total=prompts.checked(),
        budget=arguments.budget,
        allow_unknown_price=arguments.allow_unknown_price,
        resend_unknown=arguments.resend_unknown,
        resume=arguments.resume,
        retry_failed=arguments.retry_failed,
        dedupe=arguments.dedupe,
        limit=arguments.limit,
        concurrency=arguments.concurrency,
    )
    if arguments.dry_run:
        return _plan(arguments, job)
    return _run(arguments, job)


def sandbox(arguments: argparse.Namespace) -> int:
    """Serve the sandbox until Ctrl-C."""
    from ..sandbox import Sandbox  # noqa: PLC0415  # Pillow is optional

    async def serve() -> None:
        rules = {"limit": arguments.limit, "latency": arguments.latency}
        async with Sandbox(port=arguments.port, **rules) as served:
            print(f"sandbox at {served.url}: nothing is sent or paid; Ctrl-C ends it")
            print(f"  export IDEOGRAM_BASE_URL={served.url} IDEOGRAM_API_KEY=sandbox")
            sys.stdout.flush()
            await anyio.sleep_forever()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        print("sandbox ended")
    return DONE


def _run(arguments: argparse.Namespace, job: Job) -> int:
    with _client(arguments) as client:
        report = asyncio.run(send(job, client, sys.stderr))
    return DONE if tell(report, job) else FAILED


def _plan(arguments: argparse.Namespace, job: Job) -> int:
    with _client(arguments) as client:
        plan = asyncio.run(job.plan(client))
    return DONE if tell_plan(plan) else FAILED


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

    with Sandbox(latency=DEMO_LATENCY).running() as served:
        print(DEMO, file=sys.stdout if makes_images(arguments.kind) else sys.stderr)
        sys.stdout.flush()
        yield IdeogramClient("sandbox", base_url=served.url)
