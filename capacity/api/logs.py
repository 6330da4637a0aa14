"""Structured logs on standard error, without secrets.

Neither headers nor query strings nor bodies are logged; what looks like a credential inside any message is masked.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

import orjson

from capacity.settings import LogSettings

_SECRETS = re.compile(
    r"sitecap_(?P<id>[0-9a-f]{16})_[A-Za-z0-9_-]{8,}"  # API token: its id may be read
    r"|eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"  # JWT
    r"|(?P<scheme>[a-z+]{2,30}://)[^\s/@:]*:[^\s/@]+@"  # password of a URL
)
_FIELDS = ("method", "path", "route", "status", "duration_ms", "client", "subject")
_MAX_CHARACTERS = 8000


def masked(text: str) -> str:
    """The text without secrets."""
    return _SECRETS.sub(_mask, text)


def _mask(match: re.Match[str]) -> str:
    if match["id"]:
        return f"sitecap_{match['id']}_***"
    return f"{match['scheme']}***@" if match["scheme"] else "eyJ***"


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Fields time (UTC), level, logger, message, those of a request, and an exception's text."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name in _FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info))[-_MAX_CHARACTERS:]
        return masked(orjson.dumps(line, default=str).decode())


class TextFormatter(logging.Formatter):
    """A line for people; control characters cannot forge another line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time (UTC), level, message, fields."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = " ".join(
            f"{name}={value}" for name in _FIELDS if (value := getattr(record, name, None)) is not None
        )
        text = f"{moment} {record.levelname.lower():7} {record.getMessage()} {fields}".rstrip()
        if record.exc_info:
            text += " | " + "".join(traceback.format_exception(*record.exc_info))[-_MAX_CHARACTERS:].rstrip()
        return masked("".join(letter if letter.isprintable() else " " for letter in text))


def configure(settings: LogSettings) -> None:
    """Send the logs of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    as_text = settings.format == "text" or (settings.format == "auto" and sys.stderr.isatty())
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"  # ours has the principal and the route
    # What the server says of its own start and of each broken request is not for an admin.
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, root.level))
    logging.getLogger("alembic").setLevel(max(logging.WARNING, root.level))
