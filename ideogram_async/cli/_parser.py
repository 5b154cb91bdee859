"""The whole command line: a command for each operation, and those for many prompts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from .._version import __version__
from ..providers import PROVIDERS
from ._arguments import (
    PROVIDER_HELP,
    add_common,
    add_fields,
    add_prompts,
    add_rules,
    add_running,
    add_sandbox,
    add_sheet,
    command,
    makes_images,
    verbs,
)


if TYPE_CHECKING:
    from ._arguments import Commands, Group

DSN: Final = "IDEOGRAM_DSN"
"""The environment variable with the database of a fleet."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    root = argparse.ArgumentParser(
        prog="ideogram",
        description="Make images with Ideogram, many at once and within its limit.",
        epilog="The key is read from IDEOGRAM_API_KEY; --sandbox needs none.",
    )
    root.add_argument("--version", action="version", version=__version__)
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for verb, kind in verbs().items():
        operation = command(commands, verb, (kind.__doc__ or "").partition("\n")[0])
        operation.set_defaults(kind=kind)
        add_fields(operation, kind)
        add_common(operation, saves=makes_images(kind))
    run = command(commands, "run", "Make images from a file of prompts.")
    add_running(add_rules(run))
    add_prompts(run)
    add_common(run, saves=True)
    quote = command(commands, "quote", "Say what a file of prompts would cost.")
    add_prompts(quote)
    quote.add_argument("--provider", choices=sorted(PROVIDERS))
    add_sheet(commands)
    add_sandbox(commands)
    _add_enqueue(commands)
    _add_worker(commands)
    _add_status(commands)
    return root


def _add_enqueue(commands: Commands) -> None:
    enqueue = command(commands, "enqueue", "Put a file of prompts before workers.")
    add_rules(enqueue)
    add_prompts(enqueue)
    where = _add_dsn(enqueue)
    where.add_argument(
        "--out",
        required=True,
        metavar="ADDRESS",
        help="a folder that all workers share, or an address such as s3://bucket/out",
    )
    where.add_argument("--provider", choices=sorted(PROVIDERS), help=PROVIDER_HELP)


def _add_worker(commands: Commands) -> None:
    worker = command(commands, "worker", "Make what is enqueued, beside others.")
    add_common(worker, saves=False)
    where = _add_dsn(worker)
    where.add_argument(
        "--concurrency", type=int, metavar="N", help="at most N items at once"
    )
    where.add_argument(
        "--until-done", action="store_true", help="end when nothing is left"
    )
    where.add_argument(
        "--ttl",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="of silence after which a worker is taken for dead; 30 if omitted",
    )


def _add_status(commands: Commands) -> None:
    status = command(commands, "status", "Tell how far the workers are.")
    where = _add_dsn(status)
    where.add_argument(
        "--out", metavar="ADDRESS", help="only the job that writes there"
    )
    where.add_argument("--json", action="store_true", help="print it as JSON")
    where.add_argument(
        "--watch",
        action="store_true",
        help="tell it again and again, until all is done",
    )


def _add_dsn(to: argparse.ArgumentParser) -> Group:
    where = to.add_argument_group("the fleet")
    text = f"a PostgreSQL database, postgresql://...; {DSN} if omitted"
    where.add_argument("--dsn", metavar="DSN", help=text)
    return where
