"""Answers that come later: how far is a generation that was submitted."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from .. import _links
from .. import requests as r
from ..requests import Request
from .answers import Answer, generated_v4, image_object, seeds_of
from .studio import RefusalError, Studio, moment


PRIVATE: Final = ("localhost", ".localhost", ".local", ".internal")
"""Ends of host names that nobody else can reach."""


def check_webhook(studio: Studio, request: Any) -> None:
    """Check that the webhook is an address that the service would call.

    Raises:
        RefusalError: Its host is a private one.
    """
    url: str = request.webhook_url
    host = urlsplit(url).hostname or "localhost"
    if not (studio.allow_local_webhooks or is_public(host)):
        raise RefusalError(400, f"webhook_url must have a public host, got {host}")


def is_public(host: str) -> bool:
    """Whether *host* is a name or an address that the service would call."""
    try:
        return _links.is_public(host)
    except ValueError:
        return not host.endswith(PRIVATE)


def get_generation(studio: Studio, request: r.GetGeneration) -> dict[str, Any]:
    """Answer how far a generation is, and with its image once it is completed."""
    if request.generation_id not in studio.generations:
        raise RefusalError(404, f"There is no generation {request.generation_id}.")
    asked = studio.generations[request.generation_id]
    said = {
        "generation_id": asked.generation_id,
        "status": "pending",
        "created": moment(asked.created),
    }
    if studio.clock() < asked.due:
        return said
    if asked.fails:
        return said | {"status": "failed"}
    if asked.images is None:
        asked.images = [
            image_object(
                studio,
                asked.request,
                generated_v4(asked.request, seed),
                styled=False,
            )
            for seed in seeds_of(asked.request)
        ]
    return {
        **said,
        "status": "completed",
        "response_type": "url",
        "data": asked.images,
    }


LATER: Final[dict[type[Request[Any]], Answer]] = {r.GetGeneration: get_generation}
"""The answers on generations; `Service` submits them: it knows how long they take."""
