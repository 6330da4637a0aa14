"""Headers that keep browsers careful; pure ASGI, because it runs for every request."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing of another host, nothing inline: a name in a profile can never become a script."""

_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
_UNCACHED = (b"cache-control", b"no-store")


class SecurityHeaders:
    """Adds them to each answer; HSTS only over TLS; no-store unless the route says otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        secure = scope.get("scheme") == "https"

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                extra = list(_HEADERS)
                if secure:
                    extra.append(_TRANSPORT)
                if not any(name == b"cache-control" for name, _ in given):
                    extra.append(_UNCACHED)
                message["headers"] = [*given, *extra]
            await send(message)

        await self._app(scope, receive, with_headers)
