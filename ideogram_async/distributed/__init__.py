"""Bulk jobs on several machines: a queue and a journal in PostgreSQL.

`enqueue` puts a job into the database, any number of `Worker`s on any machines run it,
and `status` tells how far they are. Needs `pip install 'ideogram-async[distributed]'`.

Raises:
    ConfigurationError: On import, if procrastinate or psycopg is missing.
"""

from ..errors import ConfigurationError


try:
    import procrastinate as _procrastinate  # noqa: F401  # pyright: ignore[reportUnusedImport]  # it is only looked for
    import psycopg as _psycopg  # noqa: F401  # pyright: ignore[reportUnusedImport]  # it is only looked for
except ImportError as _error:
    raise ConfigurationError(
        f"several machines need procrastinate and psycopg ({_error}):"
        " pip install 'ideogram-async[distributed]'"
    ) from None

from ._enqueue import Enqueued, enqueue
from ._status import JobStatus, Status, UnknownItem, status
from ._worker import Worker


__all__ = [
    "Enqueued",
    "JobStatus",
    "Status",
    "UnknownItem",
    "Worker",
    "enqueue",
    "status",
]
