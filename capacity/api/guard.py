"""The one place where every route's policy is enforced, before anything of the request's body is read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from capacity.errors import RefusedError
from capacity.service.authentication import authorise
from capacity.service.context import Service
from capacity.service.credentials import COOKIE, MAX_CREDENTIAL_CHARACTERS, UnauthenticatedError, bearer
from capacity.service.policy import Policy, policy_of
from capacity.service.principal import Principal

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def guard(request: Request) -> None:
    """Find out who asks, put it into `request.state.principal`, hold it against the policy of the endpoint.

    Raises:
        UnauthenticatedError: no or a wrong credential where one is needed.
        RefusedError: the role is missing, or another site's page sent a form.
        TooOftenError: too many wrong credentials.
        UnavailableError: the credential cannot be verified now.
    """
    policy = policy_of(request.scope["endpoint"])
    if policy is Policy.ANYBODY:
        request.state.principal = None
        return
    service = service_of(request)
    try:
        principal = await _principal(request, service)
    except UnauthenticatedError:
        if not _only_the_session_ended(request, policy):
            raise
        # Who reads what anybody may read is not turned away for having logged in once.
        principal = service.authenticator.visitor
        request.state.session_ended = True
    authorise(principal, policy)
    request.state.principal = principal


class DirectRoute(APIRoute):
    """A route whose endpoint takes nothing but the request: guarded like all, without FastAPI's search for parameters.

    That search costs as much as everything else that is done for a small request; receiving profiles has no use for it.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The guard, then the endpoint."""
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            await guard(request)
            answer = await endpoint(request)
            assert isinstance(answer, Response)
            return answer

        return handle


def service_of(request: Request) -> Service:
    """The running service."""
    found = request.app.state.service
    assert isinstance(found, Service)
    return found


def principal_of(request: Request) -> Principal:
    """Who asks; `guard` has put it there.

    Raises:
        UnauthenticatedError: the route is open to anybody and nobody said who they are.
    """
    found = request.state.principal
    if not isinstance(found, Principal):
        raise UnauthenticatedError("this needs a token: send it as `Authorization: Bearer TOKEN`")
    return found


async def _principal(request: Request, service: Service) -> Principal | None:
    credential = bearer(request.headers.get("authorization"))
    if credential is None:
        credential = request.cookies.get(COOKIE)
        if credential is None:
            return service.authenticator.visitor
        if request.method not in _SAFE_METHODS and not _same_origin(request):
            raise RefusedError("a form of another site was refused: open the page here and send it again")
        if len(credential) > MAX_CREDENTIAL_CHARACTERS:
            raise UnauthenticatedError("the session is not valid: log in again")
    known = service.authenticator.remembered(credential)
    if known is not None:
        return known
    address = request.client.host if request.client is not None else "unknown address"
    return await run_in_threadpool(service.authenticator.verify, credential, address)


def _only_the_session_ended(request: Request, policy: Policy) -> bool:
    """Whether a credential that is not valid came by cookie, which browsers send unasked, to something to read."""
    return (
        policy is Policy.READ
        and request.method in _SAFE_METHODS
        and request.headers.get("authorization") is None
        and service_of(request).authenticator.visitor is not None
    )


def _same_origin(request: Request) -> bool:
    """Beside SameSite=Strict: browsers say where a form comes from (Fetch Metadata, else Origin)."""
    fetched_from = request.headers.get("sec-fetch-site")
    if fetched_from is not None:
        return fetched_from == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")
