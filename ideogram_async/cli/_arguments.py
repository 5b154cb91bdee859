"""Command-line options, made from the request classes: no field is written twice."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args, get_origin

import attrs

from .._operations import Operations
from .._plain import bare, field_types
from .._verb import Verb
from ..providers import PROVIDERS
from ..requests import GenerateV4, Request, field_docs
from ..uploads import Upload


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # argparse's only name for it
    Group = argparse._ArgumentGroup  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as above

PROMPTS: Final = ("prompt", "text_prompt", "json_prompt")
"""Fields that the file of prompts gives."""

LISTED = 8
"""A closed set of up to this many values is listed in the help."""

PROVIDER_HELP = "IDEOGRAM_PROVIDER, else ideogram, if omitted"


def verbs() -> dict[str, type[Request[Any]]]:
    """Return the request class of every operation, by the client's verb for it."""
    found: dict[str, type[Request[Any]]] = {}
    for name, member in vars(Operations).items():
        if isinstance(member, Verb):
            verb = cast("Verb[..., Any]", member)
            found[name.replace("_", "-")] = verb.request_class
    return found


def prompted() -> tuple[type[Request[Any]], ...]:
    """Return the request classes that a plain prompt may become."""
    defaults = (each.default_request for each in PROVIDERS.values())
    return tuple(dict.fromkeys([*defaults, GenerateV4]))


def makes_images(kind: type[Request[Any]]) -> bool:
    """Whether the answer holds images to save, rather than facts to print."""
    return kind.endpoint.method == "POST" and hasattr(kind.returns, "images")


def given_fields(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields that were given as options, as plain values."""
    kinds = (arguments.kind,) if "kind" in arguments else prompted()
    names = {name for kind in kinds for name in attrs.fields_dict(cast("Any", kind))}
    given = {name: getattr(arguments, name, None) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def command(commands: Commands, name: str, does: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=does, description=does)


def add_prompts(command: argparse.ArgumentParser) -> None:
    """Add a file of prompts, and the fields of all that a prompt may become."""
    command.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="prompts: text with one a line, or CSV or JSONL with a column per field",
    )
    command.add_argument(
        "--async",
        dest="asynchronous",
        action="store_true",
        help="with Ideogram 4.0, made later: a killed run loses sight of nothing",
    )
    added = set(PROMPTS)
    for kind in prompted():
        add_fields(command, kind, without=added)
        added |= field_types(cast("Any", kind)).keys()


def add_fields(
    command: argparse.ArgumentParser,
    kind: type[Request[Any]],
    without: Collection[str] = (),
) -> None:
    docs, hints = field_docs(kind), field_types(cast("Any", kind))
    fields = command.add_argument_group(f"fields of {kind.__name__}")
    for attribute in attrs.fields(kind):  # type: ignore[arg-type]  # made by attrs
        name = attribute.name
        if name in without:
            continue
        text = docs[name].replace("`", "").replace("%", "%%")
        hint = bare(hints[name])
        is_required = attribute.default is attrs.NOTHING
        if not attribute.kw_only:
            count = None if is_required else "?"
            command.add_argument(name, nargs=count, metavar=name.upper(), help=text)
            continue
        fields.add_argument(
            f"--{name.replace('_', '-')}",
            metavar=_metavar(hint),
            nargs="+" if get_origin(hint) is tuple else None,
            required=is_required,
            help=text,
        )


def _metavar(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return _metavar(bare(get_args(hint)[0]))
    if get_origin(hint) is Literal:
        values = get_args(hint)
        return f"{{{','.join(values)}}}" if len(values) <= LISTED else values[0]
    if attrs.has(hint) and hint is not Upload:
        return "NAME|JSON|@FILE"
    names = {Upload: "FILE", bool: "{true,false}", int: "N"}
    return names.get(hint, "TEXT")


def add_common(command: argparse.ArgumentParser, *, saves: bool) -> None:
    where = command.add_argument_group("where it goes")
    if saves:
        out = Path("out")
        where.add_argument(
            "--out", type=Path, default=out, metavar="FOLDER", help="default: out"
        )
    where.add_argument(
        "--sandbox",
        action="store_true",
        help="draw on this machine instead: no key, no cost",
    )
    where.add_argument("--provider", choices=sorted(PROVIDERS), help=PROVIDER_HELP)
    where.add_argument("--base-url", metavar="URL", help="of another server")
    where.add_argument(
        "--allow-private-links",
        action="store_true",
        help="fetch images and uploads also from private addresses",
    )


def add_sheet(commands: Commands) -> None:
    does = "Put the pictures of a folder on contact sheets, with their prompts."
    sheet = command(commands, "sheet", does)
    sheet.add_argument("folder", type=Path, metavar="FOLDER", help="as made by run")
    for option, default, text in (
        ("--columns", 5, "most pictures beside each other, [1, 50]; 5 if omitted"),
        ("--width", 2400, "of a sheet in pixels, [200, 10000]; 2400 if omitted"),
        ("--per-page", 30, "most pictures on a sheet, [1, 1000]; 30 if omitted"),
    ):
        sheet.add_argument(option, type=int, default=default, metavar="N", help=text)


def add_rules(command: argparse.ArgumentParser) -> Group:
    """Add what a job may do, wherever it runs, and return the group of that."""
    job = command.add_argument_group("the job")
    flags = {
        "--dry-run": "tell what would be sent, and its price; send and write nothing",
        "--retry-failed": "send again what was refused, or whose link has expired",
        "--resend-unknown": "send again what may be paid without an answer",
        "--allow-unknown-price": "under a budget, send also what has no known price",
        "--dedupe": "leave out rows equal to an earlier one",
        "--strict": "send nothing if there is a bad row",
        "--embed-prompt": "put prompt, seed and model into the PNG files",
    }
    job.add_argument(
        "--budget", metavar="AMOUNT", help="spend at most so much, in all runs together"
    )
    job.add_argument("--limit", type=int, metavar="N", help="only the first N rows")
    job.add_argument(
        "--webhook-url",
        metavar="URL",
        help="with --async: an https address that the service tells of every image;"
        " it demands one, but nothing need listen there",
    )
    for name, does in flags.items():
        job.add_argument(name, action="store_true", help=does)
    return job


def add_running(job: Group) -> None:
    """Add what a job may do that runs in this process."""
    job.add_argument(
        "--concurrency", type=int, metavar="N", help="at most N requests at once"
    )
    job.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on where an earlier run into this folder ended (the default);"
        " else begin anew beside what it left",
    )


def add_sandbox(
    commands: Commands,
) -> None:
    does = "Serve an imitation of Ideogram, or of a gateway, until Ctrl-C."
    sandbox = command(commands, "sandbox", does)
    sandbox.add_argument("--provider", choices=sorted(PROVIDERS), help=PROVIDER_HELP)
    sandbox.add_argument("--port", type=int, default=8080, metavar="N")
    sandbox.add_argument(
        "--limit", type=int, default=10, metavar="N", help="images in progress"
    )
    sandbox.add_argument(
        "--latency", type=float, default=2.0, metavar="SECONDS", help="on average"
    )
    sandbox.add_argument(
        "--webhooks",
        nargs="*",
        metavar="KIND=RATE",
        help="deliver signed webhooks, of which a share is late, twice, or forged:"
        " late=0.1 twice=0.1",
    )
    sandbox.add_argument(
        "--allow-local-webhooks",
        action="store_true",
        help="deliver them to this machine too, by plain HTTP",
    )
