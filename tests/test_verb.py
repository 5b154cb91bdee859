"""A request class as a method."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from ideogram_async import GenerateV3
from ideogram_async._verb import Verb


class Echo:
    """A client that answers with the request itself."""

    generate = Verb(lambda: GenerateV3)

    async def send(self, request: Any) -> Any:
        """Return *request*."""
        return request


async def test_verb_sends_the_request() -> None:
    """A call of the verb makes the request of its arguments and sends it."""
    sent: object = await Echo().generate("a cat", seed=7)

    assert sent == GenerateV3("a cat", seed=7)


def test_bad_field_fails_at_the_call() -> None:
    """A bad value is an error where it is written, before anything is awaited."""
    with pytest.raises(ValueError, match=r"num_images must be in \[1, 8\], got 9"):
        Echo().generate("a cat", num_images=9)


def test_verb_shows_the_signature_of_its_class() -> None:
    """`help` shows the fields and the docstring of the request class."""
    verb = Echo().generate

    assert inspect.signature(verb) == inspect.signature(GenerateV3)
    assert verb.__doc__ == GenerateV3.__doc__


def test_verb_on_the_class_is_itself() -> None:
    """Looked up on the class, a verb is the verb, with the class's docstring."""
    assert isinstance(Echo.generate, Verb)
    assert Echo.generate.request_class is GenerateV3
    assert Echo.generate.__doc__ == GenerateV3.__doc__
