"""The README says what is true."""

from __future__ import annotations

import ast
import re
import socket
import ssl
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import attrs
import pytest
import trustme
from aiohttp import web
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor

from ideogram_async import IdeogramClient, ImageObject, UnsupportedRequestError
from ideogram_async._operations import Operations
from ideogram_async._verb import Verb
from ideogram_async.providers import PROVIDERS, _base
from ideogram_async.requests import REQUESTS
from ideogram_async.sandbox import Sandbox, WebhookPlan

from .proxy import Proxy
from .servers import Server, until
from .web.apps import serve_asgi
from .wire_server import wire_server


ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_first_two_commands() -> None:
    """The first two `sh` blocks are one line each: the main job, and the tests."""
    first, second = [text for kind, text in BLOCKS if kind == "sh"][:2]

    assert first.count("\n") == second.count("\n") == 1
    assert ".venv/bin/ideogram run examples/prompts.txt --sandbox --out out" in first
    assert second.endswith("&& .venv/bin/nox\n")


def test_the_shipped_prompts() -> None:
    """The example has 24 different prompts."""
    lines = (ROOT / "examples/prompts.txt").read_text(encoding="utf-8").splitlines()

    assert len(set(lines)) == len(lines) == 24


def test_the_table_of_operations_is_current() -> None:
    """The table of operations is the one that the registry gives."""
    verbs = {
        name: verb.request_class
        for name, verb in vars(Operations).items()
        if isinstance(verb, Verb)
    }
    rows = [
        f"| `{kind.__name__}` | `{verb}` | {at.method} {at.path} |"
        for verb, kind in verbs.items()
        if (at := kind.endpoint)
    ]
    table = README.partition("<!-- operations")[2].partition("<!-- end")[0]

    assert table.splitlines()[3:] == rows


GATEWAYS = ("openai-hk", "aihubmix", "kkiai", "pixazo")


def table_of_gateways() -> list[str]:
    """Return the table of what gateways take, from their routes."""
    rows = [
        f"| `{name}` | {' | '.join('yes' if taken else '' for taken in takers)} |"
        for name, kind in REQUESTS.items()
        if any(takers := [kind in PROVIDERS[each].routes for each in GATEWAYS])
    ]
    head = " | ".join(f"`{name}`" for name in GATEWAYS)
    return [f"| request class | {head} |", "| --- " * 5 + "|", *rows]


def test_the_table_of_gateways_is_current() -> None:
    """The table of gateways is the one that the routes give."""
    table = README.partition("<!-- gateways")[2].partition("<!-- end")[0]

    assert {*GATEWAYS, "ideogram"} == set(PROVIDERS)
    assert table.splitlines()[1:] == table_of_gateways()


@pytest.fixture
def _acme() -> Iterator[None]:
    """Register the gateway of the README, meanwhile."""
    exec(next(text for _, text in BLOCKS if "class Acme" in text), {})
    yield
    del _base._registered["acme"]


@pytest.mark.usefixtures("_acme")
async def test_the_sixth_gateway_works() -> None:
    """The gateway of the README sends, answers, refuses and has prices."""
    answer = {"created": "2026-01-01T00:00:00Z", "images": [{"link": "https://x/y"}]}

    async with wire_server() as server:
        server.answer = answer
        at = {"provider": "acme", "base_url": f"{server.url}/ideogram"}
        async with IdeogramClient("a key", **at) as client:
            batch = await client.generate_many(["a cat"])
            with pytest.raises(UnsupportedRequestError, match="num_images"):
                await client.generate_legacy("a cat", num_images=2)

    assert batch.images == [ImageObject(url="https://x/y")]
    assert str(batch.cost) == "0.09 USD"
    (record,) = server.records
    assert record.path == "/ideogram/generate"
    assert record.headers["authorization"] == "Bearer a key"


@pytest.mark.parametrize("number", range(len([k for k, _ in BLOCKS if k == "python"])))
def test_python_blocks_are_python(number: int) -> None:
    """Every Python block compiles, inside a coroutine."""
    text = [text for kind, text in BLOCKS if kind == "python"][number]
    body = "\n".join("    " + line for line in text.splitlines())

    compile(f"async def block():\n{body}\n", "README.md", "exec")


