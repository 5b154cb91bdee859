"""Several providers, each of which does something at random."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ideogram_async import DecodeError, IdeogramError, OutcomeUnknownError

from .failover import asking
from .servers import (
    Act,
    Server,
    answer,
    closed_port,
    fail,
    hang_up,
    refuse,
    reply,
    reset_after_body,
    reset_before_body,
    reset_during_answer,
    reset_during_body,
)


ACTS: Final[dict[str, Act | None]] = {
    "answers": answer(),
    "answers slowly": answer(after=0.02),
    "is not there": None,
    "refuses the key": refuse(401),
    "refuses for funds": refuse(402),
    "refuses for now": refuse(429),
    "refuses for good": refuse(422),
    "is busy": refuse(503, headers={"Retry-After": "0"}),
    "breaks": fail(500),
    "hangs up": hang_up,
    "resets before": reset_before_body,
    "resets within": reset_during_body,
    "resets after": reset_after_body,
    "resets within the answer": reset_during_answer,
    "garbles": reply(b'{"created'),
}
"""What a provider does about a request."""

SCRIPTS = st.lists(st.sampled_from(sorted(ACTS)), min_size=1, max_size=3)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    scripts=st.lists(SCRIPTS, min_size=1, max_size=3),
    seconds=st.none() | st.floats(0, 0.05),
)
async def test_nobody_is_paid_twice(
    scripts: list[list[str]], seconds: float | None
) -> None:
    """Whoever fails in whatever way, at most one run is paid, and told of."""
    told = "nothing"
    async with AsyncExitStack() as stack:
        servers = list[Server]()
        urls = list[str]()
        for script in scripts:
            acts: list[Any] = [ACTS[name] for name in script if ACTS[name]]
            server = await stack.enter_async_context(Server(*acts or [answer()]))
            is_there = "is not there" not in script
            servers.append(server)
            urls.append(server.url if is_there else f"http://127.0.0.1:{closed_port()}")
        client, _ = await stack.enter_async_context(asking(*urls, deadline=0.3))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                try:
                    await client.generate("a cat")
                    told = "answered"
                except (OutcomeUnknownError, DecodeError):
                    told = "unknown"
                except IdeogramError:
                    told = "not run"
        stats = client.stats()
        await asyncio.sleep(0.001)
    ran = sum(server.ran for server in servers)

    assert ran <= 1
    assert ran == 1 or told != "answered"
    assert ran == 0 or told != "not run"
    assert stats.unknown == (told == "unknown") or told == "nothing"
    assert not ran or stats.unknown + stats.answered == 1
    assert stats.requests == 1
