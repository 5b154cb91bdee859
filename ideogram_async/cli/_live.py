"""The live bar; needs rich."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import IO

import attrs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task
from rich.progress import Progress as Bar
from rich.text import Text

from ._progress import Tally


class _TallyColumn(ProgressColumn):
    """The counts, as they are at each refresh."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._tally = tally

    def render(self, task: Task) -> Text:  # noqa: ARG002  # rich's signature
        """Return the counts; red once something has failed."""
        style = "red" if self._tally.failed else "default"
        return Text(self._tally.text(), style=style)


@attrs.define
class LiveProgress:
    """A bar that rich draws."""

    tally: Tally
    bar: Bar

    def update(self) -> None:
        """Move the bar."""
        self.bar.update(self.bar.task_ids[0], completed=self.tally.ended)

    def say(self, text: str) -> None:
        """Show *text* above the bar."""
        self.bar.console.print(text, markup=False, highlight=False)


@contextmanager
def live_progress(tally: Tally, file: IO[str]) -> Generator[LiveProgress]:
    """Draw a bar on *file* while the context lasts."""
    columns = (BarColumn(bar_width=28), MofNCompleteColumn(), _TallyColumn(tally))
    with Bar(*columns, console=Console(file=file)) as bar:
        bar.add_task("", total=tally.total)
        yield LiveProgress(tally, bar)
