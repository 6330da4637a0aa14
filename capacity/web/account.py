"""Logging in and out, and the tokens of admins. Forms are taken from this origin only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from capacity.errors import BadInputError
from capacity.service import tokens
from capacity.service.credentials import COOKIE, MAX_CREDENTIAL_CHARACTERS, UnauthenticatedError
from capacity.service.policy import Policy, needs
from capacity.service.principal import Role
from capacity.service.rates import TooOftenError
from capacity.service.views import asking
from capacity.service.views.access import LoginView, TokensView, local_path
from capacity.web.forms import check_origin, form_of
from capacity.web.pages import page
from capacity.web.rendering import forget, html
from capacity.web.state import now, service_of

router = APIRouter()


@page(router, "/login", "login.html", Policy.ANYBODY)
def login_page(request: Request, next: Annotated[str, Query(max_length=500)] = "/") -> LoginView:  # noqa: A002 - a parameter of the address
    """Where a token is handed in."""
    return _login_view(request, next, None)


@router.post("/login", include_in_schema=False)
@needs(Policy.ANYBODY)
async def login(request: Request) -> Response:
    """Keep a token that is valid here in a cookie."""
    check_origin(request)
    fields = await form_of(request)
    service = service_of(request)
    target = local_path(fields.get("next"))
    credential = fields.get("token", "").strip()
    address = request.client.host if request.client is not None else "unknown address"
    try:
        await run_in_threadpool(service.authenticator.verify, _bounded(credential), address)
    except (UnauthenticatedError, TooOftenError) as error:
        status = 429 if isinstance(error, TooOftenError) else 401
        return html(request, "login.html", _login_view(request, target, str(error)), status=status)
    answer = RedirectResponse(target, 303)
    answer.set_cookie(
        COOKIE, credential, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/"
    )
    return answer


@router.post("/logout", include_in_schema=False)
@needs(Policy.ANYBODY)
def logout(request: Request) -> Response:
    """Forget the cookie; the token itself goes on to work."""
    check_origin(request)
    answer = RedirectResponse("/", 303)
    forget(answer)
    return answer


@page(router, "/tokens", "tokens.html", Policy.ADMIN)
def token_list(request: Request) -> TokensView:
    """All tokens with their state; secrets are not kept."""
    return asking.token_list(service_of(request).database, now())


@router.post("/tokens", include_in_schema=False)
@needs(Policy.ADMIN)
async def create_token(request: Request) -> Response:
    """Make a token; its text is on the page that answers, and nowhere else."""
    check_origin(request)
    fields = await form_of(request)
    database = service_of(request).database
    created, problem = None, None
    try:
        created = await run_in_threadpool(
            tokens.create,
            database,
            role=_role(fields.get("role", "")),
            site=fields.get("site", "").strip() or None,
            now=now(),
            life=tokens.parse_duration(fields["life"]) if fields.get("life") else None,
            note=fields.get("note", "").strip() or None,
        )
    except BadInputError as error:
        problem = str(error)
    view = await run_in_threadpool(asking.token_list, database, now())
    status = 422 if problem else 201
    return html(request, "tokens.html", view, status=status, created=created, problem=problem)


@router.post("/tokens/{token_id}/revoke", include_in_schema=False)
@needs(Policy.ADMIN)
def revoke_token(request: Request, token_id: Annotated[str, Path(max_length=64)]) -> Response:
    """Refuse a token from now on."""
    check_origin(request)
    service = service_of(request)
    tokens.revoke(service.database, token_id, now())
    service.authenticator.forget()
    return RedirectResponse("/tokens", 303)


def _login_view(request: Request, target: str, problem: str | None) -> LoginView:
    cookie = request.cookies.get(COOKIE)
    known = service_of(request).authenticator.remembered(cookie) if cookie else None
    return LoginView(
        subject=known.subject if known else None,
        roles=tuple(sorted(role.value for role in known.roles)) if known else (),
        public_read=service_of(request).config.public_read,
        next=local_path(target),
        problem=problem,
    )


def _bounded(credential: str) -> str:
    if not credential:
        raise UnauthenticatedError("paste a token into the field")
    if len(credential) > MAX_CREDENTIAL_CHARACTERS:
        raise UnauthenticatedError(f"the token is longer than {MAX_CREDENTIAL_CHARACTERS} characters")
    return credential


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise BadInputError("a token has the role read, submit or admin") from None
