"""How a page is declared: one function gives the view, and two routes show it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import Response

from capacity.service.policy import Policy, needs
from capacity.service.views.common import View
from capacity.web.rendering import html, twin

Build = TypeVar("Build", bound=Callable[..., View])

ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"description": "Reading needs a token here."},
    403: {"description": "The token may not read this."},
    404: {"description": "There is no such site or node."},
    422: {"description": "A parameter is not what it must be."},
    429: {"description": "Too many wrong tokens from this address."},
    503: {"description": "The database cannot be asked now; see Retry-After."},
}
"""Answers of the `.json` twins beside 200, for OpenAPI."""


def page(
    router: APIRouter, path: str, template: str, policy: Policy = Policy.READ
) -> Callable[[Build], Build]:
    """Declare a page at `path` and its twin at `path`.json (of "/": /index.json).

    The decorated function takes the request first, then path and query parameters as in any FastAPI route.
    """

    def declare(build: Build) -> Build:
        beside = f"{path}.json" if path != "/" else "/index.json"
        model = inspect.signature(build, eval_str=True).return_annotation

        @needs(policy)
        @wraps(build)
        def show(request: Request, **parameters: Any) -> Response:  # noqa: ANN401 - of the page
            view = build(request, **parameters)
            return html(request, template, view, twin=twin_url(request))

        @needs(policy)
        @wraps(build)
        def show_twin(request: Request, **parameters: Any) -> Response:  # noqa: ANN401 - of the page
            return twin(build(request, **parameters))

        # The twin first: {site} would also match NAME.json.
        answers = {200: {"model": model, "description": "What the page shows."}, **ERRORS}
        router.add_api_route(
            beside,
            show_twin,
            response_class=Response,
            response_model=None,
            responses=answers,
            tags=["pages"],
            operation_id=f"page_{build.__name__}",
            summary=(build.__doc__ or "").splitlines()[0],
        )
        router.add_api_route(
            path, show, response_class=Response, response_model=None, include_in_schema=False
        )
        return build

    return declare


def twin_url(request: Request) -> str:
    """Path and query of the JSON that belongs to a page."""
    path = request.url.path if request.url.path != "/" else "/index"
    return f"{path}.json" + (f"?{request.url.query}" if request.url.query else "")
