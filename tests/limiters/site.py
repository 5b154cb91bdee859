"""The application that the README shows for several workers, with a page that works."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from ideogram_async.web.fastapi import Client


README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
SHOWN = "/var/lib/pictures/limit.db"
"""The file that the README shows."""

namespace: dict[str, Any] = {}
program = next(text for text in BLOCKS if SHOWN in text)
exec(program.replace(SHOWN, os.environ["LIMIT_FILE"]), namespace)
app: FastAPI = namespace["app"]


@app.get("/picture")
async def picture(client: Client) -> dict[str, Any]:
    """Make two pictures, and say which process it was."""
    answer = await client.generate("a cat", num_images=2)
    return {"pid": os.getpid(), "images": len(answer.data)}
