"""What a manifest tells: pictures, and prompts without one; never held whole.

Anybody may have written it: what is not as we write it is left out, and so is a file
that is not in the manifest's own folder.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import attrs


LARGEST_INDEX: Final = 2**63 - 1
NOT_A_NAME: Final = re.compile(r"[/\\:\0-\x1f\ud800-\udfff]|^\.*$")
"""What is in a path, in an address, or in no name of ours; or dots alone."""
SIZE: Final = re.compile(r"([0-9]{1,6})x([0-9]{1,6})")


@attrs.frozen
class Picture:
    """A picture that was saved.

    Attributes:
        index: Number of its prompt, from 0.
        prompt: What was asked for.
        file: Its name in the folder.
        seed: As the service said it; None if it did not.
        width: In pixels; 0 if unknown.
        height: In pixels; 0 if unknown.
    """

    index: int
    prompt: str
    file: str
    seed: int | None
    width: int
    height: int


@attrs.frozen
class Gap:
    """A prompt, or one image of it, that there is no picture of.

    Attributes:
        index: Number of the prompt, from 0.
        prompt: What was asked for.
        is_withheld: Whether the service made the image and did not release it.
        reason: Why, in a line.
    """

    index: int
    prompt: str
    is_withheld: bool
    reason: str


class Manifest:
    """The lines of a manifest, in the order of the prompts.

    Only the place of each line is held, about 50 bytes a prompt. A later line of the
    same prompt replaces an earlier one; a line that was cut off is left out.

    Args:
        path: The file.

    Raises:
        OSError: It can't be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        numbers, starts, saved = array("q"), array("q"), array("q")
        with_gaps = set[int]()
        start = 0
        with path.open("rb") as file:
            for line in file:
                entry = _entry(line)
                if entry is not None:
                    numbers.append(_index(entry))
                    starts.append(start)
                    saved.append(sum(1 for _ in _pictures(entry)))
                    with_gaps |= {start} if any(True for _ in _gaps(entry)) else set()
                start += len(line)
        order = sorted(range(len(numbers)), key=numbers.__getitem__)
        nexts = [*order[1:], None]
        last = [
            place
            for place, after in zip(order, nexts, strict=False)
            if after is None or numbers[after] != numbers[place]
        ]
        self._starts = array("q", (starts[place] for place in last))
        self._with_gaps = [start for start in self._starts if start in with_gaps]
        self._shown = sum(saved[place] for place in last)

    def __len__(self) -> int:
        """Return the number of prompts."""
        return len(self._starts)

    @property
    def shown(self) -> int:
        """How many pictures there are."""
        return self._shown

    def pictures(self) -> Iterator[Picture]:
        """Yield every picture."""
        for entry in self._entries(self._starts):
            yield from _pictures(entry)

    def gaps(self) -> Iterator[Gap]:
        """Yield every prompt without a picture, failed or withheld."""
        for entry in self._entries(self._with_gaps):
            yield from _gaps(entry)

    def _entries(self, starts: Iterable[int]) -> Iterator[dict[str, Any]]:
        with self._path.open("rb") as file:
            for start in starts:
                file.seek(start)
                yield json.loads(file.readline())


def _pictures(entry: dict[str, Any]) -> Iterator[Picture]:
    for name, image in zip(_list(entry, "files"), _images(entry), strict=False):
        if _is_name(name):
            width, height = _size(image)
            seed = image.get("seed")
            about = _index(entry), _prompt(entry), name
            seed = seed if isinstance(seed, int) else None
            yield Picture(*about, seed, width, height)


def _gaps(entry: dict[str, Any]) -> Iterator[Gap]:
    about = _index(entry), _prompt(entry)
    if error := _object(entry.get("error")):
        reason = str(error.get("message") or error.get("type"))
        yield Gap(*about, is_withheld=False, reason=reason)
    withheld = sum(_is_withheld(image) for image in _images(entry))
    if withheld:
        images = "1 image" if withheld == 1 else f"{withheld} images"
        reason = f"{images} withheld by the service's safety check"
        yield Gap(*about, is_withheld=True, reason=reason)


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = _object(json.loads(line))
    except (ValueError, RecursionError):
        return None
    index = entry.get("index")
    return entry if type(index) is int and 0 <= index <= LARGEST_INDEX else None


def _index(entry: dict[str, Any]) -> int:
    index: int = entry["index"]
    return index


def _images(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return [_object(each) for each in _list(_object(entry.get("response")), "data")]


def _prompt(entry: dict[str, Any]) -> str:
    request = _object(entry.get("request"))
    return str(request.get("prompt") or request.get("text_prompt") or "")


def _is_withheld(image: dict[str, Any]) -> bool:
    return not image.get("url") or image.get("is_image_safe") is False


def _is_name(name: Any) -> bool:
    """Whether *name* is that of a file in the folder, and leads nowhere else."""
    return isinstance(name, str) and not NOT_A_NAME.search(name)


def _size(image: dict[str, Any]) -> tuple[int, int]:
    said = image.get("upscaled_resolution") or image.get("resolution")
    found = SIZE.fullmatch(str(said))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: dict[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    return cast("list[Any]", found) if isinstance(found, list) else []
