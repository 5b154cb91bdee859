"""The key, wherever it could come out: all channels, for all that can happen."""

from __future__ import annotations

import asyncio
import io
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.traceback import Traceback

from ideogram_async import (
    ConfigurationError,
    Hooks,
    IdeogramClient,
    RetryPolicy,
)
from ideogram_async.hooks import EVENTS
from ideogram_async.providers import PROVIDERS

from .servers import (
    PNG,
    Act,
    Server,
    answer,
    fail,
    hang_up,
    redirect,
    refuse,
    reply,
    reset_after_body,
    reset_during_answer,
    silence,
    write_raw,
)
from .tracing import Collector


KEY = "sk-" + "q7Zk" * 21
"""As long as real ones: longer than what shows locals cuts off."""
ECHO = f"the key {KEY} is wrong".encode()
ACTS: dict[str, Act] = {
    "success": answer(),
    "success with the key": answer(style_type=KEY),
    "401": refuse(401, ECHO),
    "401 as JSON": refuse(401, b'{"error": "%s"}' % ECHO),
    "422": refuse(422, ECHO, {"X-Key": KEY}),
    "429": refuse(429, ECHO, {"Retry-After": "0"}),
    "500": fail(500, ECHO),
    "503": refuse(503, ECHO, {"Retry-After": "0"}),
    "not JSON": reply(ECHO),
    "wrong JSON": reply(b'{"created": "%s", "data": []}' % KEY.encode()),
    "cut off": reply(ECHO, length=1000),
    "no HTTP": write_raw(ECHO),
    "hang up": hang_up,
    "reset": reset_after_body,
    "reset in the answer": reset_during_answer,
    "silence": silence,
}


SHOWN_BY_RICH = ("401", "wrong JSON", "silence")
"""What rich is tried with, which takes its time."""


class Everything(Hooks):
    """Keeps all that hooks are told, prompts too."""

    sees_prompts = True

    def __init__(self) -> None:
        self.told: list[object] = []


for _name in EVENTS:
    setattr(Everything, _name, lambda self, event: self.told.append(event))


def shown(error: BaseException) -> Iterator[str]:
    """Yield all that a program may show of *error*, and of what led to it."""
    yield str(error)
    yield repr(error)
    yield repr(vars(error))
    yield from traceback.TracebackException.from_exception(
        error, capture_locals=True
    ).format()


def shown_by_rich(error: BaseException) -> str:
    """Return what rich shows of *error*, with the locals, which it cuts."""
    console = Console(file=io.StringIO(), width=200)
    about = (type(error), error, error.__traceback__)
    console.print(Traceback.from_exception(*about, show_locals=True))
    return console.file.getvalue()  # type: ignore[attr-defined]


async def failure(does: Callable[[], Any], seconds: float | None = None) -> Any:
    """Return what *does* returns or raises, cancelled after some *seconds*."""
    try:
        async with asyncio.timeout(seconds):
            return await does()
    except Exception as error:  # noqa: BLE001  # whatever it is
        return error


@pytest.mark.parametrize("name", ACTS)
async def test_the_key_stays_in_its_header(
    name: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens, the key is in no log, repr, error, traceback, pickle, event."""
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(enabled=True)
    hooks, key = Everything(), KEY
    monkeypatch.setenv("IDEOGRAM_API_KEY", key)
    del key
    async with (
        Server(ACTS[name]) as server,
        IdeogramClient(
            base_url=server.url,
            timeout=0.3,
            hooks=hooks,
            retry=RetryPolicy(attempts=2, wait_initial=0.01),
            deadline=0.5,
        ) as client,
    ):
        found = [
            await failure(lambda: client.generate("a cat")),
            await failure(lambda: client.generate_many(["a cat", "a dog"])),
            await failure(lambda: client.generate("a cat"), 0.05),
        ]
        found += getattr(found[1], "failures", ())
        kept = [repr(client), repr(client.stats()), repr(client.limiter)]

    kept += [caplog.text, repr(hooks.told), repr(found)]
    kept += [pickle.dumps(each).decode("latin-1") for each in found]
    for each in found:
        error = getattr(each, "error", each)
        if isinstance(error, BaseException):
            kept += shown(error)
    if name in SHOWN_BY_RICH:
        kept.append(shown_by_rich(found[0]))
    assert server.requests[0].headers["api-key"] == KEY
    assert hooks.told
    assert [text for text in kept if KEY[:40] in text] == []


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": -1},
        {"provider": "nobody"},
        {"proxy": f"socks://me:{KEY}@proxy.example"},
        {"proxy": f"http://me:{KEY}@proxy.example", "timeout": -1},
        {"headers": {"X-Team": "a\nb"}},
        {"base_url": "nowhere"},
        {"ssl": "none"},
    ],
    ids=str,
)
def test_a_client_that_can_not_be_made(options: dict[str, Any]) -> None:
    """A client that fails to be made shows neither the key nor a password."""
    given = [options]  # what a test itself holds is no leak
    del options
    try:
        _make(given)
    except ConfigurationError as error:
        error.__traceback__ = _inner(error)
        told = [*shown(error), shown_by_rich(error)]

    assert [text for text in told if KEY[:40] in text] == []


def _make(given: list[dict[str, Any]]) -> IdeogramClient:
    return IdeogramClient(KEY, **given[0])


def _inner(error: BaseException) -> Any:
    """Return the traceback from our own code on."""
    found = error.__traceback__
    while found is not None and __file__ == found.tb_frame.f_code.co_filename:
        found = found.tb_next
    return found


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_is_not_written_down(name: str) -> None:
    """What holds a key is no part of a pickle, and none of its reprs shows it."""
    provider = PROVIDERS[name](KEY)
    client = IdeogramClient(provider=provider)
    for each in (provider, client):
        with pytest.raises(TypeError, match="holds a key"):
            pickle.dumps(each)
        assert KEY not in repr(each)
    assert KEY not in repr(vars(provider))


async def test_other_hosts_get_no_key(tmp_path: Path) -> None:
    """Neither redirects nor links, to whatever host, take the key along."""
    async with (
        Server(reply(PNG)) as other,
        Server(redirect(other.url), redirect(other.url, status=302)) as server,
        IdeogramClient(KEY, base_url=server.url, headers={"X-Team": KEY}) as client,
    ):
        error = await failure(lambda: client.generate("a cat"))
        await client.download(f"{server.url}/cat.png", tmp_path / "cat.png")

    sent, fetched = server.requests
    assert "not followed" in str(error)
    assert KEY in sent.headers["api-key"]
    for seen in (fetched, *other.requests):
        assert KEY.encode() not in seen.head
    assert len(other.requests) == 1


async def test_telemetry_gets_no_key() -> None:
    """No span holds the key, however the service quotes it."""
    collector = Collector()
    async with (
        Server(refuse(401, ECHO), answer(style_type=KEY)) as server,
        IdeogramClient(KEY, base_url=server.url, hooks=collector.hooks) as client,
    ):
        for _ in range(2):
            await failure(lambda: client.generate("a cat"))

    spans = repr([span.to_json() for span in collector.spans])
    assert "GenerateV3" in spans
    assert KEY not in spans
