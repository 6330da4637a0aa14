"""Bounds on the bodies of forms and small JSON requests, before a framework reads them whole into memory.

Routes that take large bodies read them themselves (`capacity.api.bodies`) and are named when this is installed.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from capacity.api.problems import BodyError, answer

MAX_SMALL_BYTES = 64 * 1024
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


class SmallBodies:
    """Refuses larger (413) and slower (408) bodies; pure ASGI.

    Args:
        app: what it guards.
        body_s: time for the whole body.
        large: path prefixes of routes that bound their bodies themselves.
    """

    def __init__(self, app: ASGIApp, body_s: float, large: tuple[str, ...]) -> None:
        self._app = app
        self._body_s = body_s
        self._large = large

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if (
            scope["type"] != "http"
            or scope["method"] in _WITHOUT_BODY
            or scope["path"].startswith(self._large)
        ):
            await self._app(scope, receive, send)
            return
        try:
            messages = await self._body(receive)
        except BodyError as error:
            await answer(error)(scope, receive, send)
            return

        async def replayed() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, replayed, send)

    async def _body(self, receive: Receive) -> list[Message]:
        messages: list[Message] = []
        size_bytes = 0
        try:
            async with asyncio.timeout(self._body_s):
                while True:
                    message = await receive()
                    messages.append(message)
                    size_bytes += len(message.get("body", b""))
                    if size_bytes > MAX_SMALL_BYTES:
                        raise BodyError(413, f"the body has more than {MAX_SMALL_BYTES} bytes")
                    if message["type"] != "http.request" or not message.get("more_body", False):
                        return messages
        except TimeoutError:
            raise BodyError(408, f"the body did not arrive within {self._body_s:g} s") from None
