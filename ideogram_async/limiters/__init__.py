"""Limits that several processes share."""

from ._postgres import PostgresLimiter
from ._sqlite import HostLimiter


__all__ = ["HostLimiter", "PostgresLimiter"]
