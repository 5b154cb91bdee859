"""Answers: JSON of the service and of every gateway, to every request class."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from functools import cache
from typing import Any

from ideogram_async import IdeogramError
from ideogram_async._codec import to_jsonable
from ideogram_async._http import HttpResponse
from ideogram_async.providers import PROVIDERS, Provider

from ..wire_samples import SAMPLES, in_memory, made, read
from .strange import STRANGE, swapped


MOST_STEPS = 3
"""An exchange that polls is given as many answers."""


@cache
def cases() -> list[tuple[Provider, Any, list[bytes]]]:
    """Return every provider with every request it takes, and their sample answers."""
    found: list[tuple[Provider, Any, list[bytes]]] = []
    for folder in sorted((SAMPLES / "ideogram").iterdir()):
        if not folder.is_dir():
            continue
        request = made(folder.name, read(folder / "minimal.json")["request"], in_memory)
        for name, kind in sorted(PROVIDERS.items()):
            if kind.complaint(request) is None:
                own = sorted((SAMPLES / name / folder.name).glob("answer*.json"))
                official = sorted(folder.glob("answer*.json"))
                answers = [path.read_bytes() for path in own or official]
                found.append((kind("a-secret-key"), request, answers))
    return found


def seeds() -> Iterator[bytes]:
    """Yield the documented answers after the number of their case, and changes."""
    for number, (_, _, answers) in enumerate(cases()):
        for answer in answers:
            small = json.dumps(json.loads(answer), separators=(",", ":"))
            yield bytes([number, 0]) + small.encode()
        for place in range(8):
            yield bytes([number, 1, place, number % len(STRANGE), 9 - place, place])


def try_one(content: bytes) -> None:
    """Answer a request; what comes of it can be kept and shown.

    The first byte is the number of a case. If the second is even, the answer is the
    rest; else the rest says where in the documented answer strange values stand.
    """
    if len(content) < 2:
        return
    provider, request, answers = cases()[content[0] % len(cases())]
    body = content[2:]
    if content[1] % 2:
        body = swapped(json.loads(answers[content[1] % len(answers)]), body)
    exchange = provider.exchange(request)
    answer = None
    try:
        next(exchange)
        for _ in range(MOST_STEPS):
            exchange.send(HttpResponse(200, {}, body))
    except StopIteration as end:
        answer = end.value
    except IdeogramError as error:
        _check_error(error)
        return
    if answer is not None:
        _check_answer(answer)


def _check_error(error: IdeogramError) -> None:
    assert str(error).isprintable()
    assert "a-secret-key" not in str(error)
    pickle.loads(pickle.dumps(error))


def _check_answer(answer: Any) -> None:
    json.loads(json.dumps(to_jsonable(answer)))
    assert repr(pickle.loads(pickle.dumps(answer))) == repr(answer)
    for image in getattr(answer, "images", ()):
        assert image.expires_at is None or image.url
