"""The style sheet and the icon, served by ourselves."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from capacity.errors import NotFoundError
from capacity.service.policy import Policy, needs
from capacity.web.rendering import script_name, static_text, style_name

router = APIRouter(include_in_schema=False)

_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_A_DAY = {"Cache-Control": "public, max-age=86400"}


@router.get("/static/{name}")
@needs(Policy.ANYBODY)
def static(name: str) -> Response:
    """The style sheet under the digest of its content, and the icon."""
    if name == style_name():
        return Response(static_text("capacity.css"), media_type="text/css", headers=_FOR_EVER)
    if name == script_name():
        return Response(static_text("plan.js"), media_type="text/javascript", headers=_FOR_EVER)
    if name == "icon.svg":
        return Response(static_text(name), media_type="image/svg+xml", headers=_A_DAY)
    raise NotFoundError(f"there is no file {name[:80]!r} here: load the page again")
