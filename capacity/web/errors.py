"""Errors of pages as pages: the same status, sentence and headers as the API's problem document, for people."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from capacity.web.rendering import html

Handler = Callable[[Request, Exception], Any]

HEADINGS = {
    400: "This cannot be read",
    401: "Please log in",
    403: "This is not for you",
    404: "There is no such page",
    405: "This cannot be done here",
    422: "This address is not right",
    429: "Too often",
    503: "The database is away",
}
_MACHINES = ("/api/", "/metrics", "/healthz", "/readyz", "/static/")


def wants_page(request: Request) -> bool:
    """Whether a person looks at this address; programs get the problem document."""
    path = request.url.path
    return not path.startswith(_MACHINES) and not path.endswith((".json", ".svg"))


def install(app: FastAPI) -> None:
    """Wrap the application's error handlers, which must be there already, so that pages show errors as pages."""
    for kind, handler in list(app.exception_handlers.items()):
        if handler.__module__.startswith("capacity."):
            app.add_exception_handler(kind, _shown(handler))


def _shown(handler: Handler) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def show(request: Request, error: Exception) -> Response:
        problem = await handler(request, error)
        assert isinstance(problem, Response)
        return page_of(request, problem) if wants_page(request) else problem

    return show


def page_of(request: Request, problem: Response) -> Response:
    """The page that says what a problem document says."""
    told = json.loads(bytes(problem.body))
    kept = {name: value for name, value in problem.headers.items() if name in _KEPT}
    retry = problem.headers.get("retry-after", "")
    return html(
        request,
        "error.html",
        None,
        status=problem.status_code,
        headers=kept,
        heading=HEADINGS.get(problem.status_code, str(told["title"])),
        says=_sentence(str(told["detail"])),
        error_status=problem.status_code,
        retry_after_s=int(retry) if retry.isdigit() else None,
        here=request.url.path,
    )


_KEPT = {"retry-after", "www-authenticate", "allow"}


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
