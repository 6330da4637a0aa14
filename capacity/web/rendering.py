"""From a view to an answer: the page by a template, or the `.json` twin; both from the same object."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from capacity import __version__
from capacity.service.credentials import COOKIE
from capacity.service.principal import Principal
from capacity.service.views.common import View
from capacity.web import format as formatting

NAVIGATION = (
    ("/", "Overview"),
    ("/sites", "Sites"),
    ("/plan", "Plan"),
    ("/catalogue", "Catalogue"),
    ("/calibration", "Calibration"),
    ("/tokens", "Tokens"),
)
PRIVATE = {"Cache-Control": "private, no-store"}
"""What a page shows may depend on who asks."""


class Reader(NamedTuple):
    """Whoever looks at a page."""

    subject: str | None
    logged_in: bool


def html(
    request: Request,
    template: str,
    view: View | None,
    *,
    status: int = 200,
    twin: str | None = None,
    headers: dict[str, str] | None = None,
    **more: object,
) -> HTMLResponse:
    """Render a page.

    Args:
        request: who asks, and where.
        template: file name in `templates/`.
        view: what it shows.
        status: of the answer.
        twin: path of the same as JSON; None = it has none.
        headers: of the answer, beside those of every page.
        more: further names in the template, such as a new token's text, that are not part of the view.
    """
    moment = getattr(view, "generated_at", None)
    ended = bool(getattr(request.state, "session_ended", False))
    text = (
        environment()
        .get_template(template)
        .render(
            view=view,
            twin=twin,
            reader=_reader(request),
            session_ended=ended,
            section=_section(request.url.path),
            navigation=NAVIGATION,
            style=style_name(),
            script=script_name(),
            version=__version__,
            generated_at=moment if isinstance(moment, datetime) else None,
            **more,
        )
    )
    answer = HTMLResponse(text, status, headers=PRIVATE | (headers or {}))
    if ended:
        forget(answer)
    return answer


def forget(answer: Response) -> None:
    """Have the browser drop the session's cookie."""
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def twin(view: View) -> Response:
    """The view as JSON."""
    return Response(view.model_dump_json(), media_type="application/json", headers=PRIVATE)


def static_text(name: str) -> str:
    """A file of the style, from the package."""
    return files("capacity.web").joinpath("static", name).read_text("utf-8")


@cache
def style_name() -> str:
    """Name of the style sheet with a digest of its content, so that browsers may keep it for ever."""
    digest = hashlib.blake2b(static_text("capacity.css").encode(), digest_size=6).hexdigest()
    return f"capacity-{digest}.css"


@cache
def script_name() -> str:
    """Name of the script of the plan's form, with a digest of its content."""
    digest = hashlib.blake2b(static_text("plan.js").encode(), digest_size=6).hexdigest()
    return f"plan-{digest}.js"


@cache
def environment() -> Environment:
    """The templates; all text is escaped, a name that is not there is an error."""
    made = Environment(
        loader=PackageLoader("capacity.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    names: dict[str, Any] = {
        name: getattr(formatting, name)
        for name in (
            "number",
            "whole",
            "interval",
            "percent",
            "size",
            "moment",
            "machine_moment",
            "age",
            "coded",
        )
    }
    made.filters.update(names)
    return made


def _reader(request: Request) -> Reader:
    principal = getattr(request.state, "principal", None)
    if not isinstance(principal, Principal) or principal.subject == "visitor":
        return Reader(None, logged_in=False)
    return Reader(principal.subject, logged_in=True)


def _section(path: str) -> str:
    return next((root for root, _ in NAVIGATION[1:] if path == root or path.startswith(f"{root}/")), path)
