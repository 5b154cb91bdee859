"""Prompt files of Parquet, with pyarrow and without."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from ideogram_async import (
    ConfigurationError,
    GenerateV3,
)
from ideogram_async.inputs import PromptFile

from .test_inputs import written


def test_parquet_without_pyarrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without pyarrow the line says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    prompts = written(tmp_path, "p.parquet", "PAR1")

    with pytest.raises(ConfigurationError) as raised:
        prompts.count()
    assert str(raised.value) == (
        f"can't read {tmp_path}/p.parquet: it needs pyarrow:"
        " pip install 'ideogram-async[parquet]'"
    )


@pytest.mark.skipif(
    importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed"
)
def test_parquet(tmp_path: Path) -> None:
    """Real Parquet files are read in batches, also where whole numbers got a point."""
    import pyarrow as pa  # noqa: PLC0415  # optional
    from pyarrow import parquet  # noqa: PLC0415

    path = tmp_path / "p.parquet"
    rows = 2500
    table = pa.table(
        {
            "prompt": [None if row == 1 else f"cat {row}" for row in range(rows)],
            "seed_number": [None if row == 1 else float(row) for row in range(rows)],
            "style_codes": [["0a1b2c3d"] if row == 0 else None for row in range(rows)],
            "visibility": [None] * rows,
        }
    )
    parquet.write_table(table, path)
    prompts = PromptFile(path)

    got = list(prompts.requests())
    assert got[0] == GenerateV3("cat 0", seed=0, style_codes=("0a1b2c3d",))
    assert got[1] == GenerateV3("cat 2", seed=2)
    assert len(got) == prompts.count() == rows - 1
    assert prompts.ignored() == ("visibility",)

    whole = path.read_bytes()
    path.write_bytes(b"PAR1, but no table")
    with pytest.raises(ValueError, match=r"p.parquet is no Parquet file: "):
        prompts.count()
    half = len(whole) // 4
    path.write_bytes(whole[:half] + bytes(half) + whole[2 * half :])
    with pytest.raises(ValueError, match=r"p.parquet: unreadable after row "):
        prompts.count()


def fake_pyarrow(monkeypatch: pytest.MonkeyPatch, table: Any) -> None:
    """Let *table* stand for what pyarrow reads."""

    class ArrowError(Exception):
        pass

    class Module:
        ArrowException = ArrowError

        @staticmethod
        def ParquetFile(file: Any) -> Any:  # noqa: N802
            if table is None:
                raise ArrowError("no magic")
            return table

    monkeypatch.setitem(sys.modules, "pyarrow", Module)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", Module)  # type: ignore[arg-type]


def test_batches_of_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is read in batches; one that breaks is named with its row."""

    class Batch:
        def to_pylist(self) -> list[dict[str, Any]]:
            return [{"prompt": "a cat", "seed": float("nan")}, {"prompt": None}]

    class Table:
        breaks = True

        class schema_arrow:  # noqa: N801
            names = ("prompt", "seed")

        def iter_batches(self, batch_size: int) -> Any:
            yield Batch()
            if self.breaks:
                raise sys.modules["pyarrow"].ArrowException("broken")  # type: ignore[attr-defined]

    prompts = written(tmp_path, "p.parquet", "PAR1")
    fake_pyarrow(monkeypatch, Table())
    rows = prompts.rows()
    assert next(rows) == GenerateV3("a cat")
    with pytest.raises(ValueError, match=r"p.parquet: unreadable after row 2: broken"):
        next(rows)

    monkeypatch.setattr(Table, "breaks", False)
    assert prompts.count() == 1
    fake_pyarrow(monkeypatch, None)
    with pytest.raises(ValueError, match=r"p.parquet is no Parquet file: no magic"):
        prompts.count()
