"""Other SDKs for images, pointed at our server; they have an environment of their own.

Each is used as its own documentation does it. Those that aren't installed are missing
in `CLIENTS`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from . import ANSWER, PROMPT, SEED
from .load import Client, Run, workers


REQUIREMENTS: Final = {
    "openai": "openai[aiohttp]",
    "replicate": "replicate",
    "fal_client": "fal-client",
}
"""What has to be installed, by what is imported."""

LINK: Final = ANSWER["data"][0]["url"]


@asynccontextmanager
async def openai(
    url: str, in_flight: int, *, transport: str | None = None
) -> AsyncGenerator[Run]:
    """OpenAI's SDK, on its own transport or on another."""
    sdk = import_module("openai")
    options: dict[str, Any] = {"api_key": "benchmark", "base_url": url + "/v1"}
    if transport:
        options["http_client"] = getattr(sdk, transport)()
    async with sdk.AsyncOpenAI(**options) as client:

        async def send() -> int:
            answer = await client.images.generate(prompt=PROMPT, model="ideogram")
            return int(answer.data[0].model_extra["seed"])

        yield workers(send, in_flight)


@asynccontextmanager
async def replicate(url: str, in_flight: int) -> AsyncGenerator[Run]:
    """Replicate's SDK; it doesn't close what it opens."""
    client = import_module("replicate").Client("benchmark", base_url=url)
    asked = {"prompt": PROMPT, "aspect_ratio": "16:9"}

    async def send() -> int:
        link = await client.async_run(
            "ideogram-ai/ideogram-v3-turbo", input=asked, use_file_output=False
        )
        return SEED if link == LINK else 0

    yield workers(send, in_flight)


@asynccontextmanager
async def fal(url: str, in_flight: int) -> AsyncGenerator[Run]:
    """The SDK of fal; it doesn't close what it opens."""
    sdk: Any = import_module("fal_client.client")
    sdk.RUN_URL_FORMAT = url + "/"  # there is no option for it
    client = sdk.AsyncClient("benchmark")
    asked = {"prompt": PROMPT, "aspect_ratio": "16:9"}

    async def send() -> int:
        answer = await client.run("fal-ai/ideogram/v3", asked)
        return int(answer["data"][0]["seed"])

    yield workers(send, in_flight)


def _installed() -> dict[str, Client]:
    sdks: dict[str, Callable[..., Any]] = {
        "openai": openai,
        "replicate": replicate,
        "fal_client": fal,
    }
    found: dict[str, Client] = {}
    for name, client in sdks.items():
        with suppress(ImportError):
            import_module(name)
            found[name] = client
    if "openai" in found:
        found["openai aiohttp"] = partial(openai, transport="DefaultAioHttpClient")
    return found


CLIENTS: Final = _installed()


def main() -> None:
    """Print the versions of what is installed as JSON."""
    found = {}
    for requirement in REQUIREMENTS.values():
        name = requirement.partition("[")[0]
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
