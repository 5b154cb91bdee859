"""Hooks that keep what they are told."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs

from ideogram_async.hooks import Hooks


class Notes(Hooks):
    """Keeps every event, in order."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("on_"):
            return self.events.append
        return super().__getattribute__(name)

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the events of one class."""
        return [event for event in self.events if type(event) is kind]

    @property
    def kinds(self) -> list[str]:
        """The names of their classes, in order."""
        return [type(event).__name__ for event in self.events]

    @property
    def text(self) -> str:
        """All that was told, as text."""
        return "\n".join(str(attrs.asdict(event)) for event in self.events)


class CuriousNotes(Notes):
    """Asks for prompts."""

    sees_prompts: ClassVar[bool] = True
