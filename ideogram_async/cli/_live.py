"""The live bar; needs rich."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import IO

import attrs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from ..jobs import Progress
from ._progress import told


@attrs.define
class LiveDisplay:
    """A bar that rich draws."""

    bar: Bar

    def update(self, progress: Progress) -> None:
        """Move the bar; red once something has failed."""
        self.bar.update(
            self.bar.task_ids[0],
            total=progress.total,
            completed=progress.ended,
            told=told(progress),
            style="red" if progress.counts["failed"] else "default",
        )

    def say(self, text: str) -> None:
        """Show *text* above the bar."""
        self.bar.console.print(text, markup=False, highlight=False)


@contextmanager
def live_display(file: IO[str]) -> Generator[LiveDisplay]:
    """Draw a bar on *file* while the context lasts."""
    counts = TextColumn("[{task.fields[style]}]{task.fields[told]}")
    columns = (BarColumn(bar_width=28), MofNCompleteColumn(), counts)
    with Bar(*columns, console=Console(file=file)) as bar:
        bar.add_task("", total=None, told="starting", style="default")
        yield LiveDisplay(bar)
