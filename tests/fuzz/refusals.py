"""Refusals: any status, `Retry-After`, `Date`, and a body in any shape."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

from ideogram_async import IdeogramError
from ideogram_async._http import HttpResponse
from ideogram_async.providers import PROVIDERS


LONGEST_PAUSE = 86_400
KEY = "a-secret-key"


def seeds() -> Iterator[bytes]:
    """Yield refusals as the service and its gateways say them."""
    yield from (
        b"429|2||" + b'{"error": "no", "reject_reason": "inflight_limit"}',
        b"429|1.5||" + b'{"error": {"message": "no"}, "max_inflight_requests": 4}',
        b"503|Wed, 21 Oct 2026 07:28:00 GMT|Wed, 21 Oct 2026 07:27:00 GMT|<html>",
        b"422|||" + b'{"detail": "unsafe", "title": "no"}',
        b"401|-1|x|" + b'"a-secret-key"',
        b"302|nan||",
        b"200|||" + b'{"code": 500, "message": "no"}',
    )


def try_one(content: bytes) -> None:
    """Read a refusal of all providers: status, two header fields and a body."""
    status, pause, date, body = [*content.split(b"|", 3), b"", b"", b""][:4]
    number = int(status) if status.isdigit() and len(status) <= 3 else 500
    headers = {"retry-after": pause.decode("latin-1"), "date": date.decode("latin-1")}
    response = HttpResponse(number, headers, body, received=1_800_000_000.0)
    for kind in PROVIDERS.values():
        try:
            kind(KEY).check(response)
        except IdeogramError as error:
            assert str(error).isprintable()
            assert KEY not in str(error)
            pickle.loads(pickle.dumps(error))
            seconds = getattr(error, "retry_after", None)
            assert seconds is None or 0 <= seconds <= LONGEST_PAUSE
