"""One program against the faces of all five services: only the name changes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ideogram_async import (
    Describe,
    EditLegacy,
    EditV3,
    IdeogramClient,
    ImageResponse,
    RemixLegacy,
    RemixV3,
    Request,
    Upload,
    Upscale,
)
from ideogram_async.cli import _commands, main
from ideogram_async.providers import PROVIDERS
from ideogram_async.sandbox import Sandbox

from .sandbox.plain import mask, photo, written


PROMPTS = [f"poster {number}" for number in range(5)]
SUPPORTED = {
    "ideogram": "Describe EditLegacy EditV3 RemixLegacy RemixV3 Upscale",
    "openai-hk": "Describe EditV3 RemixLegacy Upscale",
    "aihubmix": "Describe EditLegacy EditV3 RemixLegacy RemixV3 Upscale",
    "kkiai": "",
    "pixazo": "Describe EditLegacy RemixLegacy",
}
DEFAULT = dict.fromkeys(SUPPORTED, "GenerateV3")
DEFAULT |= {"kkiai": "GenerateLegacy", "pixazo": "GenerateLegacy"}


@pytest.fixture
def sandbox(provider: str) -> Iterator[Sandbox]:
    """Run a sandbox with the face of *provider*."""
    with Sandbox(provider=provider, latency=0.01).running() as running:
        yield running


def variations(path: Path) -> list[Request[Any]]:
    """Return what may be done with the image at *path*, wherever it is supported."""
    image = Upload.from_path(path)
    with Image.open(path) as opened:
        width, height = opened.size
        black = mask((0, 0, width, height // 2), opened.size)
    part = Upload.from_bytes(written(black), "mask.png")
    return [
        Describe(image_file=image),
        RemixLegacy("as an etching", image_file=image, model="V_2"),
        EditLegacy("a moon", image_file=image, mask=part, model="V_2", seed=7),
        RemixV3("as an etching", image=image),
        EditV3("a moon", image=image, mask=part),
        Upscale(image_file=image),
    ]


async def program(provider: str, url: str, folder: Path) -> list[str]:
    """Make posters, save them, change and describe the first one; return the texts."""
    async with IdeogramClient("any key", provider=provider, base_url=url) as client:
        batch = await client.generate_many(PROMPTS)
        batch.raise_for_failures()
        for number, image in enumerate(batch.images):
            await client.download(image, folder / f"{number}.png")
        chosen = [r for r in variations(folder / "0.png") if client.supports(r)]
        changed = await client.send_many(chosen)
        changed.raise_for_failures()
        texts = []
        for outcome in changed:
            answer = outcome.response
            if isinstance(answer, ImageResponse):
                name = f"{type(outcome.request).__name__}.png"
                await client.download(answer.images[0], folder / name)
            else:
                texts += [description.text for description in answer.descriptions]
    return texts


def saved(folder: Path) -> set[str]:
    """Return the names of the files in *folder*, all of which are whole images."""
    for path in folder.iterdir():
        with Image.open(path) as image:
            image.load()
    return {path.stem for path in folder.iterdir()}


@pytest.mark.parametrize("provider", SUPPORTED)
async def test_one_program(provider: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """The same program makes, changes and describes images at all five services."""
    texts = await program(provider, sandbox.url, tmp_path)

    supported = SUPPORTED[provider].split()
    made = [str(number) for number in range(len(PROMPTS))]
    changed = [name for name in supported if name != "Describe"]
    assert saved(tmp_path) == {*made, *changed}
    assert ["poster 0" in text for text in texts] == [True] * ("Describe" in supported)
    billed = Counter(charge.operation for charge in sandbox.ledger.charges)
    assert billed == {DEFAULT[provider]: len(PROMPTS), **dict.fromkeys(supported, 1)}
    assert sandbox.ledger.images == len(PROMPTS) + len(supported)


@pytest.mark.parametrize("provider", ["pixazo"])
@pytest.mark.parametrize("model", ["V_2", "V_2_TURBO"])
async def test_pixazo(
    model: Any, provider: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Both models of Pixazo answer with images, for large seeds and without a mask."""
    image = Upload.from_bytes(written(photo()), "photo.png")
    async with IdeogramClient("k", provider="pixazo", base_url=sandbox.url) as client:
        made = await client.generate_legacy("a cat", model=model, seed=9_999_999_999)
        edited = await client.edit_legacy("a dog", image_file=image, model=model)
        remixed = await client.remix_legacy("a dog", image_file=image, model=model)
        for number, answer in enumerate((made, edited, remixed)):
            await client.download(answer.images[0], tmp_path / f"{number}.png")
        withheld = await client.edit_legacy("withheld", image_file=image, model=model)

    assert made.images[0].seed == 9_999_999_999
    assert (withheld.data[0].url, withheld.data[0].is_image_safe) == (None, False)
    assert sandbox.ledger.images == 4


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with a fast demonstration and no key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_commands, "DEMO_LATENCY", 0.01)
    for name in ("IDEOGRAM_PROVIDER", "IDEOGRAM_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for kind in PROVIDERS.values():
        monkeypatch.delenv(kind.key_variable, raising=False)
    return tmp_path


def operations(folder: Path) -> set[str]:
    """Return the operations in the manifest of a run that saved all its images."""
    lines = (folder / "out/manifest.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    assert all((folder / "out" / entry["files"][0]).is_file() for entry in entries)
    return {entry["request"]["type"] for entry in entries}


@pytest.mark.parametrize("provider", SUPPORTED)
@pytest.mark.parametrize("way", ["option", "environment"])
def test_the_demo(
    way: str, provider: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`run --sandbox` makes images with every face, by option or environment."""
    (folder / "p.txt").write_text("a cat\na dog\n")
    option = ["--provider", provider]
    if way == "environment":
        monkeypatch.setenv("IDEOGRAM_PROVIDER", provider)
        option = []
    code = main(["run", "p.txt", "--sandbox", *option])

    assert code == 0
    assert operations(folder) == {DEFAULT[provider]}


def test_single_commands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command with a route works with `--sandbox --provider pixazo`."""
    (folder / "photo.png").write_bytes(written(photo()))
    face = ["--sandbox", "--provider", "pixazo"]
    source = ["--image-file", "photo.png"]
    edit = ["edit-legacy", "a dog", *source, "--model", "V_2", "--out", "edited"]
    codes = [
        main(["generate-legacy", "a cat", "--model", "V_2_TURBO", *face]),
        main([*edit, *face]),
    ]
    capsys.readouterr()
    codes.append(main(["describe", *source, *face]))

    assert codes == [0, 0, 0]
    assert operations(folder) == {"GenerateLegacy"}
    assert list((folder / "edited").glob("*.png"))
    (described,) = json.loads(capsys.readouterr().out)["descriptions"]
    assert "240 x 200 pixels" in described["text"]


@pytest.mark.parametrize("extra", [["--sandbox"], []])
@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (
            ["generate", "a cat"],
            "pixazo: GenerateV3 has no route; taken by aihubmix, ",
        ),
        (["list-models"], "pixazo: ListModels has no route; taken by ideogram "),
        (
            ["generate-legacy", "a cat", "--num-images", "2"],
            "pixazo: num_images of GenerateLegacy is not taken; taken by ",
        ),
        (
            ["run", "p.txt", "--rendering-speed", "TURBO"],
            "rendering_speed is no field of GenerateLegacy",
        ),
        (["run", "p.txt", "--num-images", "2"], "pixazo: num_images of "),
    ],
)
def test_what_a_provider_does_not_take(
    command: list[str],
    complaint: str,
    extra: list[str],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the provider has no route for ends with code 2 before anything starts."""
    (folder / "p.txt").write_text("a cat\n")
    code = main([*command, "--provider", "pixazo", *extra])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert complaint in said.err
    assert said.err.count("\n") == 1
    assert not (folder / "out").exists()


@pytest.mark.parametrize("command", [["generate", "a cat", "--sandbox"], ["sandbox"]])
def test_an_unknown_provider_in_the_environment(
    command: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A provider that the environment names, and nobody knows, is refused."""
    monkeypatch.setenv("IDEOGRAM_PROVIDER", "nobody")
    code = main(command)

    assert code == 2
    assert "unknown provider 'nobody'" in capsys.readouterr().err


def test_the_sandbox_command_in_process(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`sandbox --provider` prints the address, the name and the key's variable."""
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    code = main(["sandbox", "--port", "0", "--provider", "kkiai"])

    exports = capsys.readouterr().out.splitlines()[1]
    assert code == 0
    assert re.fullmatch(
        r"  export IDEOGRAM_BASE_URL=http://127\.0\.0\.1:\d+/ideogram"
        r" KKIAI_API_KEY=sandbox IDEOGRAM_PROVIDER=kkiai",
        exports,
    )


@pytest.mark.parametrize("provider", ["ideogram", "openai-hk", "pixazo"])
def test_the_exports_are_enough(
    provider: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what `sandbox --provider` prints, the ordinary commands use that face."""
    serve = [sys.executable, "-m", "ideogram_async", "sandbox", "--port", "0"]
    with subprocess.Popen(
        [*serve, "--latency", "0", "--provider", provider],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for pair in process.stdout.readline().split()[1:]:
            monkeypatch.setenv(*pair.split("=", 1))
        (folder / "p.txt").write_text("a cat\n")
        code = main(["run", "p.txt"])
        process.send_signal(signal.SIGINT)
        ended = process.stdout.read()

    assert (code, ended) == (0, "sandbox ended\n")
    assert operations(folder) == {DEFAULT[provider]}
