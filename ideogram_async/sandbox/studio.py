"""What answers are made from: pictures given out, datasets, models, generations."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import attrs

from ..requests import Request
from .pictures import Picture


class RefusalError(Exception):
    """The service says no.

    Attributes:
        status: HTTP status code.
        body: The JSON answer.
    """

    def __init__(self, status: int, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, object] = {"error": message, **more}


@attrs.define(kw_only=True)
class StoredDataset:
    """A dataset of the account.

    Attributes:
        dataset_id: Its id.
        name: What it is called.
        created: When it was made, in seconds since 1970.
        sizes: The size of every file in bytes, by its name.
        images: The asset id of every image, by the name of its file.
    """

    dataset_id: str
    name: str
    created: float
    sizes: dict[str, int] = attrs.field(factory=dict[str, int])
    images: dict[str, str] = attrs.field(factory=dict[str, str])


@attrs.frozen(kw_only=True)
class TrainedModel:
    """A model of the account, or one that is shared with it.

    Attributes:
        model_id: Its id.
        name: What it is called.
        started: When its training was started, in seconds since 1970.
        dataset_id: The dataset; None for a shared one.
    """

    model_id: str
    name: str
    started: float
    dataset_id: str | None = None


@attrs.define(kw_only=True)
class Generation:
    """A generation that was submitted, to be asked for.

    Attributes:
        generation_id: Its id.
        request: What is made.
        created: When it was submitted, in seconds since 1970.
        due: When it ends.
        fails: Whether it ends as failed.
        images: What was made, once that was asked for.
    """

    generation_id: str
    request: Request[Any]
    created: float
    due: float
    fails: bool
    images: list[dict[str, Any]] | None = None


def _shared_models() -> dict[str, TrainedModel]:
    shared = TrainedModel(model_id="shared-style", name="Shared style", started=0)
    return {shared.model_id: shared}


def _plain_name(name: str) -> str:
    return name


def _tell_nobody(_: Generation) -> None:
    pass


@attrs.define(kw_only=True)
class Studio:
    """State and settings that answers are made from.

    Attributes:
        withheld_words: A prompt with one of these is made, billed, and withheld.
        refused_words: A prompt, or the name of a file, with one of these is refused by
            the safety check.
        failing_words: An asynchronous generation of a prompt with one of these ends as
            failed, and is free.
        creating_seconds: How long a model is in the state `"CREATING"`.
        training_seconds: How long it is in the state `"TRAINING"` after that.
        allow_local_webhooks: Whether webhooks may go to private hosts, such as this
            machine; these are called by plain HTTP in spite of their https address.
        clock: Tells the seconds since 1970; a test may put its own here.
        link: Makes the link to a picture of its name.
        announce: Told of every generation that is submitted.
        pictures: What to draw for each link that was given out, by its name.
        datasets: The datasets, by id.
        models: The models, by id; one that is shared is there from the start.
        generations: What was submitted, by id.
    """

    withheld_words: tuple[str, ...] = ("withheld",)
    refused_words: tuple[str, ...] = ("forbidden",)
    failing_words: tuple[str, ...] = ("failing",)
    creating_seconds: float = 1.0
    training_seconds: float = 5.0
    allow_local_webhooks: bool = False
    clock: Callable[[], float] = time.time
    link: Callable[[str], str] = _plain_name
    announce: Callable[[Generation], None] = _tell_nobody
    pictures: dict[str, Picture] = attrs.field(factory=dict[str, Picture], init=False)
    datasets: dict[str, StoredDataset] = attrs.field(
        factory=dict[str, StoredDataset], init=False
    )
    models: dict[str, TrainedModel] = attrs.field(factory=_shared_models, init=False)
    generations: dict[str, Generation] = attrs.field(
        factory=dict[str, Generation], init=False
    )

    def show(self, picture: Picture) -> str:
        """Give *picture* out, and return its link."""
        name = new_id()
        self.pictures[name] = picture
        return self.link(name)

    def now(self) -> str:
        """Return the present moment as the service writes it."""
        return moment(self.clock())


def new_id() -> str:
    """Return an id of 22 characters, as the service's are."""
    return secrets.token_urlsafe(16)


def moment(seconds: float) -> str:
    """Write *seconds* since 1970 as the service does, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
