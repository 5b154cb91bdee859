"""nginx before the sandbox: a source of 429s that nobody of us has written."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ..servers import HOST, closed_port, until


NGINX = shutil.which("nginx")

CONFIG = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    limit_conn_zone $http_api_key zone=keys:1m;
    limit_conn_status 429;
    server {{
        listen {host}:{port};
        location / {{
            {limit}
            proxy_pass {upstream};
        }}
    }}
}}
"""


def configured(folder: Path, upstream: str, limit: str) -> tuple[Path, int]:
    """Write the configuration, and return it and the port that it listens on."""
    port = closed_port()
    path = folder / "nginx.conf"
    text = CONFIG.format(
        folder=folder, host=HOST, port=port, upstream=upstream, limit=limit
    )
    path.write_text(text)
    return path, port


@asynccontextmanager
async def nginx(folder: Path, upstream: str, limit: str) -> AsyncIterator[str]:
    """Run nginx with *limit* as its rule, before *upstream*; give its address."""
    path, port = configured(folder, upstream, limit)
    command = [NGINX or "nginx", "-p", str(folder), "-c", str(path)]
    with (folder / "startup.log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(*command, stderr=log)
    try:
        pid = folder / "nginx.pid"
        await until(lambda: pid.exists() or server.returncode is not None)
        assert server.returncode is None, (folder / "startup.log").read_text()
        yield f"http://{HOST}:{port}"
    finally:
        server.terminate()
        await server.wait()
