"""Prompt files: text, CSV, TSV and JSONL, of every class that a row may become."""

from __future__ import annotations

from collections.abc import Iterator

from ideogram_async import GenerateV3, GenerateV4, IdeogramError, RemixV3
from ideogram_async.inputs import BadRow, PromptFile
from ideogram_async.providers import Ideogram

from .scratch import folder


SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl")
KINDS = (GenerateV3, GenerateV4, RemixV3)


def seeds() -> Iterator[bytes]:
    """Yield files as people write them, after the number of their kind."""
    for number, text in (
        (0, "a cat\na dog\n\n  a cow \n"),
        (1, 'prompt,seed,rendering_speed\na cat,7,Turbo\n"a, ""dog""\nb",,\n'),
        (1, "prompt;seed_number;style;visibility\na cat;7.0;Auto;private\n"),
        (1, "prompt,color_palette,style_codes\na cat,EMBER,AAFF5733;0133FA00\n"),
        (2, "prompt\taspect_ratio\tnum_images\na cat\t16:9\t4\n"),
        (3, '{"prompt": "a cat", "seed": 7, "style_codes": ["AAFF5733"]}\n[1]\n{'),
        (5, "text_prompt,resolution,json_prompt\na cat,2048x2048,\n"),
        (7, '{"json_prompt": {"a": 1}, "seed": null}\n{"prompt": 1e999}'),
        (9, "prompt,image,image_weight\na cat,no such file,50\n"),
    ):
        yield bytes([number]) + text.encode()


def try_one(content: bytes) -> None:
    """Read a prompt file: each row is a request, or bad for a reason."""
    if not content or b"http" in content:
        return
    kind, suffix = divmod(content[0], len(SUFFIXES))
    path = (folder() / "prompts").with_suffix(SUFFIXES[suffix])
    path.write_bytes(content[1:])
    shared = {"image": __file__} if kind % len(KINDS) == KINDS.index(RemixV3) else {}
    prompts = PromptFile(path, KINDS[kind % len(KINDS)], shared, Ideogram.refusal)
    try:
        count = prompts.count()
        prompts.ignored()
        rows = list(prompts.rows())
    except (ValueError, IdeogramError):
        return
    assert len(rows) == count
    for row in rows:
        if isinstance(row, BadRow):
            assert str(row)
        else:
            _sent(row)


def _sent(request: object) -> None:
    exchange = Ideogram("a-secret-key").exchange(request)  # type: ignore[arg-type]
    assert next(exchange).url
    exchange.close()
