"""The parts of a job that have no socket: identity, names, swept files."""

from __future__ import annotations

import io
import os
import re
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ideogram_async import GenerateV3, ImageObject, RemixV3, Upload
from ideogram_async._whole import whole
from ideogram_async.jobs import Job
from ideogram_async.jobs._folder import Folder
from ideogram_async.jobs._identity import described, digest_of

from ..servers import PNG
from .shop import selling, shop


def digest(request: RemixV3 | GenerateV3) -> bytes:
    """Return what *request* is known by."""
    return digest_of(request, described(request))


def test_fields_make_the_identity() -> None:
    """Equal fields are the same item; any other field, or class, another one."""
    cat = GenerateV3(prompt="a cat", seed=1)
    others = [attrs.evolve(cat, seed=2), attrs.evolve(cat, prompt="a c at")]

    assert digest(cat) == digest(attrs.evolve(cat))
    assert len({digest(each) for each in [cat, *others]}) == 3


def test_files_count_by_their_bytes(tmp_path: Path) -> None:
    """A copied or touched file is the same, however given; a changed one isn't."""
    first, copy = tmp_path / "cat.png", tmp_path / "copy" / "cat.png"
    copy.parent.mkdir()
    for path in (first, copy):
        path.write_bytes(PNG)
    os.utime(copy, (0, 0))
    uploads = [
        Upload.from_path(first),
        Upload.from_path(copy),
        Upload.from_bytes(PNG, "cat.png"),
        Upload.from_stream(io.BytesIO(PNG), "cat.png"),
    ]
    found = {digest(RemixV3(prompt="a", image=upload)) for upload in uploads}
    first.write_bytes(PNG + b"!")
    changed = digest(RemixV3(prompt="a", image=Upload.from_path(first)))
    link = Upload.from_url("https://example.com/cat.png", media_type="image/png")

    assert len(found) == 1
    assert changed not in found
    assert digest(RemixV3(prompt="a", image=link)) not in found


async def test_uploads_that_can_not_be_known(tmp_path: Path) -> None:
    """A stream that is read once, and a file that is gone, are bad rows."""

    async def pieces() -> AsyncGenerator[bytes]:
        yield PNG

    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    uploads = [
        Upload.from_stream(pieces(), "stream.png", media_type="image/png"),
        Upload.from_path(path),
    ]
    path.unlink()
    async with selling(shop()) as (_, client):
        remixes = [RemixV3(prompt="a", image=upload) for upload in uploads]
        report = await Job(remixes, tmp_path / "out").run(client)

    first, second = (str(problem.error) for problem in report.problems)
    assert first.startswith("stream.png is a stream that can be read only once")
    assert second == f"can't read {path}: No such file or directory"


def test_names_stay_in_the_folder(tmp_path: Path) -> None:
    """Names hold a number and a seed, and are never given twice."""
    folder = Folder(tmp_path / "deep/out", 20_000)
    image = ImageObject(url="http://x/../../etc/passwd", seed=3)
    names = [folder.name_for(12, image) for _ in range(2)]
    unknown = folder.name_for(0, ImageObject())
    folder.release([names[0], None])

    assert names == ["00012-3.png", "00012-3-2.png"]
    assert unknown == "00000-unknown.png"
    assert folder.name_for(12, image) == names[0]
    assert Folder(tmp_path, None).name_for(12, image) == "000012-3.png"


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    images=st.lists(
        st.tuples(st.integers(0, 10**9), st.none() | st.integers() | st.just(10**400)),
        max_size=8,
    ),
    total=st.none() | st.integers(1, 10**9),
)
def test_any_name_is_portable(
    tmp_path: Path, images: list[tuple[int, int | None]], total: int | None
) -> None:
    """Whatever seeds the service tells, names are short, plain, and never the same."""
    folder = Folder(tmp_path, total)
    given_names = [
        folder.name_for(position, ImageObject(url="x", seed=seed))
        for position, seed in images
    ]

    assert len({name.casefold() for name in given_names}) == len(images)
    for name in given_names:
        assert re.fullmatch(r"\d{4,10}-(unknown|-?\d{1,20})(-\d+)?\.png", name)
        assert not folder.has(name)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.text(min_size=1, max_size=255).filter(
        lambda name: not {"/", "\0"} & {*name}
    )
)
def test_any_file_is_whole_or_not_there(tmp_path: Path, name: str) -> None:
    """A file of any name that a folder can hold gets that name, and nothing else."""
    path = tmp_path / "out" / name
    path.parent.mkdir(exist_ok=True)
    try:
        path.write_bytes(b"old")
    except (OSError, UnicodeEncodeError):  # no file has such a name
        return
    with suppress(ZeroDivisionError), whole(path) as file:
        file.write(b"half" * (1 // 0))
    assert path.read_bytes() == b"old"

    with whole(path) as file:
        file.write(b"new")

    assert path.read_bytes() == b"new"
    assert [each.name for each in path.parent.iterdir()] == [name]
    path.unlink()


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        (".a.png.0123abcd.part", False),
        (".b.png.0123abcd.part", True),
        (".a.png.part", True),
        (".manifest.jsonl.part", False),
        ("a.png", True),
    ],
)
def test_only_our_leftovers_are_swept(tmp_path: Path, name: str, stays: bool) -> None:  # noqa: FBT001  # a parameter of pytest
    """What a killed download of ours left is removed, and nothing else."""
    (tmp_path / name).write_bytes(b"x")
    Folder(tmp_path, None).sweep(["a.png", None])

    assert (tmp_path / name).exists() is stays
