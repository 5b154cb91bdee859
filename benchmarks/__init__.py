"""What the client costs, beside what others cost, measured in one run.

`python -m benchmarks` measures all of it, and writes `results.json`, the table in
`README.md` and the plots. Every measurement is a process of its own, checks what came
back, and is held against what the server counted.
"""

from __future__ import annotations

from typing import Any, Final


PROMPT: Final = "A photo of a cat sleeping on a couch."
SEED: Final = 12345
ANSWER: Final[dict[str, Any]] = {
    "created": "2025-01-23T04:56:07+00:00",
    "data": [
        {
            "url": (
                "https://ideogram.ai/api/images/ephemeral/xtdZiqPwRxqY1Y7NExFmzB.png"
                "?exp=1743867804&sig=e13e12677633f646d8531a153d20e2d3698dca9ee7661ee5ba4"
            ),
            "prompt": PROMPT,
            "resolution": "1024x1024",
            "is_image_safe": True,
            "seed": SEED,
            "style_type": "GENERAL",
        }
    ],
}
"""What the service answers; a client is counted only for answers with this seed."""
