"""API tokens for admins: made, listed, revoked. The text of a token is in one answer only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from capacity.api.answers import errors
from capacity.api.guard import service_of
from capacity.service import tokens
from capacity.service.policy import Policy, needs
from capacity.service.principal import Role

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"], responses=errors(401, 403, 422, 429, 503))


class NewToken(BaseModel):
    """What a token is to be good for."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["read", "submit", "admin"]
    site: str | None = Field(default=None, max_length=64, description="it may write for; null = every site")
    expires: str | None = Field(
        default=None, max_length=16, description="life, such as 90d; null = until revoked"
    )
    note: str | None = Field(default=None, max_length=200, description="whose it is")


class CreatedToken(BaseModel):
    """A new token; its text cannot be shown again."""

    id: str
    token: str
    expires_at: datetime | None


class TokenView(BaseModel):
    """A token without its secret."""

    id: str
    role: str
    site: str | None
    note: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    state: Literal["active", "expired", "revoked"]


class Tokens(BaseModel):
    """All tokens, newest first."""

    tokens: list[TokenView]


@router.post("", status_code=201, responses=errors(408, 413))
@needs(Policy.ADMIN)
def create_token(request: Request, wanted: NewToken) -> CreatedToken:
    """Make a token; keep what is answered, it is shown once."""
    created = tokens.create(
        service_of(request).database,
        role=Role(wanted.role),
        site=wanted.site,
        now=datetime.now(UTC),
        life=tokens.parse_duration(wanted.expires) if wanted.expires is not None else None,
        note=wanted.note,
    )
    return CreatedToken(id=created.id, token=created.text, expires_at=created.expires_at)


@router.get("")
@needs(Policy.ADMIN)
def list_tokens(request: Request) -> Tokens:
    """All tokens with their state; secrets are not kept."""
    now = datetime.now(UTC)
    found = tokens.all_tokens(service_of(request).database)
    return Tokens(tokens=[TokenView(**one._asdict(), state=one.state(now)) for one in found])


@router.delete("/{token_id}", status_code=204, responses=errors(404))
@needs(Policy.ADMIN)
def revoke_token(request: Request, token_id: Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]) -> Response:
    """Refuse a token from now on."""
    service = service_of(request)
    tokens.revoke(service.database, token_id, datetime.now(UTC))
    service.authenticator.forget()
    return Response(status_code=204)