async def test_the_first_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The six-line program makes two files."""
    text = next(text for kind, text in BLOCKS if kind == "python")
    body = "\n".join("    " + line for line in text.splitlines())
    namespace: dict[str, object] = {}
    exec(f"async def program():\n{body}\n", namespace)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDEOGRAM_API_KEY", "any key")
    async with Sandbox(latency=0.01) as sandbox:
        monkeypatch.setenv("IDEOGRAM_BASE_URL", sandbox.url)
        await namespace["program"]()  # type: ignore[operator]

    assert len(list((tmp_path / "out").glob("*.png"))) == 2


def run_block(text: str, namespace: dict[str, Any]) -> Any:
    """Run a block that shares its names with *namespace*; a coroutine if it awaits."""
    code = compile(text, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return eval(code, namespace)


async def test_generations_and_webhooks() -> None:
    """The blocks on asynchronous generation wait for one, and are told of one."""
    section = README.partition("\n## Asynchronous generation")[2].partition("\n## ")[0]
    blocks = [text for kind, text in BLOCKS if kind == "python" and text in section]
    wait, receive = blocks
    kept: dict[str, Any] = {}

    async def keep(generation_id: str, images: Any) -> None:
        kept[generation_id] = images
        if len(kept) == 1:
            kept["failed once"] = ()
            raise ConnectionError

    plan = WebhookPlan(pause=0.01)
    async with (
        Sandbox(latency=0) as sandbox,
        IdeogramClient("any key", base_url=sandbox.url) as client,
    ):
        namespace: dict[str, Any] = {"client": client}
        await run_block(wait, namespace)
        assert len(namespace["done"].images) == 1
    async with (
        Sandbox(latency=0, allow_local_webhooks=True, webhooks=plan) as sandbox,
        IdeogramClient("any key", base_url=sandbox.url) as client,
    ):
        namespace = {"client": client, "keep": keep}
        run_block(receive, namespace)
        app = web.Application()
        app.router.add_post("/hook", namespace["receive"])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        hook = f"https://127.0.0.1:{runner.addresses[0][1]}/hook"
        accepted = await client.submit_generate_v4("a cat", webhook_url=hook)
        webhooks: Any = sandbox.webhooks
        await until(lambda: [each.status for each in webhooks.deliveries] == [500, 200])
        await runner.cleanup()

    assert len(kept[accepted.generation_id]) == 1


async def test_the_web_backend_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application of the README starts batches, tells events, makes a picture."""
    namespace: dict[str, Any] = {}
    exec(next(text for _, text in BLOCKS if "app = FastAPI" in text), namespace)
    monkeypatch.setenv("IDEOGRAM_API_KEY", "any key")
    async with Sandbox(latency=0.01) as sandbox:
        monkeypatch.setenv("IDEOGRAM_BASE_URL", sandbox.url)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            async with anyio.create_task_group() as group:
                stop = await group.start(serve_asgi, namespace["app"], listening)
                async with aiohttp.ClientSession(url) as session:
                    asked = session.post("/batches", json=["a cat", "a dog"])
                    async with asked as answer:
                        batch = (await answer.json())["id"]
                    async with session.get(f"/batches/{batch}/events") as answer:
                        told = await answer.text()
                    async with session.get("/picture?prompt=a+cow") as answer:
                        picture = await answer.json()
                stop()

    assert told.count("event: outcome") == 2
    assert picture["url"].startswith(sandbox.url)
    assert sandbox.ledger.images == 3


def program(marker: str, **replaced: str) -> Any:
    """Return the Python block of the README that has *marker*, as a coroutine."""
    text = next(text for kind, text in BLOCKS if kind == "python" and marker in text)
    for old, new in replaced.items():
        text = text.replace(old, new)
    body = "\n".join("    " + line for line in f"{text}\nreturn locals()".splitlines())
    namespace: dict[str, Any] = {}
    exec(f"async def program():\n{body}\n", namespace)
    return namespace["program"]


async def test_the_hooks_of_the_readme(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example hooks print outcomes, and the counters are what is said."""
    monkeypatch.setenv("IDEOGRAM_API_KEY", "any key")
    async with Sandbox(latency=0.01) as sandbox:
        monkeypatch.setenv("IDEOGRAM_BASE_URL", sandbox.url)
        stats = (await program("class Watch")())["stats"]

    assert capsys.readouterr().out == "GenerateV3 1 0.06 USD None\n" * 2
    assert (stats.answered, stats.refusals) == (2, 0)
    assert stats.costs == {"USD": Decimal("0.12")}


async def test_the_telemetry_of_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of OpenTelemetry runs as it stands."""
    monkeypatch.setenv("IDEOGRAM_API_KEY", "any key")
    async with Sandbox(latency=0.01) as sandbox:
        monkeypatch.setenv("IDEOGRAM_BASE_URL", sandbox.url)
        try:
            client = (await program("OpenTelemetry()")())["client"]
        finally:
            AioHttpClientInstrumentor().uninstrument()

    assert client.stats().answered == 1


async def test_the_proxy_of_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example with a proxy and a certificate of one's own sends its request."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "company.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDEOGRAM_API_KEY", "any key")
    async with Proxy("user:password") as proxy, Server(ssl=context) as server:
        monkeypatch.setenv("IDEOGRAM_BASE_URL", server.url)
        here = proxy.bare_url.removeprefix("http://")
        await program("company.pem", **{"proxy.example:3128": here})()

    assert server.requests[0].headers["x-team"] == "posters"
    assert proxy.targets == [f"CONNECT {server.url.removeprefix('https://')}".encode()]


async def test_the_session_of_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example with a session of one's own runs as it stands."""
    monkeypatch.setenv("IDEOGRAM_API_KEY", "any key")
    async with Server() as server:
        monkeypatch.setenv("IDEOGRAM_BASE_URL", server.url)
        await program("session=session")()

    assert server.ran == 1


def test_the_changelog_has_the_version() -> None:
    """The changelog has a heading for what is to come or for this version."""
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_endpoints_are_values() -> None:
    """An endpoint of the registry is a frozen value."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        REQUESTS["RemixV3"].endpoint.path = "/elsewhere"  # type: ignore[misc]
