"""The command line: `ideogram`, `ideogram-async`, `python -m ideogram_async`."""

import sys
from collections.abc import Sequence

from ..errors import (
    ConfigurationError,
    JournalError,
    UnsupportedRequestError,
    one_line,
)
from ._parser import parser


__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: What stands behind the program's name; `sys.argv` if None.
    """
    given = parser().parse_args(arguments)
    from . import _commands  # noqa: PLC0415  # help needs none of what they need

    command = getattr(_commands, given.command, _commands.generate)
    try:
        return command(given)
    except (
        ConfigurationError,
        JournalError,
        UnsupportedRequestError,
        ValueError,
    ) as error:
        said = "\n".join(map(one_line, str(error).splitlines()))
        print(f"ideogram: {said}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _commands.FAILED
    except ModuleNotFoundError as error:
        if error.name != "PIL":
            raise
        print(f"ideogram: {_commands.NEEDS_PILLOW}", file=sys.stderr)
    return _commands.USAGE
