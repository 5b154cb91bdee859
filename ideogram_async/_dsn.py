"""Addresses of databases, looked at before a driver quotes them in its errors.

A password that is not percent-encoded may be read as the host or the port, which
errors name.
"""

from __future__ import annotations

from .errors import ConfigurationError


def check_dsn(dsn: str) -> None:
    """Check that *dsn* is an address of a PostgreSQL database.

    Raises:
        ConfigurationError: It is none, or parts of it are not where they belong.
        ImportError: psycopg is missing.
    """
    from psycopg import ProgrammingError, conninfo  # noqa: PLC0415  # an extra

    try:
        found = conninfo.conninfo_to_dict(dsn)
    except (ProgrammingError, UnicodeError):  # whose text may hold the password
        found = {"port": "none"}
    ports = str(found.get("port") or "").split(",")
    is_host = "@" not in str(found.get("host") or "")[1:]  # at first it is a socket
    if not (is_host and all(port.isdecimal() or not port for port in ports)):
        raise ConfigurationError(
            "dsn must be like postgresql://user:password@host/name, and what is special"
            " in the password percent-encoded (@ as %40, / as %2F)"
        )
