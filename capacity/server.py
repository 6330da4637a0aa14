"""How the application is served: uvicorn with our bounds, in one process or several."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from capacity.api import logs
from capacity.app import create_app
from capacity.background import refreshing
from capacity.lifeline import end_with_parent
from capacity.listening import BACKLOG, for_workers
from capacity.protocol import PROTOCOL, PatientConfig
from capacity.settings import Config
from capacity.warming import settle, warm

_WORKER_START_S = 60
"""A worker that is silent for so long is replaced; it is silent while it loads its libraries on a busy machine."""

_SWITCH_S = 0.0005
"""A thread that validates gives the interpreter's lock to one that waits for it after so long. The event loop asks for it
several times a request; with Python's 5 ms, the 99th percentile of answers at 500 profiles/s was 90 ms instead of 49 ms."""


def run(config: Config, listener: socket.socket, environment: Mapping[str, str]) -> None:
    """Serve until SIGTERM or SIGINT; running requests are finished within `server.graceful_s`.

    Args:
        config: all settings.
        listener: from `capacity.listening.listen`.
        environment: of the process.
    """
    settings = PatientConfig(app=partial(application, config, dict(environment)), **_options(config))
    settings.header_s = config.server.header_s
    if config.server.workers == 1:
        uvicorn.Server(settings).run(sockets=[listener])
    else:
        with refreshing(config, environment):
            Multiprocess(settings, sockets=for_workers(listener)).run()


def application(config: Config, environment: Mapping[str, str]) -> FastAPI:
    """The application in a process of the server, with its logs; ends with the process that started it."""
    logs.configure(config.log)
    end_with_parent()
    sys.setswitchinterval(_SWITCH_S)
    warm()
    app = create_app(config, environment)
    settle()
    return app


def _options(config: Config) -> dict[str, Any]:
    server = config.server
    return {
        "factory": True,
        "http": PROTOCOL,
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "workers": server.workers,
        "backlog": BACKLOG,
        "proxy_headers": bool(server.trusted_proxies),
        "forwarded_allow_ips": server.trusted_proxies,
        "limit_concurrency": server.max_connections,
        "timeout_keep_alive": server.keep_alive_s,
        "timeout_graceful_shutdown": server.graceful_s,
        "timeout_worker_healthcheck": _WORKER_START_S,
        "ssl_certfile": server.tls_certificate,
        "ssl_keyfile": server.tls_key,
    }
